// What a window comes to, before everything else that follows it.

import { at, RESERVED, virtualAt } from "./data.js";
import { breakable, h, size } from "./dom.js";
import { bytes, counted, duration, moment, signedBytes } from "./units.js";

const NAMED = 3;

export function windowSummary(process, window, select) {
  if (!window) return null;
  const [before, after] = [virtualAt(process, window.from), virtualAt(process, window.to)];
  const changes = process.sites
    .map((one) => ({ one, grew: (at(one, window.to, RESERVED) ?? 0) - (at(one, window.from, RESERVED) ?? 0) }))
    .filter(({ grew }) => grew !== 0)
    .sort((one, other) => other.grew - one.grew);
  const grown = changes.filter(({ grew }) => grew > 0);
  const shrunk = changes.filter(({ grew }) => grew < 0);
  const sum = (list) => list.reduce((all, { grew }) => all + grew, 0);
  const looked = residentAt(process, window.to);
  return h(
    "section",
    { class: "card windowed", "aria-label": "The window" },
    h(
      "p",
      {},
      h("b", {}, `From ${moment(window.from)} to ${moment(window.to)}`),
      h("span", { class: "dim" }, ` (${duration(window.to - window.from)})`),
      ": virtual ",
      size(before, "window.before"),
      " → ",
      size(after, "window.after"),
      ", ",
      h("b", {}, signedBytes(after - before)),
      looked === null ? null : [" · resident then ", bytes(looked)],
    ),
    grown.length === 0
      ? h("p", { class: "dim" }, "No call site grew in it.")
      : h(
          "p",
          {},
          `${counted(grown.length, "call site", "call sites")} grew by ${bytes(sum(grown))}: `,
          grown
            .slice(0, NAMED)
            .map(({ one, grew }, index) => [
              index > 0 ? ", " : "",
              h(
                "button",
                { type: "button", class: "link", click: () => select(one.id) },
                h("b", {}, breakable(one.who)),
              ),
              ` ${signedBytes(grew)} `,
              h("span", { class: "key" }, one.key),
            ]),
          grown.length > NAMED ? ", …" : "",
        ),
    shrunk.length === 0
      ? null
      : h(
          "p",
          { class: "dim" },
          `${counted(shrunk.length, "call site", "call sites")} shrank by ${bytes(-sum(shrunk))}.`,
        ),
  );
}

function residentAt(process, time) {
  const { t, resident } = process.timeline;
  let value = null;
  for (let index = 0; index < t.length && t[index] <= time; index += 1)
    if (resident[index] > 0) value = resident[index];
  return process.resident ? value : null;
}
