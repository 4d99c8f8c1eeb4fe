// The course of a process: three lines, or a stack whose top is its virtual size; brushing sets the window.

import { axisStyle, byteSteps, drawing, legend, tip, tipLine } from "./chart.js";
import { DATA, RESERVED } from "./data.js";
import { fill, h, option, say } from "./dom.js";
import { touchedOf } from "./evidence.js";
import { stepsOf, subjectOf } from "./subject.js";
import { color, colorsOf, PALETTE, PLAIN } from "./theme.js";
import { bytes, count, counted, duration, instant, SECOND } from "./units.js";

const BANDS = 9;

export class Timeline {
  constructor(element, setWindow) {
    this.setWindow = setWindow;
    this.by = "lines";
    // What is shown of a process at first is what its verdict is about.
    this.asked = false;
    this.log = false;
    this.view = h(
      "select",
      {
        id: "stack-by",
        change: () => {
          this.by = this.view.value;
          this.asked = true;
          this.draw();
        },
      },
      option("about", "what the verdict is about"),
      option("lines", "virtual, touched, resident"),
      option("kind", "stacked by kind"),
      option("site", "stacked by call site"),
    );
    this.scale = h("input", {
      type: "checkbox",
      id: "timeline-log",
      change: () => {
        this.log = this.scale.checked;
        this.draw();
      },
    });
    this.scaleLabel = h("label", {}, this.scale, " log scale");
    const seconds = (id, label) =>
      h("input", {
        id,
        type: "number",
        min: "0",
        step: "any",
        "aria-label": label,
        class: "seconds",
        change: () => this.typed(),
      });
    this.from = seconds("window-from", "Window from, seconds");
    this.to = seconds("window-to", "Window to, seconds");
    this.clear = h("button", { type: "button", id: "window-clear", click: () => setWindow(null) }, "Clear window");
    this.canvas = h("div", { class: "canvas", id: "timeline-canvas", role: "img" });
    this.legend = h("div", { class: "legend" });
    this.note = h("p", { class: "dim", id: "timeline-note" });
    fill(
      element,
      h(
        "div",
        { class: "tools" },
        h("label", {}, "Show ", this.view),
        this.scaleLabel,
        h("span", { class: "spring" }),
        h("label", {}, "Window ", this.from),
        h("span", {}, "to"),
        this.to,
        h("span", {}, "s"),
        this.clear,
      ),
      this.canvas,
      this.legend,
      this.note,
    );
    this.process = null;
    this.window = null;
    this.drawn = drawing(this.canvas, (chart) => this.paint(chart));
    const chart = this.drawn.chart;
    chart.on("brushEnd", ({ areas }) => {
      if (areas.length === 0) return setWindow(null);
      const [from, to] = areas[0].coordRange.map(Math.round);
      setWindow({ from: Math.max(from, this.process.from), to: Math.min(to, this.process.to) });
    });
  }

  // In seconds of the trace.
  typed() {
    const read = (input, otherwise) => (input.value === "" ? otherwise : Math.round(Number(input.value) * SECOND));
    const from = Math.max(read(this.from, this.process.from), this.process.from);
    const to = Math.min(read(this.to, this.process.to), this.process.to);
    const bad = !(from < to);
    this.from.toggleAttribute("aria-invalid", bad);
    if (bad) say("The window ends before it begins.");
    else this.setWindow({ from, to });
  }

  show(process, window) {
    if (this.process !== process) {
      const about = subjectOf(process) !== null;
      [...this.view.options].find((one) => one.value === "about").hidden = !about;
      if (!this.asked || (this.by === "about" && !about)) this.by = about ? "about" : "lines";
      this.view.value = this.by;
    }
    this.process = process;
    this.window = window;
    this.clear.disabled = window === null;
    this.from.value = window ? (window.from / SECOND).toFixed(3) : "";
    this.to.value = window ? (window.to / SECOND).toFixed(3) : "";
    this.from.placeholder = (process.from / SECOND).toFixed(1);
    this.to.placeholder = (process.to / SECOND).toFixed(1);
    this.draw();
  }

  draw() {
    this.scaleLabel.hidden = this.by !== "lines";
    this.drawn.redraw();
  }

  paint(chart) {
    const { process } = this;
    if (!process) return;
    const about = this.by === "about" ? subjectOf(process) : null;
    const stacked = this.by === "kind" || this.by === "site";
    const parts = about ? about.parts : stacked ? this.bands() : this.lines();
    this.parts = parts;
    const t = about ? about.t : process.timeline.t;
    this.times = t;
    const log = this.by === "lines" && this.log;
    const most = about
      ? parts.reduce((all, part) => part.values.reduce((one, other) => Math.max(one, other ?? 0), all), 1)
      : Math.max(1, ...process.timeline.virtual, process.virtual.end);
    chart.setOption(
      {
        animation: false,
        grid: { left: 64, right: 16, top: 12, bottom: 28 },
        xAxis: {
          type: "value",
          min: process.from,
          max: Math.max(process.to, process.from + 1),
          ...axisStyle(),
          axisLabel: {
            ...axisStyle().axisLabel,
            formatter: (value) => instant(Math.round(value), process.to - process.from),
          },
          splitLine: { show: false },
        },
        yAxis: {
          type: log ? "log" : "value",
          logBase: 2,
          ...axisStyle(),
          axisLabel: { ...axisStyle().axisLabel, formatter: (value) => bytes(Math.round(value)) },
          ...(log ? {} : { min: 0, ...byteSteps(most) }),
        },
        tooltip: tip((points) => this.tipAt(points), {
          trigger: "axis",
          axisPointer: { type: "line", lineStyle: { color: color("dim") } },
        }),
        brush: {
          xAxisIndex: 0,
          brushType: "lineX",
          brushMode: "single",
          transformable: true,
          throttleType: "debounce",
          throttleDelay: 100,
          toolbox: [],
          brushStyle: { color: color("brush"), borderColor: color("accent"), borderWidth: 1 },
          outOfBrush: { colorAlpha: 1 },
          inBrush: { colorAlpha: 1 },
        },
        // A stack is painted from its top down, each band over what is above it.
        series: [
          ...(stacked ? [...parts].reverse() : parts).map((part) => ({
            name: part.name,
            type: "line",
            step: "end",
            symbol: "none",
            silent: true,
            z: about && part === parts[0] ? 3 : 2,
            data: t.map((time, index) => [
              time,
              stacked ? part.top[index] : log && part.values[index] === 0 ? null : part.values[index],
              part.values[index],
            ]),
            lineStyle: { width: stacked ? 0 : 2, color: part.color },
            areaStyle: stacked
              ? { color: part.color, opacity: 1 }
              : part.name === "virtual" || about
                ? { color: part.color, opacity: 0.08 }
                : undefined,
          })),
          ...(this.by === "lines" ? [this.steps()] : []),
        ],
      },
      { notMerge: true },
    );
    chart.dispatchAction({
      type: "takeGlobalCursor",
      key: "brush",
      brushOption: { brushType: "lineX", brushMode: "single" },
    });
    if (this.window)
      chart.dispatchAction({
        type: "brush",
        areas: [{ brushType: "lineX", xAxisIndex: 0, coordRange: [this.window.from, this.window.to] }],
      });
    legend(
      this.legend,
      parts.map((part) => [part.name, part.color, part.end]),
    );
    this.canvas.setAttribute(
      "aria-label",
      `Course of ${process.name}: ${bytes(process.virtual.start)} virtual at the start, ${bytes(process.virtual.end)} at the end. The window can be typed above.`,
    );
    this.note.textContent = this.noted(t);
  }

  // What made the curve step, written beside it.
  steps() {
    const { process } = this;
    const span = Math.max(1, process.to - process.from);
    const room = Math.max(120, (this.canvas.clientWidth - 80) * 0.5);
    return {
      name: "steps",
      type: "line",
      silent: true,
      symbol: "circle",
      symbolSize: 7,
      lineStyle: { width: 0 },
      z: 5,
      data: stepsOf(process).map((step) => {
        const left = step.time - process.from > span * 0.5;
        return {
          value: [step.time, step.value],
          itemStyle: { color: color(step.bad ? "bad" : "virtual") },
          label: {
            show: true,
            formatter: () => step.text,
            position: left ? "left" : "right",
            offset: left ? [-4, 0] : [6, 16],
            // A long one is broken; a short one needs no box, which would be painted over the curve.
            ...(step.text.length * 6.5 > room ? { width: room, overflow: "break" } : {}),
            color: color("ink"),
            backgroundColor: color("surface"),
            padding: [1, 3],
            fontSize: 12,
            lineHeight: 15,
          },
        };
      }),
    };
  }

  lines() {
    const { process } = this;
    const { timeline } = process;
    const parts = [{ name: "virtual", color: color("virtual"), values: timeline.virtual, end: process.virtual.end }];
    if (DATA.faults === "each")
      parts.push({ name: "touched", color: color("touched"), values: timeline.touched, end: touchedOf(process) });
    if (process.resident) {
      // Nothing is known before the first look.
      const first = timeline.resident.findIndex((value) => value > 0);
      parts.push({
        name: "resident",
        color: color("resident"),
        values: timeline.resident.map((value, index) => (index < first ? null : value)),
        end: process.resident.end,
      });
    }
    return parts;
  }

  // Sums of the sites' courses at the times of the process's own; what is left to it is a band of its own.
  bands() {
    const { process } = this;
    const { t, virtual } = process.timeline;
    const colors = colorsOf(process);
    const groups = new Map();
    for (const one of process.sites) {
      const times = one.course[0];
      if (times.length === 0) continue;
      const name = this.by === "kind" ? one.kind : `${one.who} ${one.key}`;
      if (!groups.has(name)) groups.set(name, { name, kind: one.kind, values: new Array(t.length).fill(0), most: 0 });
      const group = groups.get(name);
      for (let index = 0, next = 0; index < t.length; index += 1) {
        while (next < times.length && times[next] <= t[index]) next += 1;
        if (next > 0) group.values[index] += one.course[RESERVED][next - 1];
      }
    }
    const ranked = [...groups.values()];
    for (const group of ranked) group.most = group.values.reduce((one, other) => Math.max(one, other), 0);
    ranked.sort((one, other) => other.most - one.most);
    // One more is no others.
    const shown = ranked.length === BANDS + 1 ? BANDS + 1 : BANDS;
    const bands = ranked.slice(0, shown);
    const small = ranked.slice(shown);
    if (small.length > 0) {
      const values = t.map((_, index) => small.reduce((all, group) => all + group.values[index], 0));
      bands.push({ name: `${count(small.length)} others`, kind: "others", values });
    }
    const rest = t.map((_, index) => virtual[index] - bands.reduce((all, band) => all + band.values[index], 0));
    // Courses are thinned: for a moment they may tell of more than there was. The largest band gives way.
    this.over = { times: 0, most: 0 };
    rest.forEach((left, index) => {
      if (left >= 0) return;
      this.over.times += 1;
      this.over.most = Math.max(this.over.most, -left);
      const by_size = [...bands].sort((one, other) => other.values[index] - one.values[index]);
      for (const band of by_size) {
        const taken = Math.min(band.values[index], -rest[index]);
        band.values[index] -= taken;
        rest[index] += taken;
      }
    });
    if (rest.some((left) => left > 0)) bands.push({ name: "without a course", kind: "rest", values: rest });
    const own = this.by === "kind";
    const top = new Array(t.length).fill(0);
    return bands.map((band, index) => ({
      name: band.name,
      color:
        PLAIN[band.kind] && (own || band.kind === "others" || band.kind === "rest")
          ? PLAIN[band.kind]
          : own
            ? colors.get(band.kind)
            : PALETTE[index % PALETTE.length],
      values: band.values,
      top: band.values.map((value, time) => (top[time] += value)),
      end: band.values[band.values.length - 1],
    }));
  }

  tipAt(points) {
    if (points.length === 0) return null;
    const index = points[0].dataIndex;
    const { virtual } = this.process.timeline;
    const stacked = this.by === "kind" || this.by === "site";
    const shown = this.parts
      .map((part) => [part, part.values[index]])
      .filter(([, value]) => value !== null && (value > 0 || !stacked));
    return h(
      "div",
      {},
      h("div", { class: "dim" }, instant(this.times[index], this.process.to - this.process.from)),
      shown.map(([part, value]) => tipLine(part.name, bytes(value), part.color)),
      !stacked ? null : tipLine("virtual, all of it", bytes(virtual[index])),
    );
  }

  noted(t) {
    const parts = [];
    if (this.by === "about")
      parts.push(
        "Only what the verdict is about, to its own scale: “virtual, touched, resident” shows the whole process.",
      );
    else if (t.length > 1) {
      const step = (t[t.length - 1] - t[0]) / (t.length - 1);
      parts.push(
        `Drawn from ${count(t.length)} points, ${duration(Math.round(step))} apart on average: what came and went between two of them is not seen here; the peak above is exact.`,
      );
    }
    if (this.by === "kind" || this.by === "site") {
      const without = this.process.sites.filter((one) => one.course[0].length === 0).length;
      if (without > 0) parts.push(`${counted(without, "call site has", "call sites have")} no course.`);
      if (this.over.times > 0)
        parts.push(
          `At ${counted(this.over.times, "point", "points")} the thinned courses add up to more than there was, by up to ${bytes(this.over.most)}: the largest band is drawn smaller by that.`,
        );
    }
    parts.push("Times are of the trace, in all of this report. Drag over the curve to set the window.");
    return parts.join(" ");
  }
}
