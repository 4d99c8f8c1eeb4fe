// The table of processes: what each is, how large it was, how bad it is; each by itself or by program.

import { columnOf } from "./columns.js";
import { DATA } from "./data.js";
import { badge, fill, h, option } from "./dom.js";
import { Table } from "./table.js";
import { counted } from "./units.js";

const SHOWN = 8;
// So many are first to be chosen from; of fewer the one that the report is about is told first.
export const MANY = 12;
const LEVELS = ["benign", "unknown", "watch", "refused", "leak"];

export class Processes {
  // `select`: shows the process at a place.
  constructor(element, select) {
    const rows = DATA.processes.map((one, index) => ({ id: index, one, together: 1 }));
    this.rows = rows;
    const by = h(
      "select",
      { id: "processes-by", change: () => this.fill(by.value) },
      option("program", "program"),
      option("process", "process"),
    );
    this.note = h("p", { class: "dim" });
    const place = h("div", {});
    fill(element, this.note, place);
    this.table = new Table(place, {
      caption: "processes",
      // In the order of the report, until another is asked for.
      lead: (row) => row.id,
      shown: SHOWN,
      select: (row) => select(row.id),
      extra: h("label", {}, "By ", by),
    });
    this.fill("program");
  }

  fill(by) {
    const programs = new Map();
    for (const row of this.rows) {
      const name = row.one.name || "?";
      if (!programs.has(name)) programs.set(name, { ...row, together: 0, peak: 0 });
      const group = programs.get(name);
      group.together += 1;
      group.peak = Math.max(group.peak, row.one.virtual.peak);
      // The one that comes first in the report speaks for its program.
    }
    this.note.textContent = `${counted(this.rows.length, "process", "processes")} of ${counted(programs.size, "program", "programs")}, the one that this report is about first. Choose one to see it below.`;
    if (by === "program") this.table.set([...programs.values()], columns(true), null);
    else
      this.table.set(
        this.rows.map((row) => ({ ...row, peak: row.one.virtual.peak })),
        columns(false),
        null,
      );
  }

  choose(index) {
    this.table.choose(index);
  }
}

function columns(grouped) {
  return [
    columnOf.text(
      "program",
      "program",
      (row) => row.one.name || "?",
      (row) => h("b", {}, row.one.name || "?"),
    ),
    grouped
      ? columnOf.count("together", "processes", (row) => row.together)
      : { ...columnOf.count("pid", "pid", (row) => row.one.pid), text: (row) => String(row.one.pid) },
    {
      ...columnOf.text(
        "level",
        "level",
        (row) => row.one.verdict.level,
        (row) => badge(row.one.verdict.level),
      ),
      value: (row) => LEVELS.indexOf(row.one.verdict.level),
    },
    columnOf.text("headline", "what it is", (row) => row.one.verdict.headline),
    columnOf.bytes("peak", "peak", (row) => row.peak, "the most virtual memory at a time"),
    columnOf.bytes(
      "resident",
      "resident peak",
      (row) => row.one.resident?.peak ?? null,
      "the most in memory at a look",
    ),
    columnOf.time("from", "began", (row) => row.one.from),
    columnOf.text(
      "command",
      "command",
      (row) => row.one.command,
      (row) => h("span", { class: "command", title: row.one.command }, row.one.command),
    ),
  ];
}
