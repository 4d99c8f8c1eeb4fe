// One call site in full.

import { axisStyle, byteSteps, drawing } from "./chart.js";
import { at, DATA, DOUBT, frames, RESERVED, TOUCHED } from "./data.js";
import { badge, copy, fill, h, size } from "./dom.js";
import { color } from "./theme.js";
import { bytes, count, counted, duration, instant, moment } from "./units.js";

export class Detail {
  constructor(element, close) {
    this.element = element;
    this.close = close;
  }

  show(process, one) {
    if (this.drawn) this.drawn.forget();
    this.drawn = null;
    this.element.hidden = one === null;
    document.body.classList.toggle("with-site", one !== null);
    if (one === null) return;
    const figures = ["reserved", "accessible", "touched", "resident", "charged", "peak", "released"].map((name) => [
      h("dt", {}, name),
      h("dd", {}, size(one[name], `site.${name}`)),
    ]);
    const canvas = h("div", { class: "canvas small-canvas", role: "img", "aria-label": "Course of the call site" });
    const list = frames(one.stack);
    fill(
      this.element,
      h(
        "div",
        { class: "drawer-head" },
        h("h2", {}, `Site ${one.key}`),
        h(
          "button",
          { type: "button", id: "site-close", class: "round", "aria-label": "Close", click: this.close },
          "×",
        ),
      ),
      h("p", { class: "title" }, one.who),
      one.location ? h("p", { class: "dim" }, one.location) : null,
      one.callers.length > 0 ? h("p", { class: "dim" }, `← ${one.callers.join("  ← ")}`) : null,
      this.pattern(one),
      h(
        "dl",
        { class: "figures" },
        figures,
        h("dt", {}, "live / calls"),
        h("dd", {}, `${count(one.live)} / ${count(one.calls)}`),
        h("dt", {}, "first, last"),
        h("dd", {}, `${moment(one.first)}, ${moment(one.last)}`),
        h("dt", {}, "trend"),
        h(
          "dd",
          {},
          one.trend +
            (one.growth
              ? `, ${bytes(one.growth.median)}/h (${bytes(one.growth.low)} to ${bytes(one.growth.high)})`
              : ""),
        ),
        one.lifetime
          ? [
              h("dt", {}, "lived"),
              h(
                "dd",
                {},
                `half up to ${duration(one.lifetime[0])}, 99 % up to ${duration(one.lifetime[2])}, longest ${duration(one.lifetime[3])}`,
              ),
            ]
          : null,
        one.size
          ? [h("dt", {}, "sizes"), h("dd", {}, `half up to ${bytes(one.size[0])}, largest ${bytes(one.size[3])}`)]
          : null,
        one.threads.length > 0 ? [h("dt", {}, "threads"), h("dd", {}, one.threads.join(", "))] : null,
      ),
      h("h3", {}, "Course"),
      one.course[0].length > 0 ? canvas : h("p", { class: "dim" }, "No course is known of it."),
      this.touchers(one),
      h("h3", {}, `Stack${list.length > 0 ? `, ${counted(list.length, "frame", "frames")}, innermost first` : ""}`),
      DOUBT[one.quality] && !one.preExisting ? h("p", { class: "warn-text" }, DOUBT[one.quality]) : null,
      list.length > 0
        ? [
            h(
              "button",
              {
                type: "button",
                class: "small",
                id: "stack-copy",
                click: () =>
                  copy(
                    list.map((part) => `${[part.name, part.location].filter(Boolean).join("  ")}\n`).join(""),
                    "the stack",
                  ),
              },
              "Copy stack",
            ),
            h("ol", { class: "stack", id: "stack" }, list.map(frameLine)),
          ]
        : h(
            "p",
            { class: "dim" },
            one.preExisting
              ? "It was there before tracing began, or the kernel made it at exec: no call was seen."
              : "None.",
          ),
    );
    if (one.course[0].length > 0) this.drawn = drawing(canvas, (chart) => paintCourse(chart, process, one));
    this.element.scrollTop = 0;
  }

  pattern(one) {
    const { pattern } = one;
    if (!pattern) return h("p", { class: "dim" }, one.kind);
    const items = (head, list) =>
      list.length > 0
        ? [
            h("h4", {}, head),
            h(
              "ul",
              {},
              list.map((words) => h("li", {}, words)),
            ),
          ]
        : null;
    return h(
      "section",
      { class: "card" },
      h(
        "p",
        {},
        h("b", {}, pattern.name),
        " ",
        badge(pattern.level),
        h("span", { class: "dim" }, ` ${(pattern.confidence * 100).toFixed(0)} % sure`),
      ),
      pattern.meaning ? h("p", {}, pattern.meaning) : null,
      items("What speaks for it", pattern.evidence),
      items("What to do", pattern.advice),
      pattern.knob
        ? h(
            "p",
            {},
            "Changes it: ",
            h("code", {}, pattern.knob),
            pattern.knob_effect ? h("span", { class: "dim" }, ` (${pattern.knob_effect})`) : null,
          )
        : null,
      pattern.source ? h("p", { class: "dim" }, `Known from ${pattern.source}`) : null,
    );
  }

  touchers(one) {
    if (one.touchers.length === 0) return null;
    return [
      h("h3", {}, "Touched first by"),
      h("p", { class: "dim" }, `An estimate, from the stacks of 1 page fault in ${count(one.touchers[0].one_in)}.`),
      h(
        "ul",
        {},
        one.touchers.map((touch) => {
          const [inner] = frames(touch.stack);
          return h(
            "li",
            {},
            size(touch.estimated, "toucher"),
            " ",
            inner ? inner.name : "unknown code",
            h(
              "span",
              { class: "dim" },
              ` ${inner ? inner.location : ""} (${counted(touch.faults, "fault", "faults")})`,
            ),
          );
        }),
      ),
    ];
  }
}

export function frameLine(part) {
  return h(
    "li",
    { class: part.kind },
    h("span", { class: "title" }, part.name),
    part.inlined ? h("span", { class: "dim" }, " inlined") : null,
    part.kind === "native" ? null : h("span", { class: "badge plain" }, part.kind),
    part.location ? h("div", { class: "dim" }, part.location) : null,
  );
}

function paintCourse(chart, process, one) {
  const [times] = one.course;
  const points = (figure) => [
    ...times.map((time, index) => [time, one.course[figure][index]]),
    [process.to, at(one, process.to, figure)],
  ];
  const line = (name, figure, swatch) => ({
    name,
    type: "line",
    step: "end",
    symbol: "none",
    silent: true,
    data: points(figure),
    lineStyle: { width: 1.5, color: swatch },
    areaStyle: { color: swatch, opacity: 0.1 },
  });
  chart.setOption(
    {
      animation: false,
      grid: { left: 58, right: 8, top: 8, bottom: 22 },
      xAxis: {
        type: "value",
        min: process.from,
        max: Math.max(process.to, process.from + 1),
        ...axisStyle(),
        splitLine: { show: false },
        splitNumber: 3,
        axisLabel: {
          ...axisStyle().axisLabel,
          formatter: (value) => instant(Math.round(value), process.to - process.from),
        },
      },
      yAxis: {
        type: "value",
        min: 0,
        ...byteSteps(Math.max(1, ...one.course[RESERVED])),
        ...axisStyle(),
        axisLabel: { ...axisStyle().axisLabel, formatter: (value) => bytes(value) },
      },
      series: [
        line("reserved", RESERVED, color("virtual")),
        ...(DATA.faults === "each" ? [line("touched", TOUCHED, color("touched"))] : []),
      ],
    },
    { notMerge: true },
  );
}
