// The flame graph: what lives, grew, was touched or is resident, by call stack, outermost frame on top.

import { drawing, fit, tip, tipLine } from "./chart.js";
import { at, DATA, frames, RESERVED, TOUCHED, virtualAt } from "./data.js";
import { fill, h, option, size } from "./dom.js";
import { color } from "./theme.js";
import { bytes, count, counted, moment, percent } from "./units.js";

const FLAME_ROW = 18;
// Narrower frames are not drawn, pixels.
const FLAME_LEAST = 1;

const FLAME_MODES = [
  ["lives", "what lives"],
  ["grew", "what grew in the window"],
  ["touched", "what was touched"],
  ["resident", "what is resident"],
];

export class Flame {
  constructor(element, select) {
    this.select = select;
    this.mode = "lives";
    this.query = "";
    this.path = [];
    this.cursor = null;
    this.modes = h("select", {
      id: "flame-mode",
      "aria-label": "Flame graph of",
      change: () => {
        this.mode = this.modes.value;
        this.make();
      },
    });
    this.search = h("input", {
      type: "search",
      id: "flame-search",
      class: "search",
      placeholder: "Search frames  f",
      "aria-label": "Search frames",
      input: () => {
        this.query = this.search.value.toLowerCase();
        this.drawn.redraw();
      },
    });
    this.reset = h("button", { type: "button", id: "flame-reset", click: () => this.zoom([]) }, "Reset zoom");
    this.total = h("p", { id: "flame-total", role: "status" });
    this.said = h("p", { class: "dim", id: "flame-said", role: "status" });
    this.canvas = h("div", {
      class: "canvas",
      id: "flame-canvas",
      tabindex: "0",
      role: "application",
      "aria-label": "Flame graph: arrow keys move, Enter zooms or selects, Escape zooms out",
      keydown: (event) => this.key(event),
    });
    this.note = h("p", { class: "dim", id: "flame-note" });
    fill(
      element,
      h("div", { class: "tools" }, h("label", {}, "Show ", this.modes), this.search, this.reset),
      this.total,
      h("div", { class: "flame-scroll" }, this.canvas),
      this.said,
      this.note,
    );
    this.process = null;
    this.drawn = drawing(this.canvas, (chart) => this.paint(chart));
    this.drawn.chart.on("click", ({ data }) => this.enter(this.boxes[data[4]].node));
  }

  show(process, window) {
    this.process = process;
    this.window = window;
    const possible = FLAME_MODES.filter(
      ([mode]) =>
        (mode !== "grew" || window) &&
        (mode !== "resident" || (!window && process.resident)) &&
        (mode !== "touched" || DATA.faults === "each"),
    );
    if (!possible.some(([mode]) => mode === this.mode)) this.mode = "lives";
    fill(
      this.modes,
      possible.map(([mode, words]) => option(mode, words, this.mode)),
    );
    this.modes.value = this.mode;
    this.make();
  }

  // What a site counts for; null: not known.
  value(one) {
    const { window } = this;
    if (!window) return { lives: one.reserved, touched: one.touched, resident: one.resident }[this.mode];
    if (this.mode === "touched") return at(one, window.to, TOUCHED);
    const live = at(one, window.to, RESERVED);
    if (this.mode === "lives" || live === null) return live;
    return Math.max(0, live - at(one, window.from, RESERVED));
  }

  // What the sites should add up to; null: no such figure.
  whole() {
    const { process, window } = this;
    if (this.mode === "lives") return window ? virtualAt(process, window.to) : process.ledger.bytes;
    if (this.mode === "resident") return process.resident.end;
    return null;
  }

  make() {
    const root = { name: "all", place: "", value: 0, children: new Map(), sites: 0, kind: "root" };
    const child = (node, key, name, place, kind) => {
      if (!node.children.has(key))
        node.children.set(key, { name, place, value: 0, children: new Map(), sites: 0, kind, parent: node });
      return node.children.get(key);
    };
    let unknown = 0;
    let shrank = 0;
    for (const one of this.process.sites) {
      const value = this.value(one);
      if (value === null) unknown += 1;
      if (this.mode === "grew")
        shrank += Math.max(0, (at(one, this.window.from, RESERVED) ?? 0) - (at(one, this.window.to, RESERVED) ?? 0));
      if (!value) continue;
      let node = root;
      const add = (next) => {
        node = next;
        node.value += value;
        node.sites += 1;
        node.site = one;
      };
      root.value += value;
      root.sites += 1;
      if (one.preExisting || one.stack === 0) {
        add(
          child(
            root,
            one.kind,
            one.preExisting
              ? "there at its start (pre-existing)"
              : one.calls === 0
                ? "no call seen (unexplained)"
                : "no stack",
            "",
            "root",
          ),
        );
        add(child(node, one.name, one.name || "anonymous", "", "root"));
      } else {
        for (const part of frames(one.stack).reverse()) add(child(node, part.key, part.short, part.module, part.kind));
      }
      node.ends = true;
    }
    const whole = this.whole();
    const rest = whole === null ? 0 : whole - root.value;
    if (rest > 0) {
      const name = this.window
        ? "without a course"
        : this.mode === "resident"
          ? "resident, of no site known"
          : "of no site";
      const node = child(root, "\0rest", name, "", "root");
      node.value = rest;
      root.value += rest;
    }
    this.root = root;
    this.unknown = unknown;
    this.shrank = shrank;
    this.over = whole === null ? 0 : Math.max(0, -rest);
    // The same place in the new tree, as far as it is there.
    const keys = this.path;
    this.path = [];
    let node = root;
    for (const key of keys) {
      if (!node.children.has(key)) break;
      node = node.children.get(key);
      this.path.push(key);
    }
    this.cursor = null;
    this.layout();
    this.drawn.redraw();
    this.tell();
  }

  focus() {
    let node = this.root;
    for (const key of this.path) node = node.children.get(key);
    return node;
  }

  // Boxes from 0 to 1 of the width: those above what is zoomed to are as wide as all.
  layout() {
    this.boxes = [];
    this.hidden = 0;
    const width = Math.max(1, this.canvas.clientWidth);
    let node = this.root;
    this.boxes.push({ node, depth: 0, from: 0, to: 1 });
    this.path.forEach((key, index) => {
      node = node.children.get(key);
      this.boxes.push({ node, depth: index + 1, from: 0, to: 1 });
    });
    const walk = (parent, depth, from, to) => {
      let x = from;
      const children = [...parent.children].sort(([, one], [, other]) => other.value - one.value);
      for (const [key, one] of children) {
        const next = x + ((to - from) * one.value) / parent.value;
        one.key = key;
        if ((next - x) * width >= FLAME_LEAST) {
          this.boxes.push({ node: one, depth, from: x, to: next });
          walk(one, depth + 1, x, next);
        } else {
          this.hidden += 1;
        }
        x = next;
      }
    };
    walk(node, this.path.length + 1, 0, 1);
    this.depth = this.boxes.reduce((most, box) => Math.max(most, box.depth), 0) + 1;
    this.canvas.style.height = `${this.depth * FLAME_ROW + 4}px`;
  }

  matches(node) {
    return this.query !== "" && `${node.name} ${node.place}`.toLowerCase().includes(this.query);
  }

  // Bytes under frames that match, each once.
  matched(node = this.root) {
    if (this.matches(node)) return node.value;
    let all = 0;
    for (const one of node.children.values()) all += this.matched(one);
    return all;
  }

  tell() {
    const whole = { lives: "live", grew: "grew", touched: "are touched", resident: "are resident" }[this.mode];
    const when = this.window
      ? ` ${this.mode === "grew" ? `from ${moment(this.window.from)} to` : "at"} ${moment(this.window.to)}`
      : "";
    fill(
      this.total,
      size(this.root.value, "flame.total"),
      ` ${whole}${when}, from ${counted(this.root.sites, "call site", "call sites")}`,
      this.mode === "grew" && this.shrank > 0
        ? [", while ", size(this.shrank, "flame.shrank"), " went elsewhere (not drawn)"]
        : null,
      this.query === ""
        ? null
        : [" · matched: ", size(this.matched(), "flame.matched"), `, ${percent(this.matched(), this.root.value)}`],
    );
    const parts = [];
    if (this.unknown > 0) parts.push(`Of ${counted(this.unknown, "call site", "call sites")} this is not known.`);
    if (this.over > 0)
      parts.push(`The sites add up to ${bytes(this.over)} more than the process: their courses are thinned.`);
    if (this.hidden > 0)
      parts.push(
        `${counted(this.hidden, "frame is", "frames are")} narrower than a pixel and not drawn with what is below: zoom in.`,
      );
    if (this.window) parts.push("What is resident is known at the end of the trace only.");
    parts.push("Click a frame to zoom; click a frame that called the kernel to see its call site.");
    this.note.textContent = parts.join(" ");
    this.reset.disabled = this.path.length === 0;
  }

  paint(chart) {
    if (!this.process || !this.root) return;
    this.layout();
    fit(chart, this.canvas);
    // What is drawn later still, at a change of size, is this tree and not the next one.
    const { boxes } = this;
    const width = this.canvas.clientWidth;
    const swatches = {
      native: color("flame-native"),
      jit: color("flame-script"),
      interpreted: color("flame-script"),
      kernel: color("flame-kernel"),
      root: color("flame-root"),
    };
    const [edge, strong, faded] = [color("surface"), color("ink"), color("flame-faded")];
    chart.setOption(
      {
        animation: false,
        grid: { left: 0, right: 0, top: 0, bottom: 0 },
        xAxis: { type: "value", min: 0, max: 1, show: false },
        yAxis: { type: "value", min: 0, max: this.depth, inverse: true, show: false },
        tooltip: tip(({ data }) => this.tipOf(boxes[data[4]].node), { trigger: "item" }),
        series: [
          {
            type: "custom",
            progressive: 0,
            encode: { x: [0, 1], y: 2 },
            data: boxes.map((box, index) => [box.from, box.to, box.depth, box.node.value, index]),
            renderItem: (parameters) => {
              const box = boxes[parameters.dataIndex];
              const { node } = box;
              const wide = (box.to - box.from) * width - (boxes.length > 1 ? 1 : 0);
              const fill = this.query === "" ? swatches[node.kind] : this.matches(node) ? color("flame-match") : faded;
              const marked = node === this.cursor;
              return {
                type: "rect",
                shape: {
                  x: box.from * width,
                  y: box.depth * FLAME_ROW,
                  width: Math.max(0.5, wide),
                  height: FLAME_ROW - 1,
                },
                style: {
                  fill,
                  stroke: marked ? strong : edge,
                  lineWidth: marked ? 2.5 : 0,
                  opacity: box.depth <= this.path.length && this.path.length > 0 && node !== this.focus() ? 0.55 : 1,
                },
                z2: marked ? 10 : 1,
                textConfig: { position: "insideLeft", distance: 4 },
                textContent: {
                  type: "text",
                  style: {
                    text: wide > 28 ? node.name : "",
                    width: Math.max(1, wide - 8),
                    overflow: "truncate",
                    ellipsis: "…",
                    fontSize: 11,
                    fill: color("flame-ink"),
                    fontFamily: "system-ui, sans-serif",
                  },
                  silent: true,
                },
              };
            },
          },
        ],
      },
      { notMerge: true },
    );
    this.tell();
  }

  tipOf(node) {
    return h(
      "div",
      { class: "wide-tip" },
      h("div", {}, h("b", {}, node.name)),
      node.place ? h("div", { class: "dim" }, node.place) : null,
      tipLine("bytes", bytes(node.value)),
      tipLine("of all", percent(node.value, this.root.value)),
      node.sites > 0 ? tipLine("call sites", count(node.sites)) : null,
    );
  }

  pathOf(node) {
    const path = [];
    for (let one = node; one.parent; one = one.parent)
      path.unshift([...one.parent.children].find(([, other]) => other === one)[0]);
    return path;
  }

  enter(node) {
    if (node.ends && node.children.size === 0 && node.site) this.select(node.site.id);
    else this.zoom(this.pathOf(node));
  }

  zoom(path) {
    this.path = path;
    this.layout();
    this.drawn.redraw();
    this.tell();
  }

  key(event) {
    const here = this.cursor || this.focus();
    const drawn = (node) => this.boxes.find((box) => box.node === node);
    const level = () => {
      const box = drawn(here);
      return box ? this.boxes.filter((one) => one.depth === box.depth).sort((one, other) => one.from - other.from) : [];
    };
    const beside = (step) => {
      const row = level();
      const next = row[row.findIndex((box) => box.node === here) + step];
      return next?.node;
    };
    const below = () => [...here.children.values()].filter(drawn).sort((one, other) => other.value - one.value)[0];
    const moves = {
      ArrowDown: below,
      ArrowUp: () => here.parent,
      ArrowLeft: () => beside(-1),
      ArrowRight: () => beside(1),
    };
    if (event.key in moves) {
      const next = moves[event.key]() || here;
      this.cursor = next;
      this.said.textContent = `${next.name}${next.place ? ` in ${next.place}` : ""}: ${bytes(next.value)}, ${percent(next.value, this.root.value)}`;
      this.drawn.redraw();
      event.preventDefault();
    } else if (event.key === "Enter") {
      this.enter(here);
      event.preventDefault();
    } else if (event.key === "Escape" && this.path.length > 0) {
      this.zoom([]);
      event.stopPropagation();
    }
  }
}
