// The address space as a map: reservations in the order of their addresses, to scale, over several lines.

import { drawing, legend, tip, tipLine } from "./chart.js";
import { DATA, sum } from "./data.js";
import { fill, h } from "./dom.js";
import { color, colorsOf, PLAIN } from "./theme.js";
import { bytes, count, counted, moment } from "./units.js";

const MAP_ROW = 26;
const MAP_ROWS = 8;
// Narrower ones are drawn together with their neighbours, pixels.
const MAP_LEAST = 2;

export class AddressMap {
  constructor(element, select) {
    this.select = select;
    this.log = false;
    this.cells = [];
    this.cursor = -1;
    this.scale = h("input", {
      type: "checkbox",
      id: "map-log",
      change: () => {
        this.log = this.scale.checked;
        this.cursor = -1;
        this.drawn.redraw();
      },
    });
    this.said = h("span", { class: "dim", id: "map-said", role: "status" });
    this.canvas = h("div", {
      class: "canvas",
      id: "map-canvas",
      tabindex: "0",
      role: "application",
      "aria-label": "Map of the address space: arrow keys move, Enter selects the call site",
      keydown: (event) => this.key(event),
    });
    this.canvas.style.height = `${MAP_ROWS * MAP_ROW + 4}px`;
    this.legend = h("div", { class: "legend" });
    this.note = h("p", { class: "dim", id: "map-note" });
    fill(
      element,
      h("div", { class: "tools" }, h("label", {}, this.scale, " log scale"), h("span", { class: "spring" }), this.said),
      this.canvas,
      this.legend,
      this.note,
    );
    this.process = null;
    this.drawn = drawing(this.canvas, (chart) => this.paint(chart));
    this.drawn.chart.on("click", ({ data }) => this.pick(data[5]));
  }

  show(process, window, chosen) {
    if (process !== this.process || window !== this.window) this.cursor = -1;
    this.process = process;
    this.window = window;
    this.chosen = chosen;
    this.drawn.redraw();
  }

  held() {
    const { held } = this.process;
    return this.window ? held.filter((one) => one.born === null || one.born <= this.window.to) : held;
  }

  // Neighbours too narrow to be seen are one cell.
  layout(width) {
    const held = this.held();
    const weight = this.log ? (bytes) => Math.log2(1 + bytes / 4096) : (bytes) => bytes;
    const room = width * MAP_ROWS;
    const all = held.reduce((sum, one) => sum + weight(one.reserved), 0) || 1;
    const scale = room / all;
    this.cells = [];
    let open = null;
    let x = 0;
    for (const one of held) {
      const wide = weight(one.reserved) * scale;
      const gap = open && one.start - open.end;
      if (open && open.width < MAP_LEAST) {
        open.members.push(one);
        open.width += wide;
        open.end = one.start + BigInt(one.length);
      } else {
        open = { x, width: wide, members: [one], gap, end: one.start + BigInt(one.length) };
        this.cells.push(open);
      }
      x += wide;
    }
    for (const cell of this.cells) {
      cell.main = cell.members.reduce((one, other) => (other.reserved > one.reserved ? other : one));
      cell.reserved = sum(cell.members, (one) => one.reserved);
      cell.touched = sum(cell.members, (one) => one.touched);
      cell.count = sum(cell.members, (one) => one.count);
    }
    return held;
  }

  paint(chart) {
    if (!this.process) return;
    const width = Math.max(1, this.canvas.clientWidth - 2);
    const held = this.layout(width);
    const colors = colorsOf(this.process);
    const { cells } = this;
    const pieces = [];
    cells.forEach((cell, index) => {
      let { x, width: left } = cell;
      while (left > 0.01) {
        const row = Math.min(MAP_ROWS - 1, Math.floor((x + 0.005) / width));
        const from = x - row * width;
        const piece = Math.min(left, Math.max(0.02, width - from));
        pieces.push([
          from,
          row,
          piece,
          cell.touched === null ? 0 : cell.touched / Math.max(1, cell.reserved),
          colors.get(cell.main.site ? cell.main.site.kind : "") || PLAIN.others,
          index,
        ]);
        x += piece;
        left -= piece;
      }
    });
    const ink = color("ink");
    const chosen = this.chosen;
    chart.setOption(
      {
        animation: false,
        grid: { left: 1, right: 1, top: 2, bottom: 2 },
        xAxis: { type: "value", min: 0, max: width, show: false },
        yAxis: { type: "value", min: 0, max: MAP_ROWS, inverse: true, show: false },
        tooltip: tip(({ data }) => this.tipOf(cells[data[5]]), { trigger: "item" }),
        series: [
          {
            type: "custom",
            data: pieces,
            encode: { x: 0, y: 1 },
            progressive: 0,
            renderItem: (parameters) => {
              const [from, row, piece, touched, swatch, index] = pieces[parameters.dataIndex];
              const wide = Math.max(0.5, piece - (piece > 3 ? 1 : 0));
              const high = MAP_ROW - 4;
              const filled = touched > 0 ? Math.max(1.5, touched * high) : 0;
              const box = { x: 1 + from, y: 2 + row * MAP_ROW, width: wide, height: high };
              const cell = cells[index];
              const isChosen = chosen !== null && cell.members.some((one) => one.site && one.site.id === chosen);
              const marked = index === this.cursor || isChosen;
              return {
                type: "group",
                children: [
                  { type: "rect", shape: box, style: { fill: swatch, opacity: 0.3 } },
                  {
                    type: "rect",
                    shape: { ...box, y: box.y + high - filled, height: filled },
                    style: { fill: swatch },
                    silent: true,
                  },
                  ...(marked
                    ? [
                        {
                          type: "rect",
                          shape: { x: box.x, y: box.y, width: Math.max(2, wide), height: high },
                          style: { fill: "none", stroke: ink, lineWidth: index === this.cursor ? 3 : 2 },
                          silent: true,
                          z2: 10,
                        },
                      ]
                    : []),
                ],
              };
            },
          },
        ],
      },
      { notMerge: true },
    );
    legend(
      this.legend,
      [...colors]
        .filter(([kind]) => held.some((one) => one.site && one.site.kind === kind))
        .map(([kind, swatch]) => [kind, swatch]),
    );
    const merged = this.cells.filter((cell) => cell.count > 1);
    const shown = sum(held, (one) => one.count) || 0;
    const parts = [
      `${counted(shown, "reservation", "reservations")}, ${bytes(sum(held, (one) => one.reserved))}, in the order of their addresses; the gaps between them are left out. Filled: touched${DATA.faults === "each" ? "" : " (not known)"}.`,
    ];
    if (merged.length > 0)
      parts.push(
        `${counted(
          sum(merged, (cell) => cell.count),
          "reservation is",
          "reservations are",
        )} too narrow to be seen and drawn with neighbours, as ${counted(merged.length, "cell", "cells")}.`,
      );
    if (held.length < this.process.heldTotal && !this.window)
      parts.push(
        `The smallest of ${count(this.process.heldTotal)} were put together in the page: ${counted(held.length, "row is", "rows are")} left.`,
      );
    if (this.window)
      parts.push(
        "Of the window: those made by its end that were still there at the end of the trace, as they were then.",
      );
    this.note.textContent = parts.join(" ");
  }

  tipOf(cell) {
    if (!cell) return null;
    const { main } = cell;
    return h(
      "div",
      {},
      h(
        "div",
        { class: "dim" },
        `0x${main.start.toString(16)} – 0x${(main.start + BigInt(main.length)).toString(16)} ${main.protection}`,
      ),
      h("div", {}, h("b", {}, main.site ? `${main.site.key} ${main.site.who}` : "?")),
      h("div", { class: "dim" }, main.site ? main.site.kind : ""),
      main.name ? h("div", { class: "dim" }, main.name) : null,
      tipLine("reserved", bytes(main.reserved)),
      tipLine("accessible", bytes(main.accessible)),
      tipLine("touched", bytes(main.touched)),
      tipLine("resident", bytes(main.resident)),
      main.born === null ? null : tipLine("made at", moment(main.born)),
      cell.gap ? tipLine("gap before it", bytes(Number(cell.gap))) : null,
      cell.count > 1
        ? h(
            "div",
            { class: "warn-text" },
            `the largest of ${counted(cell.count, "neighbour", "neighbours")} drawn together, ${bytes(cell.reserved)}`,
          )
        : null,
    );
  }

  pick(index) {
    const cell = this.cells[index];
    if (cell?.main.site) this.select(cell.main.site.id);
  }

  key(event) {
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -this.cells.length, End: this.cells.length };
    if (event.key in steps && this.cells.length > 0) {
      this.cursor = Math.max(0, Math.min(this.cells.length - 1, this.cursor + steps[event.key]));
      const { main, count: members } = this.cells[this.cursor];
      this.said.textContent = `0x${main.start.toString(16)}: ${bytes(main.reserved)}, ${main.site ? `site ${main.site.key}, ${main.site.kind}` : "?"}${members > 1 ? `, and ${count(members - 1)} beside it` : ""}`;
      this.drawn.redraw();
      event.preventDefault();
    } else if (event.key === "Enter" && this.cursor >= 0) {
      this.pick(this.cursor);
      event.preventDefault();
    }
  }
}
