// What the answer rests on: the figures, what is of known kinds, the limits, and how far to trust it.

import { DATA, sum } from "./data.js";
import { copy, fill, h, size } from "./dom.js";
import { bytes, count, counted, duration, moment, percent } from "./units.js";

export function showEvidence(element, process) {
  const { verdict } = process;
  fill(
    element,
    h(
      "div",
      { class: "tiles" },
      tile("virtual", process.virtual.end, process.virtual.peak, process.virtual_growth, "mapped at all"),
      tile(
        "touched",
        touchedOf(process),
        null,
        null,
        DATA.faults === "each" ? "ever faulted, still mapped" : "page faults were not followed",
      ),
      tile(
        "resident",
        process.resident?.end ?? null,
        process.resident?.peak ?? null,
        process.resident_growth,
        process.resident ? "in memory at the last look" : "nobody looked",
      ),
      ledgerTile(process),
    ),
    refused(process.refused),
    h("div", { class: "two" }, knobs(verdict), knownBefore(verdict.before), harm(process)),
    stackDoubts(process),
  );
}

export function touchedOf(process) {
  return DATA.faults === "each" ? sum(process.sites, (one) => one.touched) : null;
}

function tile(name, value, peak, growth, what) {
  return h(
    "div",
    { class: "tile", "data-tile": name },
    h("span", { class: "label" }, name),
    h("span", { class: "big" }, size(value, `${name}.end`)),
    h("span", { class: "dim" }, peak !== null && peak !== value ? ["peak ", size(peak, `${name}.peak`)] : what),
    growth
      ? h("span", { class: "up" }, `grows ${bytes(growth.median)}/h (${bytes(growth.low)} to ${bytes(growth.high)})`)
      : null,
  );
}

export function unmeasured(process) {
  if (process.unmeasured === null) return null;
  return h(
    "p",
    { class: "note warn", id: "unmeasured" },
    h("b", {}, "Not measured in full: "),
    `${process.unmeasured}. The figures may be wrong; no budget passes.`,
  );
}

function ledgerTile(process) {
  const { ledger } = process;
  const compared = ledger.compared || ledger.kernel_known;
  return h(
    "div",
    { class: "tile", "data-tile": "ledger" },
    h("span", { class: "label" }, "unexplained"),
    h("span", { class: "big" }, compared ? size(Math.abs(ledger.difference_bytes), "ledger.difference") : "?"),
    h("span", { class: compared && ledger.largest_difference_bytes === 0 ? "dim" : "warn-text" }, process.trust),
    h("span", { class: "dim" }, `compared ${counted(ledger.checks + ledger.verifications_count, "time", "times")}`),
  );
}

export function losses() {
  const lost = DATA.losses;
  const parts = [
    [lost.events, "call or process event", "calls or process events"],
    [lost.stacks, "stack", "stacks"],
    [lost.faults, "page fault (touched is at least what is shown)", "page faults (touched is at least what is shown)"],
    [lost.late, "event too late to be put in order", "events too late to be put in order"],
  ]
    .filter(([number]) => number > 0)
    .map(([number, one, many]) => counted(number, one, many));
  if (lost.resyncs > 0)
    parts.push(`the ledger was read anew from the kernel's maps ${counted(lost.resyncs, "time", "times")}`);
  if (parts.length === 0) return null;
  const since = lost.since_ns === null ? "" : `, first noticed at ${moment(lost.since_ns)}`;
  return h("p", { class: "note warn", id: "losses" }, h("b", {}, "Lost: "), parts.join(", ") + since);
}

function refused(rows) {
  if (rows.length === 0) return null;
  return h(
    "section",
    { class: "card", id: "refused" },
    h("h3", {}, "Refused by the kernel"),
    h(
      "ul",
      { class: "knobs" },
      rows.map((row) => h("li", {}, h("div", {}, row.what), h("div", { class: "dim" }, row.parts.join(" · ")))),
    ),
  );
}

function knobs(verdict) {
  if (verdict.knobs.length === 0) return null;
  return h(
    "section",
    { class: "card" },
    h("h3", {}, "Of known kinds, and what changes them"),
    kindList(verdict.knobs),
    h(
      "p",
      { class: "dim" },
      "Grown since it was first seen: ",
      size(verdict.grown, "grown"),
      "; of no known kind for sure: ",
      size(verdict.unexplained, "unexplained"),
      ".",
    ),
  );
}

function knownBefore(before) {
  if (!before || before.knobs.length === 0) return null;
  return h(
    "section",
    { class: "card", id: "before" },
    h("h3", {}, "There before tracing, by its shape then"),
    kindList(before.knobs),
    h(
      "p",
      { class: "dim" },
      "In all: ",
      size(before.reserved, "before"),
      "; of no known kind: ",
      size(before.unexplained, "before.unexplained"),
      ".",
    ),
  );
}

function kindList(kinds) {
  return h(
    "ul",
    { class: "knobs" },
    kinds.map((kind) =>
      h(
        "li",
        {},
        h(
          "div",
          {},
          h("b", {}, kind.name),
          " ",
          size(kind.reserved, "kind"),
          h("span", { class: "dim" }, ` in ${counted(kind.live, "reservation", "reservations")}`),
        ),
        kind.knob
          ? h(
              "div",
              {},
              h("code", {}, kind.knob),
              " ",
              h("button", { type: "button", class: "small", click: () => copy(kind.knob, kind.knob) }, "Copy"),
              kind.effect ? h("div", { class: "dim" }, kind.effect) : null,
              kind.then_virtual === null
                ? null
                : h("div", { class: "dim" }, "then about ", size(kind.then_virtual, "then"), " virtual"),
            )
          : null,
      ),
    ),
  );
}

function harm(process) {
  const { limits } = process.harm;
  if (limits.length === 0) return null;
  return h(
    "section",
    { class: "card" },
    h("h3", {}, "Limits"),
    limits.map((limit) => {
      const show = (value) => (limit.id === "mappings" ? count(value) : size(value, `harm.${limit.id}`));
      const filled = h("span", { class: limit.near ? "filled near" : "filled" });
      filled.style.width = `${Math.min(100, limit.limit === 0 ? 100 : (limit.used * 100) / limit.limit)}%`;
      return h(
        "div",
        { class: "meter" },
        h(
          "div",
          { class: "meter-words" },
          h("span", {}, limit.name, limit.shared ? h("span", { class: "dim" }, " (all processes)") : null),
          h(
            "span",
            {},
            show(limit.used),
            " of ",
            show(limit.limit),
            h("span", { class: "dim" }, ` · ${percent(limit.used, limit.limit)}`),
          ),
        ),
        h("div", { class: "track" }, filled),
        limit.reached_in_ns === null
          ? null
          : h(
              "div",
              { class: "warn-text" },
              `full in ${duration(limit.reached_in_ns)} at ${bytes(limit.growth_per_hour.median)}/h`,
            ),
      );
    }),
  );
}

function stackDoubts(process) {
  const { complete, cut, broken, none } = process.stacks;
  const doubtful = cut.calls + broken.calls + none.calls;
  if (doubtful === 0) return null;
  const all = complete.calls + doubtful;
  const parts = [
    [cut, "cut off"],
    [broken, "broken"],
    [none, "without a stack"],
  ].filter(([grade]) => grade.calls > 0);
  return h(
    "p",
    { class: "note" },
    `Of ${counted(all, "call", "calls")} ${count(doubtful)} have no complete stack: `,
    parts.map(([grade, word], index) => [
      index > 0 ? ", " : "",
      `${count(grade.calls)} ${word} (`,
      size(grade.reserved_bytes, "doubt"),
      ")",
    ]),
    ".",
  );
}
