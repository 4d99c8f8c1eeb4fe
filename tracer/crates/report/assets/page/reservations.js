// The table of reservations.

import { columnOf } from "./columns.js";
import { fill, h } from "./dom.js";
import { Table } from "./table.js";
import { count, counted, moment } from "./units.js";

export class Reservations {
  constructor(element, select) {
    this.note = h("p", { class: "dim", id: "reservations-note" });
    const place = h("div", {});
    fill(element, this.note, place);
    const hex = (address) => `0x${address.toString(16)}`;
    this.table = new Table(place, {
      caption: "reservations",
      sort: "reserved",
      select: (row) => row.site && select(row.site.id),
      columns: [
        { name: "start", head: "from", kind: "number", value: (row) => row.start, text: (row) => hex(row.start) },
        {
          name: "end",
          head: "to",
          kind: "number",
          value: (row) => row.start + BigInt(row.length),
          text: (row) => hex(row.start + BigInt(row.length)),
        },
        columnOf.count("site", "site", (row) => (row.site ? row.site.id : null)),
        columnOf.text("kind", "kind", (row) => (row.site ? row.site.kind : "?")),
        columnOf.bytes("reserved", "reserved", (row) => row.reserved),
        columnOf.bytes("accessible", "accessible", (row) => row.accessible),
        columnOf.bytes("touched", "touched", (row) => row.touched),
        columnOf.bytes("resident", "resident", (row) => row.resident),
        columnOf.text("protection", "protection", (row) => row.protection),
        columnOf.text("flags", "flags", (row) => row.flags),
        columnOf.time("born", "made at", (row) => row.born),
        columnOf.count("count", "together", (row) => row.count),
        columnOf.text("name", "name", (row) => row.name),
      ],
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
    this.table.set(rows);
  }
}
