// A comparison: both courses over each other, what grew and what went, and how it was matched.

import { axisStyle, byteSteps, drawing, legend, tip, tipLine } from "./chart.js";
import { columnOf, lesser, who, whoWords } from "./columns.js";
import { DATA, frames, text } from "./data.js";
import { frameLine } from "./detail.js";
import { badge, fill, h, size } from "./dom.js";
import { Table } from "./table.js";
import { color } from "./theme.js";
import { bytes, count, duration, instant, moment, signedBytes, signedCount } from "./units.js";

const MARKS = {
  exact: ["", "matched by all frames"],
  similar: ["≈", "matched by most frames"],
  "only-old": ["−", "only in the old trace"],
  "only-new": ["+", "only in the new trace"],
};

// As the text has it: less than this part of all changes, or than this many bytes, says nothing.
const PART = 100;
const LEAST = 64 * 1024;

function noiseOf(diff) {
  const sizes = diff.processes.flatMap((pair) =>
    pair.sites.map((row) => Math.abs(row.figures.reserved_bytes.change ?? 0)),
  );
  return Math.max(LEAST, sizes.reduce((all, one) => all + one, 0) / PART);
}

const colored = (change, least) => (change >= least ? "up" : change <= -least ? "down" : "dim");

function changeText(change, least, show = bytes, sign = signedBytes) {
  return h(
    "span",
    {},
    h("span", { "data-bytes": String(change.old ?? "?") }, show(change.old)),
    " → ",
    h("span", { "data-bytes": String(change.new ?? "?") }, show(change.new)),
    change.change === null ? null : " ",
    change.change === null ? null : h("b", { class: colored(change.change, least) }, sign(change.change)),
  );
}

function changeColumns(name, least) {
  const figure = (row) => row.figures[name];
  return [
    columnOf.bytes(`${name}-old`, `${name.replace("_bytes", "")} old`, (row) => figure(row).old),
    columnOf.bytes(`${name}-new`, "new", (row) => figure(row).new),
    {
      ...columnOf.change(`${name}-change`, "change", (row) => figure(row).change, "sorted by size, up or down", least),
      value: (row) => Math.abs(figure(row).change ?? 0),
    },
  ];
}

function kindTable(place, kinds, least) {
  const table = new Table(place, {
    caption: "kinds",
    sort: "reserved_bytes-change",
    searchable: false,
    columns: [
      columnOf.text("name", "kind", (row) => row.name),
      ...changeColumns("reserved_bytes", least),
      columnOf.change("touched-change", "touched", (row) => row.figures.touched_bytes.change, null, least),
      columnOf.change("resident-change", "resident", (row) => row.figures.resident_bytes.change, null, least),
      {
        name: "live-change",
        head: "live",
        kind: "number",
        value: (row) => row.figures.live.change,
        raw: (row) => row.figures.live.change,
        text: (row) => signedCount(row.figures.live.change),
      },
    ],
  });
  table.set(kinds);
  return table;
}

export class Comparison {
  constructor(main) {
    this.diff = DATA.diff;
    this.noise = noiseOf(this.diff);
    const card = (id, title, ...content) =>
      h(
        "section",
        { id, class: "part", "aria-labelledby": `${id}-title` },
        h("h2", { id: `${id}-title` }, title),
        content,
      );
    this.head = h("div", { id: "pair-head" });
    this.canvas = h("div", { class: "canvas", id: "diff-canvas", role: "img" });
    this.legend = h("div", { class: "legend" });
    this.kinds = h("div", {});
    this.rows = h("div", {});
    this.detail = h("div", { id: "diff-detail" });
    fill(
      main,
      card("verdict", "Comparison", this.summary()),
      card(
        "timeline",
        "Timelines",
        this.head,
        this.canvas,
        this.legend,
        h(
          "p",
          { class: "dim" },
          "Times from the process's first instruction, or from the attach. Dashed: the old trace.",
        ),
      ),
      card("kinds", "Kinds", this.kinds),
      card(
        "sites",
        "Call sites",
        h(
          "p",
          { class: "dim" },
          Object.values(MARKS)
            .map(([mark, words]) => `${mark || "nothing"}: ${words}`)
            .join(" · "),
        ),
        this.rows,
        this.detail,
      ),
    );
    this.table = new Table(this.rows, {
      caption: "changes by call site",
      sort: "reserved_bytes-change",
      select: (row) => this.select(row),
      columns: lesser(
        [
          columnOf.text(
            "mark",
            "",
            (row) => MARKS[row.matched][0],
            (row) =>
              h(
                "span",
                {
                  class: "mark",
                  title:
                    MARKS[row.matched][1] +
                    (row.similarity === null ? "" : `, ${(row.similarity * 100).toFixed(0)} % of them`),
                },
                MARKS[row.matched][0],
              ),
          ),
          columnOf.text("kind", "kind", (row) => row.kind),
          columnOf.text("who", "whose doing", whoWords, who),
          ...changeColumns("reserved_bytes", this.noise),
          columnOf.change("touched", "touched", (row) => row.figures.touched_bytes.change, null, this.noise),
          columnOf.change("resident", "resident", (row) => row.figures.resident_bytes.change, null, this.noise),
          columnOf.change("released", "released", (row) => row.figures.released_bytes.change, null, this.noise),
          {
            name: "calls",
            head: "calls",
            kind: "number",
            value: (row) => row.figures.calls.change,
            raw: (row) => row.figures.calls.change,
            text: (row) => signedCount(row.figures.calls.change),
          },
          {
            name: "live",
            head: "live",
            kind: "number",
            value: (row) => row.figures.live.change,
            raw: (row) => row.figures.live.change,
            text: (row) => signedCount(row.figures.live.change),
          },
        ],
        ["released", "calls", "live"],
      ),
    });
    this.table.search.id = "sites-search";
    this.drawn = drawing(this.canvas, (chart) => this.paint(chart));
  }

  summary() {
    const { diff } = this;
    const side = (name, one) =>
      h(
        "p",
        { class: "dim" },
        `${name}: ${one.started_at}, ${duration(one.duration_ns)}, page faults ${one.faults}${one.lost > 0 ? `, ${count(one.lost)} events lost: the figures are what is known` : ", none lost"}`,
      );
    return [
      h("p", { class: "sentence", id: "verdict-text" }, diff.text),
      this.sums(null),
      side("old", diff.old),
      side("new", diff.new),
      diff.predictions.map((one) =>
        h(
          "p",
          { class: "note" },
          h("code", {}, one.knob),
          ` was foretold to make ${one.name} ${bytes(one.predicted)} virtual (from ${bytes(one.old)}); it is ${bytes(one.new)}, ${Math.abs(one.deviation) < 0.005 ? "as foretold" : `${one.deviation > 0 ? "+" : "−"}${Math.abs(one.deviation).toFixed(2)} % off`}.`,
        ),
      ),
    ];
  }

  // Old, new, change: of all processes, and of the one that is looked at.
  sums(pair) {
    const { diff, noise } = this;
    const known = (value, words) => (value === null || value === undefined ? "–" : words(value));
    const row = (id, name, change, what) =>
      h(
        "tr",
        { id },
        h("th", { scope: "row" }, name),
        h("td", { class: "number" }, size(change.old, `${id}.old`)),
        h("td", { class: "number" }, size(change.new, `${id}.new`)),
        h(
          "td",
          { class: "number" },
          change.change === null
            ? h("span", { class: "dim" }, what)
            : h("b", { class: colored(change.change, noise) }, signedBytes(change.change)),
        ),
      );
    const level = (id, name, change) =>
      h(
        "tr",
        { id },
        h("th", { scope: "row" }, name),
        h("td", { class: "number" }, known(change.old, badge)),
        h("td", { class: "number" }, known(change.new, badge)),
        h("td", {}),
      );
    const head = ["", "old", "new", "change"].map((words) => h("th", { scope: "col", class: "number" }, words));
    const rows = pair
      ? [
          level("pair-level", pair.name || "?", pair.level),
          row("pair-virtual", "virtual", pair.virtual, "not in both"),
          row("pair-resident", "resident", pair.resident, "nobody looked at both"),
        ]
      : [
          level("diff-level", "all processes", diff.level),
          row("diff-virtual", "virtual", diff.virtual, "not in both"),
          row("diff-resident", "resident", diff.resident, "not every process was looked at"),
        ];
    return h("table", { class: "sums" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows));
  }

  show(index) {
    const pair = this.diff.processes[index];
    this.pair = pair;
    this.detail.replaceChildren();
    fill(
      this.head,
      h(
        "p",
        {},
        h("b", {}, pair.name || "?"),
        ` ${pair.old_pid === null ? "" : `pid ${pair.old_pid}`} → ${pair.new_pid === null ? "" : `pid ${pair.new_pid}`} · ${{ exact: "the same program", similar: "matched by most of what is known of it", "only-old": "only in the old trace", "only-new": "only in the new trace" }[pair.matched]}`,
      ),
      this.sums(pair),
      h(
        "p",
        { class: "dim" },
        `Call sites: ${count(pair.matches.exact)} matched by all frames, ${count(pair.matches.similar)} by most, ${count(pair.matches.only_old)} only old, ${count(pair.matches.only_new)} only new.`,
      ),
    );
    kindTable(this.kinds, pair.kinds, this.noise);
    this.table.set(
      pair.sites.map((row, id) => ({
        ...row,
        id,
        kind: text(row.kind) || (row.pre_existing ? "there at its start" : "of no known kind"),
        who: text(row.title) || text(row.name) || (row.pre_existing ? "anonymous" : "no stack"),
        location: text(row.location),
      })),
    );
    this.drawn.redraw();
  }

  select(row) {
    this.table.choose(row.id);
    const figure = (name) =>
      h("div", {}, h("dt", {}, name.replace("_bytes", "")), h("dd", {}, changeText(row.figures[name], this.noise)));
    const list = frames(row.stack);
    fill(
      this.detail,
      h(
        "section",
        { class: "card", tabindex: "-1" },
        h("h3", {}, row.who),
        h(
          "p",
          { class: "dim" },
          `${row.location} · ${row.kind} · ${MARKS[row.matched][1]} · sites ${row.old_sites.join(", ") || "none"} → ${row.new_sites.join(", ") || "none"}`,
        ),
        h(
          "dl",
          { class: "figures" },
          [
            "reserved_bytes",
            "accessible_bytes",
            "touched_bytes",
            "resident_bytes",
            "charged_bytes",
            "released_bytes",
          ].map(figure),
        ),
        list.length > 0 ? h("ol", { class: "stack" }, list.map(frameLine)) : null,
      ),
    );
    this.detail.firstChild.focus();
  }

  paint(chart) {
    const { pair } = this;
    if (!pair) return;
    const series = [];
    const entries = [];
    let most = 1;
    let end = 1;
    for (const [name, course, dash] of [
      ["old", pair.old, [5, 4]],
      ["new", pair.new, null],
    ]) {
      if (!course || course.t.length === 0) continue;
      end = Math.max(end, course.t[course.t.length - 1]);
      most = Math.max(most, ...course.virtual);
      for (const figure of ["virtual", ...(course.sampled ? ["resident"] : [])]) {
        const values = course[figure];
        const swatch = color(figure);
        series.push({
          name: `${figure}, ${name}`,
          type: "line",
          step: "end",
          symbol: "none",
          silent: true,
          data: course.t.map((time, index) => [time, values[index]]),
          lineStyle: { width: dash ? 1.5 : 2, type: dash || "solid", color: swatch, opacity: dash ? 0.7 : 1 },
        });
        entries.push([`${figure}, ${name}`, swatch, values[values.length - 1]]);
      }
    }
    chart.setOption(
      {
        animation: false,
        grid: { left: 64, right: 16, top: 12, bottom: 28 },
        xAxis: {
          type: "value",
          min: 0,
          max: end,
          ...axisStyle(),
          splitLine: { show: false },
          axisLabel: { ...axisStyle().axisLabel, formatter: (value) => instant(Math.round(value), end) },
        },
        yAxis: {
          type: "value",
          min: 0,
          ...byteSteps(most),
          ...axisStyle(),
          axisLabel: { ...axisStyle().axisLabel, formatter: (value) => bytes(value) },
        },
        tooltip: tip(
          (points) =>
            points.length === 0
              ? null
              : h(
                  "div",
                  {},
                  h("div", { class: "dim" }, moment(points[0].axisValue)),
                  points.map((point) => tipLine(point.seriesName, bytes(point.data[1]))),
                ),
          { trigger: "axis" },
        ),
        series,
      },
      { notMerge: true },
    );
    this.canvas.setAttribute(
      "aria-label",
      `Courses of ${pair.name}: virtual ${bytes(pair.virtual.old)} before, ${bytes(pair.virtual.new)} after.`,
    );
    legend(this.legend, entries);
  }
}
