// How long what was given back had lived, by call site.

import { columnOf, keyColumn, kindCell, lesser, trendColumn, who, whoWords } from "./columns.js";
import { sum } from "./data.js";
import { fill, h } from "./dom.js";
import { Table } from "./table.js";
import { bytes, duration } from "./units.js";

export class Lifetimes {
  constructor(element, select) {
    this.note = h("p", { class: "dim" });
    const place = h("div", {});
    fill(element, this.note, place);
    const life = (index) => (row) => (row.lifetime ? row.lifetime[index] : null);
    this.table = new Table(place, {
      caption: "lifetimes",
      sort: "released",
      select: (row) => select(row.id),
      columns: lesser(
        [
          keyColumn(),
          columnOf.text("kind", "kind", (row) => row.kind, kindCell),
          columnOf.text("who", "whose doing", whoWords, who),
          columnOf.bytes("released", "released", (row) => row.released),
          columnOf.count("gone", "gone", (row) => row.calls - row.live, "calls − reservations that still live"),
          { ...columnOf.text("bar", "10 µs to 10 h", () => "", lifeBar), value: life(0) },
          columnOf.span("p50", "half within", life(0)),
          columnOf.span("p90", "90 %", life(1)),
          columnOf.span("p99", "99 %", life(2)),
          columnOf.span("max", "longest", life(3)),
          trendColumn,
          columnOf.bytes(
            "growth",
            "grows by the hour",
            (row) => (row.growth ? row.growth.median : null),
            "the median of its present slopes; ? where it does not grow, or that is not sure",
          ),
        ],
        ["gone", "p90", "p99", "growth"],
      ),
    });
  }

  show(process) {
    const rows = process.sites.filter((one) => one.lifetime || one.growth || one.trend === "growing");
    const released = sum(process.sites, (one) => one.released);
    this.note.textContent = `How long what was given back had lived, by call site: ${bytes(released)} in all. Of the whole trace, whatever the window.`;
    this.table.set(rows);
  }
}

// From the median to the 99th percentile, and the longest, on a logarithmic scale of 10 µs to 10 h.
function lifeBar(row) {
  if (!row.lifetime) return "";
  const place = (ns) => Math.max(0, Math.min(100, ((Math.log10(Math.max(ns, 1)) - 4) / 9.556) * 100));
  const [p50, , p99, max] = row.lifetime.map(place);
  const piece = (name, from, to) => {
    const span = h("span", { class: name });
    span.style.left = `${from}%`;
    span.style.width = `${Math.max(1, to - from)}%`;
    return span;
  };
  return h(
    "div",
    {
      class: "life",
      title: `half within ${duration(row.lifetime[0])}, 99 % within ${duration(row.lifetime[2])}, the longest ${duration(row.lifetime[3])}`,
    },
    piece("life-tail", p99, max),
    piece("life-most", p50, p99),
    piece("life-half", p50, p50 + 1.5),
  );
}
