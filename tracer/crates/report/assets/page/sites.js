// Call sites: their table, one of them in full, their lifetimes; and the table of reservations.

const GROUPS = [["site", "call site"], ["kind", "kind"], ["thread", "thread"], ["module", "module"]];
const TREND_ORDER = { growing: 3, churn: 2, settled: 1, "one-off": 0 };

const who = (row) => h("div", { class: "who-cell" }, h("div", { class: "title" }, breakable(row.who)), row.location ? h("div", { class: "dim" }, breakable(row.location)) : null);
const whoWords = (row) => [row.who, row.location].filter(Boolean).join(" ");
const kindCell = (row) => (row.pattern ? [row.pattern.name, " ", row.pattern.level === "unknown" ? null : badge(row.pattern.level)] : h("span", { class: "dim" }, row.kind));

function siteColumns() {
  return [
    columnOf.count("id", "site", (row) => row.id),
    columnOf.text("kind", "kind", (row) => row.kind, kindCell),
    columnOf.text("who", "whose doing", whoWords, who),
    columnOf.text("threads", "threads", (row) => row.threads.join(", ")),
    columnOf.bytes("reserved", "reserved", (row) => row.reserved, "alive at the end"),
    columnOf.bytes("accessible", "accessible", (row) => row.accessible, "of these, with a protection other than none"),
    columnOf.bytes("touched", "touched", (row) => row.touched, "of these, ever touched"),
    columnOf.bytes("resident", "resident", (row) => row.resident, "of these, in memory at the last look"),
    columnOf.bytes("charged", "charged", (row) => row.charged, "of these, charged against the commit limit"),
    columnOf.bytes("peak", "peak", (row) => row.peak, "the most alive at a time"),
    columnOf.bytes("released", "released", (row) => row.released, "given back in the course of the trace"),
    columnOf.count("live", "live", (row) => row.live, "reservations alive at the end"),
    columnOf.count("calls", "calls", (row) => row.calls, "successful calls that reserved"),
    columnOf.time("first", "since", (row) => row.first, "first call"),
    columnOf.time("last", "last call", (row) => row.last),
    { name: "trend", head: "trend", kind: "text", value: (row) => TREND_ORDER[row.trend], text: (row) => row.trend },
  ];
}

function groupColumns(by) {
  return [
    columnOf.text("who", GROUPS.find(([name]) => name === by)[1], (row) => row.who),
    columnOf.count("sites", "sites", (row) => row.sites),
    ...siteColumns().filter(({ name }) => ["reserved", "accessible", "touched", "resident", "charged", "released", "live", "calls", "first", "last"].includes(name)),
  ];
}

// Of a window only what courses tell is known.
function windowColumns(window, by) {
  const begin = by === "site" ? siteColumns().slice(0, 4) : [columnOf.text("who", GROUPS.find(([name]) => name === by)[1], (row) => row.who), columnOf.count("sites", "sites", (row) => row.sites)];
  return [
    ...begin,
    columnOf.bytes("alive", `alive at ${moment(window.to)}`, (row) => row.alive),
    columnOf.change("grew", "grew in the window", (row) => row.grew),
    columnOf.bytes("accessible-then", "accessible then", (row) => row.accessibleThen),
    columnOf.bytes("touched-then", "touched then", (row) => row.touchedThen),
  ];
}

function inWindow(one, window) {
  const alive = at(one, window.to, RESERVED);
  return {
    ...one, alive,
    grew: alive === null ? null : alive - at(one, window.from, RESERVED),
    accessibleThen: at(one, window.to, ACCESSIBLE),
    touchedThen: DATA.faults === "each" ? at(one, window.to, TOUCHED) : null,
  };
}

function grouped(sites, by) {
  const groups = new Map();
  const add = (name, one) => {
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(one);
  };
  for (const one of sites) {
    if (by === "kind") add(one.kind, one);
    else if (by === "module") add(one.module || (one.preExisting ? "there at its start" : "?"), one);
    else add(one.threads.length === 0 ? (one.preExisting ? "there at its start" : "?") : one.threads.join(", "), one);
  }
  return [...groups].map(([name, members]) => {
    const row = { who: name, sites: members.length };
    for (const figure of ["reserved", "accessible", "touched", "resident", "charged", "released", "live", "calls", "alive", "grew", "accessibleThen", "touchedThen"]) {
      row[figure] = sum(members, (one) => one[figure]);
    }
    row.first = members.reduce((least, one) => Math.min(least, one.first), Infinity);
    row.last = members.reduce((most, one) => Math.max(most, one.last), 0);
    return row;
  });
}

class Sites {
  constructor(element, select) {
    this.by = "site";
    this.choice = h("select", { id: "sites-by", change: () => { this.by = this.choice.value; this.fill(); } }, GROUPS.map(([name, words]) => option(name, words)));
    this.table = new Table(element, {
      caption: "call sites", columns: siteColumns(), sort: "reserved", select: (row) => row.id !== undefined && select(row.id),
      extra: h("label", {}, "By ", this.choice),
    });
    this.table.search.id = "sites-search";
  }

  show(process, window) {
    this.process = process;
    this.window = window;
    this.fill();
  }

  fill() {
    const { window, by } = this;
    const sites = window ? this.process.sites.map((one) => inWindow(one, window)) : this.process.sites;
    const columns = window ? windowColumns(window, by) : by === "site" ? siteColumns() : groupColumns(by);
    this.table.set(by === "site" ? sites : grouped(sites, by), columns, window ? "alive" : "reserved");
  }
}

class Lifetimes {
  constructor(element, select) {
    this.note = h("p", { class: "dim" });
    const place = h("div", {});
    fill(element, this.note, place);
    const life = (index) => (row) => (row.lifetime ? row.lifetime[index] : null);
    this.table = new Table(place, {
      caption: "lifetimes", sort: "released", select: (row) => select(row.id),
      columns: [
        columnOf.count("id", "site", (row) => row.id),
        columnOf.text("kind", "kind", (row) => row.kind, kindCell),
        columnOf.text("who", "whose doing", whoWords, who),
        columnOf.bytes("released", "released", (row) => row.released),
        columnOf.count("gone", "gone", (row) => row.calls - row.live, "calls − reservations that still live"),
        { ...columnOf.text("bar", "10 µs to 10 h", () => "", lifeBar), value: life(0) },
        columnOf.span("p50", "half within", life(0)),
        columnOf.span("p90", "90 %", life(1)),
        columnOf.span("p99", "99 %", life(2)),
        columnOf.span("max", "longest", life(3)),
        { name: "trend", head: "trend", kind: "text", value: (row) => TREND_ORDER[row.trend], text: (row) => row.trend },
        columnOf.bytes("growth", "grows by the hour", (row) => (row.growth ? row.growth.median : null), "the median of its present slopes; ? where it does not grow, or that is not sure"),
      ],
    });
  }

  show(process) {
    const rows = process.sites.filter((one) => one.lifetime || one.growth || one.trend === "growing");
    const released = sum(process.sites, (one) => one.released);
    this.note.textContent = `How long what was given back had lived, by call site: ${bytes(released)} in all. Of the whole trace, whatever the window.`;
    this.table.set(rows);
  }
}

// From the median to the 99th percentile, and the longest, on a logarithmic scale of 10 µs to 10 h.
function lifeBar(row) {
  if (!row.lifetime) return "";
  const place = (ns) => Math.max(0, Math.min(100, ((Math.log10(Math.max(ns, 1)) - 4) / 9.556) * 100));
  const [p50, , p99, max] = row.lifetime.map(place);
  const piece = (name, from, to) => {
    const span = h("span", { class: name });
    span.style.left = `${from}%`;
    span.style.width = `${Math.max(1, to - from)}%`;
    return span;
  };
  return h("div", { class: "life", title: `half within ${duration(row.lifetime[0])}, 99 % within ${duration(row.lifetime[2])}, the longest ${duration(row.lifetime[3])}` }, piece("life-tail", p99, max), piece("life-most", p50, p99), piece("life-half", p50, p50 + 1.5));
}

class Reservations {
  constructor(element, select) {
    this.note = h("p", { class: "dim", id: "reservations-note" });
    const place = h("div", {});
    fill(element, this.note, place);
    const hex = (address) => `0x${address.toString(16)}`;
    this.table = new Table(place, {
      caption: "reservations", sort: "reserved", select: (row) => row.site && select(row.site.id),
      columns: [
        { name: "start", head: "from", kind: "number", value: (row) => row.start, text: (row) => hex(row.start) },
        { name: "end", head: "to", kind: "number", value: (row) => row.start + BigInt(row.length), text: (row) => hex(row.start + BigInt(row.length)) },
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
    if (process.held.length < process.heldTotal) parts.push(`Of ${count(process.heldTotal)}, small neighbours were put together in the page: ${counted(process.held.length, "row", "rows")}.`);
    this.note.textContent = parts.join(" ");
    this.table.set(rows);
  }
}

// One call site in full.
class Detail {
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
    const figures = ["reserved", "accessible", "touched", "resident", "charged", "peak", "released"].map((name) => [h("dt", {}, name), h("dd", {}, size(one[name], `site.${name}`))]);
    const canvas = h("div", { class: "canvas small-canvas", role: "img", "aria-label": "Course of the call site" });
    const list = frames(one.stack);
    fill(this.element,
      h("div", { class: "drawer-head" }, h("h2", {}, `Site ${one.id}`), h("button", { type: "button", id: "site-close", class: "round", "aria-label": "Close", click: this.close }, "×")),
      h("p", { class: "title" }, one.who), one.location ? h("p", { class: "dim" }, one.location) : null,
      one.callers.length > 0 ? h("p", { class: "dim" }, "← " + one.callers.join("  ← ")) : null,
      this.pattern(one),
      h("dl", { class: "figures" }, figures, h("dt", {}, "live / calls"), h("dd", {}, `${count(one.live)} / ${count(one.calls)}`), h("dt", {}, "first, last"), h("dd", {}, `${moment(one.first)}, ${moment(one.last)}`), h("dt", {}, "trend"), h("dd", {}, one.trend + (one.growth ? `, ${bytes(one.growth.median)}/h (${bytes(one.growth.low)} to ${bytes(one.growth.high)})` : "")),
        one.lifetime ? [h("dt", {}, "lived"), h("dd", {}, `half up to ${duration(one.lifetime[0])}, 99 % up to ${duration(one.lifetime[2])}, longest ${duration(one.lifetime[3])}`)] : null,
        one.size ? [h("dt", {}, "sizes"), h("dd", {}, `half up to ${bytes(one.size[0])}, largest ${bytes(one.size[3])}`)] : null,
        one.threads.length > 0 ? [h("dt", {}, "threads"), h("dd", {}, one.threads.join(", "))] : null),
      h("h3", {}, "Course"), one.course[0].length > 0 ? canvas : h("p", { class: "dim" }, "No course is known of it."),
      this.touchers(one),
      h("h3", {}, `Stack${list.length > 0 ? `, ${counted(list.length, "frame", "frames")}, innermost first` : ""}`),
      DOUBT[one.quality] && !one.preExisting ? h("p", { class: "warn-text" }, DOUBT[one.quality]) : null,
      list.length > 0 ? [h("button", { type: "button", class: "small", id: "stack-copy", click: () => copy(list.map((part) => [part.name, part.location].filter(Boolean).join("  ")).join("\n") + "\n", "the stack") }, "Copy stack"), h("ol", { class: "stack", id: "stack" }, list.map(frameLine))] : h("p", { class: "dim" }, one.preExisting ? "It was there before tracing began, or the kernel made it at exec: no call was seen." : "None."));
    if (one.course[0].length > 0) this.drawn = drawing(canvas, (chart) => paintCourse(chart, process, one));
    this.element.scrollTop = 0;
  }

  pattern(one) {
    const { pattern } = one;
    if (!pattern) return h("p", { class: "dim" }, one.kind);
    const items = (head, list) => (list.length > 0 ? [h("h4", {}, head), h("ul", {}, list.map((words) => h("li", {}, words)))] : null);
    return h("section", { class: "card" }, h("p", {}, h("b", {}, pattern.name), " ", badge(pattern.level), h("span", { class: "dim" }, ` ${(pattern.confidence * 100).toFixed(0)} % sure`)),
      pattern.meaning ? h("p", {}, pattern.meaning) : null,
      items("What speaks for it", pattern.evidence), items("What to do", pattern.advice),
      pattern.knob ? h("p", {}, "Changes it: ", h("code", {}, pattern.knob), pattern.knob_effect ? h("span", { class: "dim" }, ` (${pattern.knob_effect})`) : null) : null,
      pattern.source ? h("p", { class: "dim" }, `Known from ${pattern.source}`) : null);
  }

  touchers(one) {
    if (one.touchers.length === 0) return null;
    return [h("h3", {}, "Touched first by"), h("p", { class: "dim" }, `An estimate, from the stacks of 1 page fault in ${count(one.touchers[0].one_in)}.`),
      h("ul", {}, one.touchers.map((touch) => {
        const [inner] = frames(touch.stack);
        return h("li", {}, size(touch.estimated, "toucher"), " ", inner ? inner.name : "unknown code", h("span", { class: "dim" }, ` ${inner ? inner.location : ""} (${counted(touch.faults, "fault", "faults")})`));
      }))];
  }
}

function frameLine(part) {
  return h("li", { class: part.kind }, h("span", { class: "title" }, part.name), part.inlined ? h("span", { class: "dim" }, " inlined") : null, part.kind === "native" ? null : h("span", { class: "badge plain" }, part.kind), part.location ? h("div", { class: "dim" }, part.location) : null);
}

function paintCourse(chart, process, one) {
  const [times] = one.course;
  const points = (figure) => [...times.map((time, index) => [time, one.course[figure][index]]), [process.to, at(one, process.to, figure)]];
  const line = (name, figure, swatch) => ({ name, type: "line", step: "end", symbol: "none", silent: true, data: points(figure), lineStyle: { width: 1.5, color: swatch }, areaStyle: { color: swatch, opacity: 0.1 } });
  chart.setOption({
    animation: false, grid: { left: 58, right: 8, top: 8, bottom: 22 },
    xAxis: { type: "value", min: process.from, max: Math.max(process.to, process.from + 1), ...axisStyle(), splitLine: { show: false }, splitNumber: 3, axisLabel: { ...axisStyle().axisLabel, formatter: (value) => moment(Math.round(value)) } },
    yAxis: { type: "value", min: 0, ...byteSteps(Math.max(1, ...one.course[RESERVED])), ...axisStyle(), axisLabel: { ...axisStyle().axisLabel, formatter: (value) => bytes(value) } },
    series: [line("reserved", RESERVED, color("virtual")), ...(DATA.faults === "each" ? [line("touched", TOUCHED, color("touched"))] : [])],
  }, { notMerge: true });
}
