// The answer: how bad it is and what it is, who, why, whether it hurts, what changes it, what comes next.

import { DATA } from "./data.js";
import { badge, breakable, copy, fill, h, size } from "./dom.js";
import { losses, unmeasured } from "./evidence.js";
import { bytes, moment } from "./units.js";

// A longer word may be broken where a screen is narrower than it.
const ONE_LINE = 44;

// `select`: shows a call site.
export function showAnswer(element, process, select) {
  const { verdict, harm } = process;
  const row = (name, ...content) => [h("dt", {}, name), h("dd", { "data-row": name }, content)];
  fill(
    element,
    h(
      "p",
      { class: "identity" },
      h("b", {}, process.name || "?"),
      h("span", { class: "dim" }, ` · ${process.about.join(" · ")}`),
    ),
    process.command ? h("p", { class: "command", title: process.command }, process.command) : null,
    h(
      "h1",
      {},
      badge(verdict.level),
      " ",
      h("span", { id: "headline" }, verdict.headline),
      " ",
      verdict.sure ? h("span", { class: "sure" }, verdict.sure) : null,
    ),
    h(
      "dl",
      { class: "answer" },
      verdict.who.length > 0 ? row("who", h("table", {}, h("tbody", {}, whoRows(process, select)))) : null,
      verdict.because.length > 0 ? row("because", verdict.because.join(" ")) : null,
      harm.text ? row("hurts", h("span", { class: harm.near ? "near" : null, id: "harm-text" }, harm.text)) : null,
      verdict.change.length > 0 ? row("change", verdict.change.map(change)) : null,
      verdict.next.length > 0 ? row("next", verdict.next.map(next)) : null,
    ),
    DATA.window
      ? h(
          "p",
          { class: "note warn" },
          `This report looks at ${moment(DATA.window.from_ns)} to ${moment(Math.min(DATA.window.to_ns, DATA.duration))} of the trace only (--window).`,
        )
      : null,
    unmeasured(process),
    losses(),
  );
}

function whoRows(process, select) {
  const { who } = process.verdict;
  const speeds = who.some((one) => one.speed !== null);
  return who.map((one) => {
    const site = process.byKey.get(one.site);
    const name = h("b", {}, breakable(one.name));
    return h(
      "tr",
      {},
      h(
        "td",
        {},
        site ? h("button", { type: "button", class: "link", click: () => select(site.id) }, name) : name,
        " ",
        one.where ? h("span", { class: "where" }, breakable(one.where)) : null,
        one.callers.map((caller) => h("span", { class: "where" }, " ← ", breakable(caller))),
      ),
      h("td", { class: "number" }, size(one.bytes, "who.bytes")),
      speeds ? h("td", { class: "number speed" }, one.speed ?? "") : null,
      h("td", { class: "key" }, one.site),
    );
  });
}

function word(text) {
  return h("code", { class: text.length > ONE_LINE ? "word long" : "word" }, text);
}

function copied(text) {
  return h("button", { type: "button", class: "small", click: () => copy(text, text) }, "Copy");
}

// In the words of the text report.
function change(one) {
  const then = one.predicted_virtual_bytes === null ? null : `about ${bytes(one.predicted_virtual_bytes)} virtual then`;
  const text = then === null ? one.effect : one.effect === "" ? then : `${then} (${one.effect})`;
  return h("div", {}, word(one.knob), " ", copied(one.knob), text ? ` → ${text}` : null);
}

function next(one) {
  return h("div", {}, `${one.why}: `, word(one.command), " ", copied(one.command));
}
