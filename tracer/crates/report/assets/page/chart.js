// What all drawings share: they follow their element's width and the theme, and have tips made of text.

import { fill, h, size } from "./dom.js";
import { color, redraws } from "./theme.js";

// `draw(chart)` sets everything anew. Returns the chart and how to have it drawn again.
export function drawing(element, draw) {
  const chart = echarts.init(element, null, { renderer: "canvas" });
  const redraw = () => {
    if (element.clientWidth > 0 && element.clientHeight > 0) {
      fit(chart, element);
      draw(chart);
    }
  };
  let width = 0;
  new ResizeObserver(() => {
    if (element.clientWidth === width) return;
    width = element.clientWidth;
    redraw();
  }).observe(element);
  redraws.add(redraw);
  return {
    chart,
    redraw,
    forget: () => {
      redraws.delete(redraw);
      chart.dispose();
    },
  };
}

// A chart draws all of it again when it is given a size: only if it is another one.
export function fit(chart, element) {
  const [width, height] = [element.clientWidth, element.clientHeight];
  if (chart.getWidth() !== width || chart.getHeight() !== height) chart.resize({ width, height, silent: true });
}

export function axisStyle() {
  return {
    axisLine: { lineStyle: { color: color("line") } },
    axisTick: { lineStyle: { color: color("line") } },
    axisLabel: { color: color("dim"), fontSize: 11, hideOverlap: true },
    splitLine: { lineStyle: { color: color("faint") } },
  };
}

// The chart shows what `content` returns: an element, never a string, which would be read as markup.
export function tip(content, more) {
  return {
    confine: true,
    transitionDuration: 0,
    backgroundColor: color("raised"),
    borderColor: color("line"),
    padding: [8, 10],
    textStyle: { color: color("ink"), fontSize: 12 },
    formatter: (parameters) => content(parameters) || h("span", {}),
    ...more,
  };
}

export function tipLine(name, value, swatch) {
  const mark = h("span", { class: "swatch" });
  if (swatch) mark.style.background = swatch;
  return h("div", { class: "tip-line" }, swatch ? mark : null, h("span", {}, name), h("b", {}, value));
}

// Round steps of binary sizes for an axis.
export function byteSteps(most) {
  let step = 1;
  while (most / step > 5) step *= 2;
  return { max: Math.max(step, Math.ceil(most / step) * step), interval: step };
}

// A legend that is text.
export function legend(element, entries) {
  fill(
    element,
    entries.map(([name, swatch, value]) => {
      const mark = h("span", { class: "swatch" });
      mark.style.background = swatch;
      return h("span", { class: "legend-entry" }, mark, name, value === undefined ? null : [" ", size(value)]);
    }),
  );
}
