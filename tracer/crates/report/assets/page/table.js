// A table that can be sorted by each column, searched, and copied; of very many rows it shows the first.

import { copy, fill, h } from "./dom.js";
import { count, counted } from "./units.js";

const SHOWN = 20;

// `columns`: { name, head, title, value(row), show(row), text(row), kind: "text" | "number", less }; those that say less are
// shown when all are asked for
export class Table {
  constructor(place, { caption, columns, sort, down = true, select, searchable = true, extra, lead, shown = SHOWN }) {
    Object.assign(this, { caption, columns, select, sort, down, place, lead, shown });
    this.rows = [];
    this.most = shown;
    this.asked = false;
    this.query = "";
    this.chosen = null;
    this.found = [];
    this.search = h("input", {
      type: "search",
      placeholder: "Search  /",
      "aria-label": `Search ${caption}`,
      class: "search",
      input: () => {
        this.query = this.search.value.toLowerCase();
        this.most = this.shown;
        this.draw();
      },
    });
    this.said = h("span", { class: "dim", role: "status" });
    this.head = h("tr", {});
    this.body = h("tbody", {});
    this.more = h("button", {
      type: "button",
      class: "more",
      click: () => {
        this.most += 500;
        this.draw();
      },
    });
    const copyAs = (name, write) =>
      h(
        "button",
        {
          type: "button",
          "data-copy": name,
          click: () => copy(write.call(this), `${counted(this.found.length, "row", "rows")} as ${name}`),
        },
        `Copy ${name}`,
      );
    this.box = h(
      "div",
      { class: "box" },
      h("table", {}, h("caption", { class: "offstage" }, caption), h("thead", {}, this.head), this.body),
    );
    this.all = h("input", {
      type: "checkbox",
      id: `${caption.replaceAll(" ", "-")}-all`,
      change: () => this.box.classList.toggle("all", this.all.checked),
    });
    this.allLabel = h("label", {}, this.all, " all columns");
    fill(
      place,
      h(
        "div",
        { class: "tools" },
        extra || null,
        searchable ? this.search : null,
        this.allLabel,
        this.said,
        h("span", { class: "spring" }),
        copyAs("TSV", this.tsv),
        copyAs("Markdown", this.markdown),
      ),
      this.box,
      this.more,
    );
  }

  // `sort`: by which column, if there is none any more of the name that it was sorted by, or if it is to be `anew`.
  set(rows, columns, sort, anew = false) {
    this.rows = rows;
    if (columns) this.columns = columns;
    if (anew || !this.columns.some((column) => column.name === this.sort)) {
      this.sort = sort;
      this.down = true;
    }
    this.most = this.shown;
    this.draw();
  }

  sorted() {
    const words = (row) =>
      this.columns
        .map((column) => column.text(row))
        .join(" ")
        .toLowerCase();
    const found = this.query === "" ? [...this.rows] : this.rows.filter((row) => words(row).includes(this.query));
    const value = this.columns.find((column) => column.name === this.sort)?.value ?? (() => 0);
    const order = this.down ? -1 : 1;
    const first = (row) => (this.lead && !this.asked ? this.lead(row) : null) ?? Infinity;
    // What is not known stands last, whichever way.
    return found.sort((one, other) => {
      const [ahead, behind] = [first(one), first(other)];
      if (ahead !== behind) return ahead - behind;
      const [a, b] = [value(one), value(other)];
      if (a === null || b === null) return (a === null) - (b === null);
      return a < b ? -order : a > b ? order : 0;
    });
  }

  draw() {
    this.found = this.sorted();
    this.allLabel.hidden = !this.columns.some((column) => column.less);
    fill(
      this.head,
      this.columns.map((column) =>
        h(
          "th",
          {
            scope: "col",
            class: column.less ? `${column.kind} less` : column.kind,
            "aria-sort": column.name === this.sort ? (this.down ? "descending" : "ascending") : "none",
          },
          h(
            "button",
            {
              type: "button",
              "data-column": column.name,
              title: column.title || null,
              click: () => this.sortBy(column),
            },
            column.head,
            h(
              "span",
              { class: "arrow", "aria-hidden": "true" },
              column.name === this.sort ? (this.down ? " ▾" : " ▴") : "",
            ),
          ),
        ),
      ),
    );
    const nothing = this.query === "" ? `no ${this.caption}` : `nothing found of “${this.search.value}”`;
    fill(
      this.body,
      this.found.length === 0
        ? h("tr", {}, h("td", { class: "dim", colspan: String(this.columns.length) }, nothing))
        : this.found.slice(0, this.most).map((row) => this.line(row)),
    );
    const left = this.found.length - this.most;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show more: ${counted(left, "row is", "rows are")} not shown`;
    this.said.textContent =
      this.query === ""
        ? counted(this.rows.length, "row", "rows")
        : `${count(this.found.length)} of ${counted(this.rows.length, "row", "rows")}`;
  }

  sortBy(column) {
    this.asked = true;
    this.down = this.sort === column.name ? !this.down : column.kind === "number";
    this.sort = column.name;
    this.draw();
    const button = [...this.head.querySelectorAll("button")].find((one) => one.dataset.column === column.name);
    if (button) button.focus();
  }

  line(row) {
    const pick = this.select ? () => this.select(row) : null;
    const line = h(
      "tr",
      {
        tabindex: pick ? "0" : null,
        "data-row": row.id ?? null,
        class: pick ? "can" : null,
        click: pick,
        keydown: (event) => this.key(event, line, pick),
      },
      this.columns.map((column) => {
        const shown = column.show ? column.show(row) : column.text(row);
        const kind = column.less ? `${column.kind} less` : column.kind;
        return h("td", { class: kind, "data-column": column.name, "data-head": column.head }, shown);
      }),
    );
    if (row.about !== undefined && row.about !== null) line.classList.add("about");
    if (this.chosen !== null && this.chosen === row.id) line.setAttribute("aria-selected", "true");
    return line;
  }

  key(event, line, pick) {
    const next = { ArrowDown: line.nextElementSibling, ArrowUp: line.previousElementSibling }[event.key];
    if (next) {
      next.focus();
      event.preventDefault();
    } else if (event.key === "Enter" && pick) {
      pick();
      event.preventDefault();
    }
  }

  choose(id) {
    this.chosen = id;
    for (const line of this.body.children) {
      if (id !== null && line.dataset.row === String(id)) line.setAttribute("aria-selected", "true");
      else line.removeAttribute("aria-selected");
    }
  }

  // A spreadsheet would take what begins so for a formula.
  tsv() {
    const cell = (words) => words.replace(/[\t\n]/g, " ").replace(/^[=+\-@]/, "'$&");
    const lines = [
      this.columns.map((column) => column.head),
      ...this.found.map((row) =>
        this.columns.map((column) => (column.raw ? String(column.raw(row) ?? "?") : cell(column.text(row)))),
      ),
    ];
    return lines.map((line) => `${line.join("\t")}\n`).join("");
  }

  markdown() {
    const cell = (words) =>
      words
        .replace(/&/g, "&amp;")
        .replace(/</g, "&lt;")
        .replace(/[\\`*_[\]|#~>!]/g, "\\$&")
        .replace(/@/g, "@\u2060")
        .replace(/\n/g, " ");
    const line = (cells) => `| ${cells.join(" | ")} |\n`;
    return [
      line(this.columns.map((column) => column.head)),
      line(this.columns.map((column) => (column.kind === "number" ? "--:" : "---"))),
      ...this.found.map((row) => line(this.columns.map((column) => cell(column.text(row))))),
    ].join("");
  }
}
