// The table of reservations.

import { columnOf, keyColumn, lesser } from "./columns.js";
import { fill, h } from "./dom.js";
import { Table } from "./table.js";
import { count, counted, moment } from "./units.js";

export class Reservations {
  constructor(element, select) {
    this.note = h("p", { class: "dim", id: "reservations-note" });
    const place = h("div", {});
    fill(element, this.note, place);
    this.window = null;
    this.table = new Table(place, {
      caption: "reservations",
      sort: "reserved",
      select: (row) => row.site && select(row.site.id),
      columns: columns(null),
    });
  }

  show(process, window) {
    const rows = window ? process.held.filter((one) => one.born === null || one.born <= window.to) : process.held;
    const parts = [`What lives at the end of the trace${window ? ` and was made by ${moment(window.to)}` : ""}.`];
    if (process.held.length < process.heldTotal)
      parts.push(
        `Of ${count(process.heldTotal)}, small neighbours were put together in the page: ${counted(process.held.length, "row", "rows")}.`,
      );
    this.note.textContent = parts.join(" ");
    this.table.set(rows, columns(window), window ? "grew" : "reserved", window !== this.window);
    this.window = window;
  }
}

const hex = (address) => `0x${address.toString(16)}`;

// In a window, what was made in it is what it grew by.
function columns(window) {
  const made = (row) => (row.born !== null && row.born >= window.from && row.born <= window.to ? row.reserved : 0);
  const all = [
    { name: "start", head: "from", kind: "number", value: (row) => row.start, text: (row) => hex(row.start) },
    {
      name: "end",
      head: "to",
      kind: "number",
      value: (row) => row.start + BigInt(row.length),
      text: (row) => hex(row.start + BigInt(row.length)),
    },
    { ...keyColumn((row) => row.site), name: "site" },
    columnOf.text("kind", "kind", (row) => (row.site ? row.site.kind : "?")),
    columnOf.bytes("reserved", "reserved", (row) => row.reserved),
    ...(window ? [columnOf.change("grew", "made in the window", made)] : []),
    columnOf.bytes("accessible", "accessible", (row) => row.accessible),
    columnOf.bytes("touched", "touched", (row) => row.touched),
    columnOf.bytes("resident", "resident", (row) => row.resident),
    columnOf.text("protection", "protection", (row) => row.protection),
    columnOf.text("flags", "flags", (row) => row.flags),
    columnOf.time("born", "made at", (row) => row.born),
    columnOf.count("count", "together", (row) => row.count),
    columnOf.text("name", "name", (row) => row.name),
  ];
  return lesser(all, ["end", "accessible", "flags", "count"]);
}
