// The flame graph: what lives, grew, was touched or is resident, by call stack, outermost frame on top or innermost.

import { drawing, fit, legend, tip, tipLine } from "./chart.js";
import { at, DATA, RESERVED, TOUCHED, virtualAt } from "./data.js";
import { fill, h, option, size } from "./dom.js";
import { boxesOf, treeOf, widest } from "./stacks.js";
import { color } from "./theme.js";
import { bytes, count, counted, moment, percent } from "./units.js";

const FLAME_ROW = 18;
// So many of the frames that are folded are named in the tip.
const NAMED = 12;

const FLAME_MODES = [
  ["lives", "what lives"],
  ["grew", "what grew"],
  ["touched", "what was touched"],
  ["resident", "what is resident"],
];

export class Flame {
  constructor(element, select) {
    this.select = select;
    this.mode = "lives";
    this.query = "";
    this.path = [];
    // Until somebody zooms it is zoomed to the widest branch; until one is chosen, a window shows what grew.
    this.zoomed = false;
    this.asked = false;
    this.inverted = false;
    this.opened = new Set();
    this.cursor = null;
    this.modes = h("select", {
      id: "flame-mode",
      "aria-label": "Flame graph of",
      change: () => {
        this.mode = this.modes.value;
        this.asked = true;
        this.make();
      },
    });
    this.invert = h(
      "button",
      {
        type: "button",
        id: "flame-invert",
        "aria-pressed": "false",
        title: "innermost frames on top: who asks, whoever called it",
        click: () => {
          this.inverted = !this.inverted;
          this.invert.setAttribute("aria-pressed", String(this.inverted));
          this.start();
          this.make();
        },
      },
      "Invert",
    );
    this.all = h("input", { type: "checkbox", id: "flame-all", change: () => this.make() });
    this.colors = h("div", { class: "legend", id: "flame-colors" });
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
      h(
        "div",
        { class: "tools" },
        h("label", {}, "Show ", this.modes),
        this.search,
        this.reset,
        this.invert,
        h("label", {}, this.all, " every frame"),
      ),
      this.total,
      this.colors,
      this.canvas,
      this.said,
      this.note,
    );
    this.process = null;
    this.drawn = drawing(this.canvas, (chart) => this.paint(chart));
    this.drawn.chart.on("click", ({ data }) => this.enter(this.boxes[data[4]].node));
  }

  // As another process is looked at first.
  start() {
    this.path = [];
    this.zoomed = false;
    this.opened.clear();
  }

  show(process, window) {
    this.process = process;
    this.window = window;
    const possible = FLAME_MODES.filter(
      ([mode]) =>
        (mode !== "resident" || (!window && process.resident)) && (mode !== "touched" || DATA.faults === "each"),
    );
    if (!this.asked) this.mode = window ? "grew" : "lives";
    if (!possible.some(([mode]) => mode === this.mode)) this.mode = "lives";
    fill(
      this.modes,
      possible.map(([mode, words]) => option(mode, words, this.mode)),
    );
    this.modes.value = this.mode;
    this.make();
  }

  // Of what is told to have grown: of the window, or of all that is known.
  span() {
    return this.window || { from: this.process.from, to: this.process.to };
  }

  // What a site counts for; null: not known.
  value(one) {
    const { window } = this;
    if (this.mode === "grew") {
      const { from, to } = this.span();
      const live = at(one, to, RESERVED);
      return live === null ? null : Math.max(0, live - at(one, from, RESERVED));
    }
    if (!window) return { lives: one.reserved, touched: one.touched, resident: one.resident }[this.mode];
    return at(one, window.to, this.mode === "touched" ? TOUCHED : RESERVED);
  }

  // What the sites should add up to; null: no such figure.
  whole() {
    const { process, window } = this;
    if (this.mode === "lives") return window ? virtualAt(process, window.to) : process.virtual.end;
    if (this.mode === "resident") return process.resident.end;
    return null;
  }

  make() {
    const whole = this.whole();
    const name = this.window
      ? "without a course"
      : this.mode === "resident"
        ? "resident, of no site known"
        : "of no site";
    const made = treeOf(this.process.sites, (one) => this.value(one), {
      rest: whole === null ? null : { name, bytes: (known) => whole - known },
      inverted: this.inverted,
    });
    Object.assign(this, made);
    const { from, to } = this.span();
    this.shrank =
      this.mode === "grew"
        ? this.process.sites.reduce(
            (all, one) => all + Math.max(0, (at(one, from, RESERVED) ?? 0) - (at(one, to, RESERVED) ?? 0)),
            0,
          )
        : 0;
    // The same place in the new tree, as far as it is there.
    const keys = this.zoomed ? this.path : widest(this.root);
    this.path = [];
    let node = this.root;
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

  layout() {
    const width = Math.max(1, this.canvas.clientWidth);
    const folds = !this.all.checked && this.query === "";
    const { boxes, hidden, depth } = boxesOf(this.root, this.path, { width, folds, opened: this.opened });
    Object.assign(this, { boxes, hidden, depth });
    this.canvas.style.height = `${this.depth * FLAME_ROW + 4}px`;
  }

  matches(node) {
    if (node.nodes) return node.nodes.some((one) => this.matches(one));
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
    const when =
      this.window || this.mode === "grew"
        ? ` ${this.mode === "grew" ? `from ${moment(this.span().from)} to` : "at"} ${moment(this.span().to)}`
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
    if (this.path.length > 0) {
      const here = this.focus();
      this.total.append(
        ` · zoomed to ${here.name}: `,
        size(here.value, "flame.zoomed"),
        `, ${percent(here.value, this.root.value)}`,
      );
    }
    if (this.query !== "" && this.matched() === 0) this.total.append(` · no frame is called “${this.search.value}”`);
    const parts = [];
    if (this.root.value === 0) parts.push({ grew: "Nothing grew." }[this.mode] || "There is nothing.");
    if (this.unknown > 0) parts.push(`Of ${counted(this.unknown, "call site", "call sites")} this is not known.`);
    if (this.over > 0)
      parts.push(`The sites add up to ${bytes(this.over)} more than the process: their courses are thinned.`);
    if (this.hidden > 0)
      parts.push(
        `${counted(this.hidden, "frame is", "frames are")} narrower than a pixel and not drawn with what is below: zoom in.`,
      );
    if (this.window) parts.push("What is resident is known at the end of the trace only.");
    if (this.boxes.some(({ node }) => node.nodes))
      parts.push("⋯ stands for frames between that lead nowhere else from here: click it to see them.");
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
      fold: color("flame-faded"),
    };
    legend(this.colors, [
      ["native code", swatches.native],
      ["code of a runtime (JavaScript, Java, Python …)", swatches.jit],
      ["kernel", swatches.kernel],
      ["no stack", swatches.root],
    ]);
    const above = new Set();
    for (let one = this.focus().parent; one; one = one.parent) above.add(one);
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
                  opacity: above.has(node) ? 0.55 : 1,
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
                    fill: node.kind === "fold" ? color("ink") : color("flame-ink"),
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
      node.nodes
        ? [
            node.nodes.slice(0, NAMED).map((one) => h("div", { class: "dim" }, one.name)),
            node.nodes.length > NAMED ? h("div", { class: "dim" }, "…") : null,
          ]
        : null,
      tipLine("bytes", bytes(node.value)),
      tipLine("of all", percent(node.value, this.root.value)),
      node.sites > 0 ? tipLine("call sites", count(node.sites)) : null,
    );
  }

  pathOf(node) {
    const path = [];
    for (let one = node; one.parent; one = one.parent) path.unshift(one.key);
    return path;
  }

  enter(node) {
    if (node.nodes) {
      this.opened.add(node.first);
      this.cursor = null;
      this.drawn.redraw();
    } else if (node.ends && node.children.size === 0 && node.site) this.select(node.site.id);
    else this.zoom(this.pathOf(node));
  }

  zoom(path) {
    this.path = path;
    this.zoomed = true;
    this.layout();
    this.drawn.redraw();
    this.tell();
  }

  key(event) {
    const here = this.cursor || this.focus();
    const box = this.boxes.find(({ node }) => node === here);
    const beside = (step) => {
      const row = this.boxes.filter(({ depth }) => depth === box?.depth).sort((one, other) => one.from - other.from);
      return row[row.indexOf(box) + step]?.node;
    };
    const below = () => {
      const called = this.boxes.filter(({ parent }) => parent === box);
      return called.sort((one, other) => other.to - other.from - (one.to - one.from))[0]?.node;
    };
    const moves = {
      ArrowDown: below,
      ArrowUp: () => box?.parent?.node,
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
