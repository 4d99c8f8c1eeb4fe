"use strict";
// Made by scripts/build-page from the modules beside it: change those.
(() => {
  // page/units.js
  var UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  function fixed(value, digits) {
    if (value * 2 ** (digits + 1) % 2 !== 1) return value.toFixed(digits);
    const low = Math.floor(value * 10 ** digits);
    return ((low % 2 === 0 ? low : low + 1) / 10 ** digits).toFixed(digits);
  }
  function bytes(value) {
    if (value === null || value === void 0) return "?";
    if (value < 1024) return `${value} B`;
    let unit = 0;
    let scaled = value;
    while (scaled >= 1023.5 && unit + 1 < UNITS.length) {
      scaled /= 1024;
      unit += 1;
    }
    const whole = value % 1024 ** unit === 0 && unit < 3;
    return `${fixed(scaled, whole || scaled >= 99.95 ? 0 : 1)} ${UNITS[unit]}`;
  }
  function signedBytes(value) {
    if (value === null || value === void 0) return "?";
    if (value === 0) return bytes(0);
    return (value > 0 ? "+" : "−") + bytes(Math.abs(value));
  }
  function count(value) {
    if (value === null || value === void 0) return "?";
    return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
  }
  function signedCount(value) {
    if (value === null || value === void 0) return "?";
    return (value > 0 ? "+" : value < 0 ? "−" : "") + count(Math.abs(value));
  }
  function counted(value, singular, plural) {
    return `${count(value)} ${value === 1 ? singular : plural}`;
  }
  var SECOND = 1e9;
  function duration(ns) {
    if (ns === null || ns === void 0) return "?";
    if (ns === 0) return "0 s";
    if (ns < 1e3) return `${ns} ns`;
    if (ns < 1e6) return `${Math.floor(ns / 1e3)} µs`;
    if (ns < 1e7) return `${fixed(ns / 1e6, 1)} ms`;
    if (ns < SECOND) return `${Math.floor(ns / 1e6)} ms`;
    if (ns < 600 * SECOND) return `${fixed(ns / SECOND, 1)} s`;
    const seconds = Math.floor(ns / SECOND);
    if (ns < 7200 * SECOND) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    const minutes = Math.floor(seconds / 60);
    return `${count(Math.floor(minutes / 60))} h ${minutes % 60} min`;
  }
  function moment(ns) {
    if (ns === null || ns === void 0) return "?";
    return ns < SECOND ? `${fixed(ns / SECOND, 1)} s` : duration(ns);
  }
  function instant(ns, span) {
    if (span <= 0 || span >= 2 * SECOND) return moment(ns);
    const digits = Math.min(9, Math.ceil(Math.log10(2 * SECOND / span)) + 1);
    return `${(ns / SECOND).toFixed(digits)} s`;
  }
  function percent(part2, whole) {
    if (part2 === null || whole === null) return "?";
    if (part2 === 0 || whole === 0) return "0 %";
    if (part2 >= whole) return "100 %";
    const share = part2 * 100 / whole;
    if (share < 5e-4) return "under 0.001 %";
    if (share < 95e-4) return `${fixed(share, 3)} %`;
    if (share < 0.095) return `${fixed(share, 2)} %`;
    if (share < 9.95) return `${fixed(share, 1)} %`;
    if (share < 99) return `${fixed(share, 0)} %`;
    return "over 99 %";
  }

  // page/dom.js
  var $ = (id) => document.getElementById(id);
  function h(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === void 0 || value === false) continue;
      if (typeof value === "function") element.addEventListener(name, value);
      else if (name === "class") element.className = value;
      else if (name === "value") element.value = value;
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat(3).filter((child2) => child2 !== null && child2 !== void 0 && child2 !== false));
    return element;
  }
  function fill(element, ...children) {
    element.replaceChildren(
      ...children.flat(3).filter((child2) => child2 !== null && child2 !== void 0 && child2 !== false)
    );
  }
  function size(value, name) {
    const known = value !== null && value !== void 0;
    return h(
      "span",
      {
        class: "figure",
        "data-bytes": known ? String(value) : "?",
        "data-figure": name,
        title: known ? `${count(value)} bytes` : "not known"
      },
      bytes(value)
    );
  }
  function breakable(words) {
    return words.split(/(?<=::|\/)/).flatMap((part2, index) => index === 0 ? [part2] : [h("wbr", {}), part2]);
  }
  function badge(level) {
    return h("span", { class: `badge ${level}` }, level);
  }
  function option(value, text2, chosen) {
    return h("option", { value, selected: value === chosen }, text2);
  }
  var saidLast = 0;
  function say(text2) {
    const toast = $("toast");
    toast.textContent = text2;
    toast.hidden = false;
    const mine = ++saidLast;
    setTimeout(() => {
      if (mine === saidLast) toast.hidden = true;
    }, 2500);
  }
  async function copy(text2, what) {
    try {
      await navigator.clipboard.writeText(text2);
    } catch {
      const area = h("textarea", { class: "offstage", "aria-hidden": "true" });
      area.value = text2;
      const before = document.activeElement;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (before) before.focus();
      if (!done) {
        say("The browser does not allow copying.");
        return;
      }
    }
    say(`Copied: ${what}.`);
  }

  // page/data.js
  var DATA = JSON.parse($("data").textContent);
  var text = (place) => DATA.strings[place];
  var DOUBT = [
    null,
    "The stack is right as far as it goes, and then cut off.",
    "The walk lost its way: outer frames may be missing or wrong.",
    "There is no stack."
  ];
  var TREND = ["one-off", "settled", "growing", "churn"];
  var seen = [];
  function frame(place) {
    if (!seen[place]) seen[place] = makeFrame(place);
    return seen[place];
  }
  function makeFrame(place) {
    const frames2 = DATA.frames;
    return {
      // One function, wherever in it the call is.
      key: `${frames2.short[place]} ${frames2.module[place]}`,
      name: text(frames2.name[place]),
      short: text(frames2.short[place]),
      location: text(frames2.location[place]),
      module: text(frames2.module[place]),
      kind: ["native", "jit", "interpreted", "kernel"][frames2.kind[place]],
      inlined: frames2.inlined[place] === 1
    };
  }
  function frames(node) {
    const found = [];
    for (let at2 = node; at2 !== 0; at2 -= DATA.stacks.up[at2]) found.push(frame(DATA.stacks.frame[at2]));
    return found;
  }
  function rows(columns3, length, make) {
    return Array.from({ length }, (_, index) => make((name) => columns3[name][index], index));
  }
  var decoded = /* @__PURE__ */ new Map();
  function decode(process) {
    if (decoded.has(process)) return decoded.get(process);
    const sites = rows(process.sites, process.sites.id.length, site);
    const byId = new Map(sites.map((one) => [one.id, one]));
    const byKey = /* @__PURE__ */ new Map();
    for (const one of sites) if (!byKey.has(one.key)) byKey.set(one.key, one);
    process.verdict.who.forEach((one, rank) => {
      const named = byKey.get(one.site);
      if (!named || named.about !== null) return;
      named.about = rank;
      named.level = process.verdict.level;
    });
    const held = rows(process.reservations, process.reservations.start.length, (of) => ({
      start: BigInt(`0x${of("start")}`),
      length: of("length"),
      count: of("count"),
      site: byId.get(of("site")),
      protection: text(of("protection")),
      flags: text(of("flags")),
      born: of("born"),
      reserved: of("reserved"),
      accessible: of("accessible"),
      touched: of("touched"),
      resident: of("resident"),
      preExisting: of("pre_existing") === 1,
      name: text(of("name"))
    }));
    const whole = { ...process, sites, byId, byKey, held, heldTotal: process.reservations.total };
    decoded.set(process, whole);
    return whole;
  }
  function site(of) {
    const pattern = of("pattern") === 0 ? null : DATA.patterns[of("pattern") - 1];
    const made = {
      id: of("id"),
      key: text(of("key")) || String(of("id")),
      // Its place among those that the verdict is about; null: it is not.
      about: null,
      level: pattern ? pattern.level : "unknown",
      pattern,
      stack: of("stack"),
      quality: of("quality"),
      title: text(of("title")),
      location: text(of("location")),
      module: text(of("module")),
      callers: of("callers").map(text),
      name: text(of("name")),
      threads: of("threads").map(text),
      preExisting: of("pre_existing") === 1,
      lifetime: of("lifetime"),
      size: of("size"),
      trend: TREND[of("trend")],
      growth: of("growth"),
      touchers: of("touchers"),
      course: of("course")
    };
    for (const name of [
      "calls",
      "live",
      "reserved",
      "accessible",
      "touched",
      "resident",
      "charged",
      "released",
      "peak",
      "first",
      "last"
    ]) {
      made[name] = of(name);
    }
    made.kind = kindOf(made);
    made.who = made.title || made.name || (made.preExisting ? "anonymous" : made.calls === 0 ? "no call seen" : "no stack");
    return made;
  }
  function kindOf(one) {
    if (one.preExisting) return "there at its start";
    if (one.pattern) return one.pattern.name;
    return one.calls === 0 ? "no call seen" : "of no known kind";
  }
  var RESERVED = 1;
  var ACCESSIBLE = 2;
  var TOUCHED = 3;
  function at(one, time, figure) {
    const [times] = one.course;
    if (times.length === 0) return null;
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : one.course[figure][low - 1];
  }
  function virtualAt(process, time) {
    if (time >= process.to) return process.virtual.end;
    const { t, virtual } = process.timeline;
    let value = null;
    for (let index = 0; index < t.length && t[index] <= time; index += 1) value = virtual[index];
    return value ?? (time < process.from ? 0 : process.virtual.start);
  }
  function sum(list, figure) {
    let all = 0;
    for (const one of list) {
      const value = figure(one);
      if (value === null || value === void 0) return null;
      all += value;
    }
    return all;
  }

  // page/address.js
  function writeHash({ process, window }) {
    const parts = [];
    if (process > 0) parts.push(`process=${process}`);
    if (window) parts.push(`window=${window.from / SECOND}-${window.to / SECOND}`);
    const hash = parts.length > 0 ? `#${parts.join("&")}` : "";
    if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname + location.search);
  }
  function readHash() {
    const words = new URLSearchParams(location.hash.slice(1));
    const process = Number(words.get("process"));
    const [from, to] = (words.get("window") || "").split("-").map((part2) => Math.round(Number(part2) * SECOND));
    return {
      process: Number.isInteger(process) && process > 0 && process < DATA.processes.length ? process : 0,
      window: from >= 0 && from < to ? { from, to } : null
    };
  }

  // page/evidence.js
  function showEvidence(element, process) {
    const { verdict } = process;
    fill(
      element,
      h(
        "div",
        { class: "tiles" },
        tile("virtual", process.virtual.end, process.virtual.peak, process.virtual_growth, "mapped at all"),
        tile(
          "touched",
          touchedOf(process),
          null,
          null,
          DATA.faults === "each" ? "ever faulted, still mapped" : "page faults were not followed"
        ),
        tile(
          "resident",
          process.resident?.end ?? null,
          process.resident?.peak ?? null,
          process.resident_growth,
          process.resident ? "in memory at the last look" : "nobody looked"
        ),
        ledgerTile(process)
      ),
      refused(process.refused),
      h("div", { class: "two" }, knobs(verdict), knownBefore(verdict.before), harm(process)),
      stackDoubts(process)
    );
  }
  function touchedOf(process) {
    return DATA.faults === "each" ? sum(process.sites, (one) => one.touched) : null;
  }
  function tile(name, value, peak, growth, what) {
    return h(
      "div",
      { class: "tile", "data-tile": name },
      h("span", { class: "label" }, name),
      h("span", { class: "big" }, size(value, `${name}.end`)),
      h("span", { class: "dim" }, peak !== null && peak !== value ? ["peak ", size(peak, `${name}.peak`)] : what),
      growth ? h("span", { class: "up" }, `grows ${bytes(growth.median)}/h (${bytes(growth.low)} to ${bytes(growth.high)})`) : null
    );
  }
  function unmeasured(process) {
    if (process.unmeasured === null) return null;
    return h(
      "p",
      { class: "note warn", id: "unmeasured" },
      h("b", {}, "Not measured in full: "),
      `${process.unmeasured}. The figures may be wrong; no budget passes.`
    );
  }
  function ledgerTile(process) {
    const { ledger } = process;
    const compared = ledger.compared || ledger.kernel_known;
    return h(
      "div",
      { class: "tile", "data-tile": "ledger" },
      h("span", { class: "label" }, "unexplained"),
      h("span", { class: "big" }, compared ? size(Math.abs(ledger.difference_bytes), "ledger.difference") : "?"),
      h("span", { class: compared && ledger.largest_difference_bytes === 0 ? "dim" : "warn-text" }, process.trust),
      h("span", { class: "dim" }, `compared ${counted(ledger.checks + ledger.verifications_count, "time", "times")}`)
    );
  }
  function losses() {
    const lost = DATA.losses;
    const parts = [
      [lost.events, "call or process event", "calls or process events"],
      [lost.stacks, "stack", "stacks"],
      [lost.faults, "page fault (touched is at least what is shown)", "page faults (touched is at least what is shown)"],
      [lost.late, "event too late to be put in order", "events too late to be put in order"]
    ].filter(([number]) => number > 0).map(([number, one, many]) => counted(number, one, many));
    if (lost.resyncs > 0)
      parts.push(`the ledger was read anew from the kernel's maps ${counted(lost.resyncs, "time", "times")}`);
    if (parts.length === 0) return null;
    const since = lost.since_ns === null ? "" : `, first noticed at ${moment(lost.since_ns)}`;
    return h("p", { class: "note warn", id: "losses" }, h("b", {}, "Lost: "), parts.join(", ") + since);
  }
  function refused(rows2) {
    if (rows2.length === 0) return null;
    return h(
      "section",
      { class: "card", id: "refused" },
      h("h3", {}, "Refused by the kernel"),
      h(
        "ul",
        { class: "knobs" },
        rows2.map((row) => h("li", {}, h("div", {}, row.what), h("div", { class: "dim" }, row.parts.join(" · "))))
      )
    );
  }
  function knobs(verdict) {
    if (verdict.knobs.length === 0) return null;
    return h(
      "section",
      { class: "card" },
      h("h3", {}, "Of known kinds, and what changes them"),
      kindList(verdict.knobs),
      h(
        "p",
        { class: "dim" },
        "Grown since it was first seen: ",
        size(verdict.grown, "grown"),
        "; of no known kind for sure: ",
        size(verdict.unexplained, "unexplained"),
        "."
      )
    );
  }
  function knownBefore(before) {
    if (!before || before.knobs.length === 0) return null;
    return h(
      "section",
      { class: "card", id: "before" },
      h("h3", {}, "There before tracing, by its shape then"),
      kindList(before.knobs),
      h(
        "p",
        { class: "dim" },
        "In all: ",
        size(before.reserved, "before"),
        "; of no known kind: ",
        size(before.unexplained, "before.unexplained"),
        "."
      )
    );
  }
  function kindList(kinds) {
    return h(
      "ul",
      { class: "knobs" },
      kinds.map(
        (kind) => h(
          "li",
          {},
          h(
            "div",
            {},
            h("b", {}, kind.name),
            " ",
            size(kind.reserved, "kind"),
            h("span", { class: "dim" }, ` in ${counted(kind.live, "reservation", "reservations")}`)
          ),
          kind.knob ? h(
            "div",
            {},
            h("code", {}, kind.knob),
            " ",
            h("button", { type: "button", class: "small", click: () => copy(kind.knob, kind.knob) }, "Copy"),
            kind.effect ? h("div", { class: "dim" }, kind.effect) : null,
            kind.then_virtual === null ? null : h("div", { class: "dim" }, "then about ", size(kind.then_virtual, "then"), " virtual")
          ) : null
        )
      )
    );
  }
  function harm(process) {
    const { limits } = process.harm;
    if (limits.length === 0) return null;
    return h(
      "section",
      { class: "card" },
      h("h3", {}, "Limits"),
      limits.map((limit) => {
        const show = (value) => limit.id === "mappings" ? count(value) : size(value, `harm.${limit.id}`);
        const filled = h("span", { class: limit.near ? "filled near" : "filled" });
        filled.style.width = `${Math.min(100, limit.limit === 0 ? 100 : limit.used * 100 / limit.limit)}%`;
        return h(
          "div",
          { class: "meter" },
          h(
            "div",
            { class: "meter-words" },
            h("span", {}, limit.name, limit.shared ? h("span", { class: "dim" }, " (all processes)") : null),
            h(
              "span",
              {},
              show(limit.used),
              " of ",
              show(limit.limit),
              h("span", { class: "dim" }, ` · ${percent(limit.used, limit.limit)}`)
            )
          ),
          h("div", { class: "track" }, filled),
          limit.reached_in_ns === null ? null : h(
            "div",
            { class: "warn-text" },
            `full in ${duration(limit.reached_in_ns)} at ${bytes(limit.growth_per_hour.median)}/h`
          )
        );
      })
    );
  }
  function stackDoubts(process) {
    const { complete, cut, broken, none } = process.stacks;
    const doubtful = cut.calls + broken.calls + none.calls;
    if (doubtful === 0) return null;
    const all = complete.calls + doubtful;
    const parts = [
      [cut, "cut off"],
      [broken, "broken"],
      [none, "without a stack"]
    ].filter(([grade]) => grade.calls > 0);
    return h(
      "p",
      { class: "note" },
      `Of ${counted(all, "call", "calls")} ${count(doubtful)} have no complete stack: `,
      parts.map(([grade, word2], index) => [
        index > 0 ? ", " : "",
        `${count(grade.calls)} ${word2} (`,
        size(grade.reserved_bytes, "doubt"),
        ")"
      ]),
      "."
    );
  }

  // page/answer.js
  var ONE_LINE = 44;
  function showAnswer(element, process, select) {
    const { verdict, harm: harm2 } = process;
    const row = (name, ...content) => [h("dt", {}, name), h("dd", { "data-row": name }, content)];
    fill(
      element,
      h(
        "p",
        { class: "identity" },
        h("b", {}, process.name || "?"),
        h("span", { class: "dim" }, ` · ${process.about.join(" · ")}`)
      ),
      process.command ? h("p", { class: "command", title: process.command }, process.command) : null,
      h(
        "h1",
        {},
        badge(verdict.level),
        " ",
        h("span", { id: "headline" }, verdict.headline),
        " ",
        verdict.sure ? h("span", { class: "sure" }, verdict.sure) : null
      ),
      h(
        "dl",
        { class: "answer" },
        verdict.who.length > 0 ? row("who", h("table", {}, h("tbody", {}, whoRows(process, select)))) : null,
        verdict.because.length > 0 ? row("because", verdict.because.join(" ")) : null,
        harm2.text ? row("hurts", h("span", { class: harm2.near ? "near" : null, id: "harm-text" }, harm2.text)) : null,
        verdict.change.length > 0 ? row("change", verdict.change.map(change)) : null,
        verdict.next.length > 0 ? row("next", verdict.next.map(next)) : null
      ),
      DATA.window ? h(
        "p",
        { class: "note warn" },
        `This report looks at ${moment(DATA.window.from_ns)} to ${moment(Math.min(DATA.window.to_ns, DATA.duration))} of the trace only (--window).`
      ) : null,
      unmeasured(process),
      losses()
    );
  }
  function whoRows(process, select) {
    const { who: who2 } = process.verdict;
    const speeds = who2.some((one) => one.speed !== null);
    return who2.map((one) => {
      const site2 = process.byKey.get(one.site);
      const name = h("b", {}, breakable(one.name));
      return h(
        "tr",
        {},
        h(
          "td",
          {},
          site2 ? h("button", { type: "button", class: "link", click: () => select(site2.id) }, name) : name,
          " ",
          one.where ? h("span", { class: "where" }, breakable(one.where)) : null,
          one.callers.map((caller) => h("span", { class: "where" }, " ← ", breakable(caller)))
        ),
        h("td", { class: "number" }, size(one.bytes, "who.bytes")),
        speeds ? h("td", { class: "number speed" }, one.speed ?? "") : null,
        h("td", { class: "key" }, one.site)
      );
    });
  }
  function word(text2) {
    return h("code", { class: text2.length > ONE_LINE ? "word long" : "word" }, text2);
  }
  function copied(text2) {
    return h("button", { type: "button", class: "small", click: () => copy(text2, text2) }, "Copy");
  }
  function change(one) {
    const then = one.predicted_virtual_bytes === null ? null : `about ${bytes(one.predicted_virtual_bytes)} virtual then`;
    const text2 = then === null ? one.effect : one.effect === "" ? then : `${then} (${one.effect})`;
    return h("div", {}, word(one.knob), " ", copied(one.knob), text2 ? ` → ${text2}` : null);
  }
  function next(one) {
    return h("div", {}, `${one.why}: `, word(one.command), " ", copied(one.command));
  }

  // page/theme.js
  var PALETTE = [
    "#4e79a7",
    "#f28e2b",
    "#59a14f",
    "#b07aa1",
    "#e15759",
    "#39a0a0",
    "#d4a72c",
    "#9c755f",
    "#e377a2",
    "#6b6ecf"
  ];
  var PLAIN = {
    "there at its start": "#7c8796",
    "of no known kind": "#a3a9b3",
    "no call seen": "#c2413b",
    others: "#a3a9b3",
    rest: "#c8ccd2"
  };
  var wantsDark = matchMedia("(prefers-color-scheme: dark)");
  var THEMES = ["system", "light", "dark"];
  var theme = "system";
  var redraws = /* @__PURE__ */ new Set();
  function applyTheme(chosen) {
    theme = chosen;
    const dark = theme === "dark" || theme === "system" && wantsDark.matches;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    const button = $("theme");
    button.textContent = { system: "◐", light: "☀", dark: "☾" }[theme];
    button.setAttribute("aria-label", `Theme: ${theme}`);
    button.title = `Theme: ${theme} (t)`;
    for (const redraw of redraws) redraw();
  }
  function nextTheme() {
    applyTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
  }
  var color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  function colorsOf(process) {
    const sums = /* @__PURE__ */ new Map();
    for (const one of process.sites) sums.set(one.kind, (sums.get(one.kind) || 0) + one.peak);
    const kinds = [...sums.keys()].sort((one, other) => sums.get(other) - sums.get(one));
    const colors = /* @__PURE__ */ new Map();
    for (const kind of kinds) {
      colors.set(kind, PLAIN[kind] || PALETTE[colors.size % PALETTE.length]);
    }
    return colors;
  }
  function startTheme() {
    wantsDark.addEventListener("change", () => applyTheme(theme));
    $("theme").addEventListener("click", nextTheme);
    let before = theme;
    const print = (on, chosen) => {
      document.documentElement.classList.toggle("paper", on);
      applyTheme(chosen);
    };
    addEventListener("beforeprint", () => {
      before = theme;
      print(true, "light");
    });
    addEventListener("afterprint", () => print(false, before));
    applyTheme("system");
  }

  // page/chart.js
  function drawing(element, draw) {
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
      }
    };
  }
  function fit(chart, element) {
    const [width, height] = [element.clientWidth, element.clientHeight];
    if (chart.getWidth() !== width || chart.getHeight() !== height) chart.resize({ width, height, silent: true });
  }
  function axisStyle() {
    return {
      axisLine: { lineStyle: { color: color("line") } },
      axisTick: { lineStyle: { color: color("line") } },
      axisLabel: { color: color("dim"), fontSize: 11, hideOverlap: true },
      splitLine: { lineStyle: { color: color("faint") } }
    };
  }
  function tip(content, more) {
    return {
      confine: true,
      transitionDuration: 0,
      backgroundColor: color("raised"),
      borderColor: color("line"),
      padding: [8, 10],
      textStyle: { color: color("ink"), fontSize: 12 },
      formatter: (parameters) => content(parameters) || h("span", {}),
      ...more
    };
  }
  function tipLine(name, value, swatch) {
    const mark = h("span", { class: "swatch" });
    if (swatch) mark.style.background = swatch;
    return h("div", { class: "tip-line" }, swatch ? mark : null, h("span", {}, name), h("b", {}, value));
  }
  function byteSteps(most) {
    let step = 1;
    while (most / step > 5) step *= 2;
    return { max: Math.max(step, Math.ceil(most / step) * step), interval: step };
  }
  function legend(element, entries) {
    fill(
      element,
      entries.map(([name, swatch, value]) => {
        const mark = h("span", { class: "swatch" });
        mark.style.background = swatch;
        return h("span", { class: "legend-entry" }, mark, name, value === void 0 ? null : [" ", size(value)]);
      })
    );
  }

  // page/detail.js
  var Detail = class {
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
        h("dd", {}, size(one[name], `site.${name}`))
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
            "×"
          )
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
            one.trend + (one.growth ? `, ${bytes(one.growth.median)}/h (${bytes(one.growth.low)} to ${bytes(one.growth.high)})` : "")
          ),
          one.lifetime ? [
            h("dt", {}, "lived"),
            h(
              "dd",
              {},
              `half up to ${duration(one.lifetime[0])}, 99 % up to ${duration(one.lifetime[2])}, longest ${duration(one.lifetime[3])}`
            )
          ] : null,
          one.size ? [h("dt", {}, "sizes"), h("dd", {}, `half up to ${bytes(one.size[0])}, largest ${bytes(one.size[3])}`)] : null,
          one.threads.length > 0 ? [h("dt", {}, "threads"), h("dd", {}, one.threads.join(", "))] : null
        ),
        h("h3", {}, "Course"),
        one.course[0].length > 0 ? canvas : h("p", { class: "dim" }, "No course is known of it."),
        this.touchers(one),
        h("h3", {}, `Stack${list.length > 0 ? `, ${counted(list.length, "frame", "frames")}, innermost first` : ""}`),
        DOUBT[one.quality] && !one.preExisting ? h("p", { class: "warn-text" }, DOUBT[one.quality]) : null,
        list.length > 0 ? [
          h(
            "button",
            {
              type: "button",
              class: "small",
              id: "stack-copy",
              click: () => copy(
                list.map((part2) => `${[part2.name, part2.location].filter(Boolean).join("  ")}
`).join(""),
                "the stack"
              )
            },
            "Copy stack"
          ),
          h("ol", { class: "stack", id: "stack" }, list.map(frameLine))
        ] : h(
          "p",
          { class: "dim" },
          one.preExisting ? "It was there before tracing began, or the kernel made it at exec: no call was seen." : "None."
        )
      );
      if (one.course[0].length > 0) this.drawn = drawing(canvas, (chart) => paintCourse(chart, process, one));
      this.element.scrollTop = 0;
    }
    pattern(one) {
      const { pattern } = one;
      if (!pattern) return h("p", { class: "dim" }, one.kind);
      const items = (head, list) => list.length > 0 ? [
        h("h4", {}, head),
        h(
          "ul",
          {},
          list.map((words) => h("li", {}, words))
        )
      ] : null;
      return h(
        "section",
        { class: "card" },
        h(
          "p",
          {},
          h("b", {}, pattern.name),
          " ",
          badge(pattern.level),
          h("span", { class: "dim" }, ` ${(pattern.confidence * 100).toFixed(0)} % sure`)
        ),
        pattern.meaning ? h("p", {}, pattern.meaning) : null,
        items("What speaks for it", pattern.evidence),
        items("What to do", pattern.advice),
        pattern.knob ? h(
          "p",
          {},
          "Changes it: ",
          h("code", {}, pattern.knob),
          pattern.knob_effect ? h("span", { class: "dim" }, ` (${pattern.knob_effect})`) : null
        ) : null,
        pattern.source ? h("p", { class: "dim" }, `Known from ${pattern.source}`) : null
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
                ` ${inner ? inner.location : ""} (${counted(touch.faults, "fault", "faults")})`
              )
            );
          })
        )
      ];
    }
  };
  function frameLine(part2) {
    return h(
      "li",
      { class: part2.kind },
      h("span", { class: "title" }, part2.name),
      part2.inlined ? h("span", { class: "dim" }, " inlined") : null,
      part2.kind === "native" ? null : h("span", { class: "badge plain" }, part2.kind),
      part2.location ? h("div", { class: "dim" }, part2.location) : null
    );
  }
  function paintCourse(chart, process, one) {
    const [times] = one.course;
    const points = (figure) => [
      ...times.map((time, index) => [time, one.course[figure][index]]),
      [process.to, at(one, process.to, figure)]
    ];
    const line = (name, figure, swatch) => ({
      name,
      type: "line",
      step: "end",
      symbol: "none",
      silent: true,
      data: points(figure),
      lineStyle: { width: 1.5, color: swatch },
      areaStyle: { color: swatch, opacity: 0.1 }
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
            formatter: (value) => instant(Math.round(value), process.to - process.from)
          }
        },
        yAxis: {
          type: "value",
          min: 0,
          ...byteSteps(Math.max(1, ...one.course[RESERVED])),
          ...axisStyle(),
          axisLabel: { ...axisStyle().axisLabel, formatter: (value) => bytes(value) }
        },
        series: [
          line("reserved", RESERVED, color("virtual")),
          ...DATA.faults === "each" ? [line("touched", TOUCHED, color("touched"))] : []
        ]
      },
      { notMerge: true }
    );
  }

  // page/columns.js
  var lesser = (columns3, names) => columns3.map((column) => names.includes(column.name) ? { ...column, less: true } : column);
  var columnOf = {
    text: (name, head, words, show) => ({ name, head, kind: "text", value: words, text: words, show }),
    bytes: (name, head, value, title) => ({
      name,
      head,
      title,
      kind: "number",
      value,
      raw: value,
      text: (row) => bytes(value(row)),
      show: (row) => size(value(row), name)
    }),
    // `least`: what is less is no change to speak of, and not coloured.
    change: (name, head, value, title, least = 1) => ({
      name,
      head,
      title,
      kind: "number",
      value,
      raw: value,
      text: (row) => signedBytes(value(row)),
      show: (row) => h(
        "span",
        {
          "data-bytes": String(value(row) ?? "?"),
          class: value(row) >= least ? "up" : value(row) <= -least ? "down" : "dim"
        },
        signedBytes(value(row))
      )
    }),
    count: (name, head, value, title) => ({
      name,
      head,
      title,
      kind: "number",
      value,
      raw: value,
      text: (row) => count(value(row))
    }),
    time: (name, head, value, title) => ({
      name,
      head,
      title,
      kind: "number",
      value,
      raw: value,
      text: (row) => value(row) === null ? "" : moment(value(row))
    }),
    span: (name, head, value, title) => ({
      name,
      head,
      title,
      kind: "number",
      value,
      raw: value,
      text: (row) => value(row) === null ? "" : duration(value(row))
    })
  };
  var who = (row) => h(
    "div",
    { class: "who-cell" },
    h("div", { class: "title" }, breakable(row.who)),
    row.location ? h("div", { class: "dim" }, breakable(row.location)) : null
  );
  var whoWords = (row) => [row.who, row.location].filter(Boolean).join(" ");
  var kindCell = (row) => [
    row.level === "unknown" ? null : [badge(row.level), " "],
    row.pattern ? row.pattern.name : h("span", { class: "dim" }, row.kind)
  ];
  var keyColumn = (site2 = (row) => row) => columnOf.text(
    "id",
    "site",
    (row) => site2(row)?.key ?? "?",
    (row) => h("span", { class: "key" }, site2(row)?.key ?? "?")
  );
  var TREND_ORDER = { growing: 3, churn: 2, settled: 1, "one-off": 0 };
  var trendColumn = {
    name: "trend",
    head: "trend",
    kind: "text",
    value: (row) => TREND_ORDER[row.trend],
    text: (row) => row.trend
  };

  // page/table.js
  var SHOWN = 20;
  var Table = class {
    constructor(place, { caption, columns: columns3, sort, down = true, select, searchable = true, extra, lead, shown = SHOWN }) {
      Object.assign(this, { caption, columns: columns3, select, sort, down, place, lead, shown });
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
        }
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
        }
      });
      const copyAs = (name, write) => h(
        "button",
        {
          type: "button",
          "data-copy": name,
          click: () => copy(write.call(this), `${counted(this.found.length, "row", "rows")} as ${name}`)
        },
        `Copy ${name}`
      );
      this.box = h(
        "div",
        { class: "box" },
        h("table", {}, h("caption", { class: "offstage" }, caption), h("thead", {}, this.head), this.body)
      );
      this.all = h("input", {
        type: "checkbox",
        id: `${caption.replaceAll(" ", "-")}-all`,
        change: () => this.box.classList.toggle("all", this.all.checked)
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
          copyAs("Markdown", this.markdown)
        ),
        this.box,
        this.more
      );
    }
    // `sort`: by which column, if there is none any more of the name that it was sorted by, or if it is to be `anew`.
    set(rows2, columns3, sort, anew = false) {
      this.rows = rows2;
      if (columns3) this.columns = columns3;
      if (anew || !this.columns.some((column) => column.name === this.sort)) {
        this.sort = sort;
        this.down = true;
      }
      this.most = this.shown;
      this.draw();
    }
    sorted() {
      const words = (row) => this.columns.map((column) => column.text(row)).join(" ").toLowerCase();
      const found = this.query === "" ? [...this.rows] : this.rows.filter((row) => words(row).includes(this.query));
      const value = this.columns.find((column) => column.name === this.sort)?.value ?? (() => 0);
      const order = this.down ? -1 : 1;
      const first = (row) => (this.lead && !this.asked ? this.lead(row) : null) ?? Infinity;
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
        this.columns.map(
          (column) => h(
            "th",
            {
              scope: "col",
              class: column.less ? `${column.kind} less` : column.kind,
              "aria-sort": column.name === this.sort ? this.down ? "descending" : "ascending" : "none"
            },
            h(
              "button",
              {
                type: "button",
                "data-column": column.name,
                title: column.title || null,
                click: () => this.sortBy(column)
              },
              column.head,
              h(
                "span",
                { class: "arrow", "aria-hidden": "true" },
                column.name === this.sort ? this.down ? " ▾" : " ▴" : ""
              )
            )
          )
        )
      );
      const nothing = this.query === "" ? `no ${this.caption}` : `nothing found of “${this.search.value}”`;
      fill(
        this.body,
        this.found.length === 0 ? h("tr", {}, h("td", { class: "dim", colspan: String(this.columns.length) }, nothing)) : this.found.slice(0, this.most).map((row) => this.line(row))
      );
      const left = this.found.length - this.most;
      this.more.hidden = left <= 0;
      this.more.textContent = `Show more: ${counted(left, "row is", "rows are")} not shown`;
      this.said.textContent = this.query === "" ? counted(this.rows.length, "row", "rows") : `${count(this.found.length)} of ${counted(this.rows.length, "row", "rows")}`;
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
          keydown: (event) => this.key(event, line, pick)
        },
        this.columns.map((column) => {
          const shown = column.show ? column.show(row) : column.text(row);
          const kind = column.less ? `${column.kind} less` : column.kind;
          return h("td", { class: kind, "data-column": column.name, "data-head": column.head }, shown);
        })
      );
      if (row.about !== void 0 && row.about !== null) line.classList.add("about");
      if (this.chosen !== null && this.chosen === row.id) line.setAttribute("aria-selected", "true");
      return line;
    }
    key(event, line, pick) {
      const next2 = { ArrowDown: line.nextElementSibling, ArrowUp: line.previousElementSibling }[event.key];
      if (next2) {
        next2.focus();
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
        ...this.found.map(
          (row) => this.columns.map((column) => column.raw ? String(column.raw(row) ?? "?") : cell(column.text(row)))
        )
      ];
      return lines.map((line) => `${line.join("	")}
`).join("");
    }
    markdown() {
      const cell = (words) => words.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/[\\`*_[\]|#~>!]/g, "\\$&").replace(/@/g, "@⁠").replace(/\n/g, " ");
      const line = (cells) => `| ${cells.join(" | ")} |
`;
      return [
        line(this.columns.map((column) => column.head)),
        line(this.columns.map((column) => column.kind === "number" ? "--:" : "---")),
        ...this.found.map((row) => line(this.columns.map((column) => cell(column.text(row)))))
      ].join("");
    }
  };

  // page/diff.js
  var MARKS = {
    exact: ["", "matched by all frames"],
    similar: ["≈", "matched by most frames"],
    "only-old": ["−", "only in the old trace"],
    "only-new": ["+", "only in the new trace"]
  };
  var PART = 100;
  var LEAST = 64 * 1024;
  function noiseOf(diff) {
    const sizes = diff.processes.flatMap(
      (pair) => pair.sites.map((row) => Math.abs(row.figures.reserved_bytes.change ?? 0))
    );
    return Math.max(LEAST, sizes.reduce((all, one) => all + one, 0) / PART);
  }
  var colored = (change2, least) => change2 >= least ? "up" : change2 <= -least ? "down" : "dim";
  function changeText(change2, least, show = bytes, sign = signedBytes) {
    return h(
      "span",
      {},
      h("span", { "data-bytes": String(change2.old ?? "?") }, show(change2.old)),
      " → ",
      h("span", { "data-bytes": String(change2.new ?? "?") }, show(change2.new)),
      change2.change === null ? null : " ",
      change2.change === null ? null : h("b", { class: colored(change2.change, least) }, sign(change2.change))
    );
  }
  function changeColumns(name, least) {
    const figure = (row) => row.figures[name];
    return [
      columnOf.bytes(`${name}-old`, `${name.replace("_bytes", "")} old`, (row) => figure(row).old),
      columnOf.bytes(`${name}-new`, "new", (row) => figure(row).new),
      {
        ...columnOf.change(`${name}-change`, "change", (row) => figure(row).change, "sorted by size, up or down", least),
        value: (row) => Math.abs(figure(row).change ?? 0)
      }
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
          text: (row) => signedCount(row.figures.live.change)
        }
      ]
    });
    table.set(kinds);
    return table;
  }
  var Comparison = class {
    constructor(main) {
      this.diff = DATA.diff;
      this.noise = noiseOf(this.diff);
      const card = (id, title, ...content) => h(
        "section",
        { id, class: "part", "aria-labelledby": `${id}-title` },
        h("h2", { id: `${id}-title` }, title),
        content
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
            "Times from the process's first instruction, or from the attach. Dashed: the old trace."
          )
        ),
        card("kinds", "Kinds", this.kinds),
        card(
          "sites",
          "Call sites",
          h(
            "p",
            { class: "dim" },
            Object.values(MARKS).map(([mark, words]) => `${mark || "nothing"}: ${words}`).join(" · ")
          ),
          this.rows,
          this.detail
        )
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
              (row) => h(
                "span",
                {
                  class: "mark",
                  title: MARKS[row.matched][1] + (row.similarity === null ? "" : `, ${(row.similarity * 100).toFixed(0)} % of them`)
                },
                MARKS[row.matched][0]
              )
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
              text: (row) => signedCount(row.figures.calls.change)
            },
            {
              name: "live",
              head: "live",
              kind: "number",
              value: (row) => row.figures.live.change,
              raw: (row) => row.figures.live.change,
              text: (row) => signedCount(row.figures.live.change)
            }
          ],
          ["released", "calls", "live"]
        )
      });
      this.table.search.id = "sites-search";
      this.drawn = drawing(this.canvas, (chart) => this.paint(chart));
    }
    summary() {
      const { diff } = this;
      const side = (name, one) => h(
        "p",
        { class: "dim" },
        `${name}: ${one.started_at}, ${duration(one.duration_ns)}, page faults ${one.faults}${one.lost > 0 ? `, ${count(one.lost)} events lost: the figures are what is known` : ", none lost"}`
      );
      return [
        h("p", { class: "sentence", id: "verdict-text" }, diff.text),
        this.sums(null),
        side("old", diff.old),
        side("new", diff.new),
        diff.predictions.map(
          (one) => h(
            "p",
            { class: "note" },
            h("code", {}, one.knob),
            ` was foretold to make ${one.name} ${bytes(one.predicted)} virtual (from ${bytes(one.old)}); it is ${bytes(one.new)}, ${Math.abs(one.deviation) < 5e-3 ? "as foretold" : `${one.deviation > 0 ? "+" : "−"}${Math.abs(one.deviation).toFixed(2)} % off`}.`
          )
        )
      ];
    }
    // Old, new, change: of all processes, and of the one that is looked at.
    sums(pair) {
      const { diff, noise } = this;
      const known = (value, words) => value === null || value === void 0 ? "–" : words(value);
      const row = (id, name, change2, what) => h(
        "tr",
        { id },
        h("th", { scope: "row" }, name),
        h("td", { class: "number" }, size(change2.old, `${id}.old`)),
        h("td", { class: "number" }, size(change2.new, `${id}.new`)),
        h(
          "td",
          { class: "number" },
          change2.change === null ? h("span", { class: "dim" }, what) : h("b", { class: colored(change2.change, noise) }, signedBytes(change2.change))
        )
      );
      const level = (id, name, change2) => h(
        "tr",
        { id },
        h("th", { scope: "row" }, name),
        h("td", { class: "number" }, known(change2.old, badge)),
        h("td", { class: "number" }, known(change2.new, badge)),
        h("td", {})
      );
      const head = ["", "old", "new", "change"].map((words) => h("th", { scope: "col", class: "number" }, words));
      const rows2 = pair ? [
        level("pair-level", pair.name || "?", pair.level),
        row("pair-virtual", "virtual", pair.virtual, "not in both"),
        row("pair-resident", "resident", pair.resident, "nobody looked at both")
      ] : [
        level("diff-level", "all processes", diff.level),
        row("diff-virtual", "virtual", diff.virtual, "not in both"),
        row("diff-resident", "resident", diff.resident, "not every process was looked at")
      ];
      return h("table", { class: "sums" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows2));
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
          ` ${pair.old_pid === null ? "" : `pid ${pair.old_pid}`} → ${pair.new_pid === null ? "" : `pid ${pair.new_pid}`} · ${{ exact: "the same program", similar: "matched by most of what is known of it", "only-old": "only in the old trace", "only-new": "only in the new trace" }[pair.matched]}`
        ),
        this.sums(pair),
        h(
          "p",
          { class: "dim" },
          `Call sites: ${count(pair.matches.exact)} matched by all frames, ${count(pair.matches.similar)} by most, ${count(pair.matches.only_old)} only old, ${count(pair.matches.only_new)} only new.`
        )
      );
      kindTable(this.kinds, pair.kinds, this.noise);
      this.table.set(
        pair.sites.map((row, id) => ({
          ...row,
          id,
          kind: text(row.kind) || (row.pre_existing ? "there at its start" : "of no known kind"),
          who: text(row.title) || text(row.name) || (row.pre_existing ? "anonymous" : "no stack"),
          location: text(row.location)
        }))
      );
      this.drawn.redraw();
    }
    select(row) {
      this.table.choose(row.id);
      const figure = (name) => h("div", {}, h("dt", {}, name.replace("_bytes", "")), h("dd", {}, changeText(row.figures[name], this.noise)));
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
            `${row.location} · ${row.kind} · ${MARKS[row.matched][1]} · sites ${row.old_sites.join(", ") || "none"} → ${row.new_sites.join(", ") || "none"}`
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
              "released_bytes"
            ].map(figure)
          ),
          list.length > 0 ? h("ol", { class: "stack" }, list.map(frameLine)) : null
        )
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
        ["new", pair.new, null]
      ]) {
        if (!course || course.t.length === 0) continue;
        end = Math.max(end, course.t[course.t.length - 1]);
        most = Math.max(most, ...course.virtual);
        for (const figure of ["virtual", ...course.sampled ? ["resident"] : []]) {
          const values = course[figure];
          const swatch = color(figure);
          series.push({
            name: `${figure}, ${name}`,
            type: "line",
            step: "end",
            symbol: "none",
            silent: true,
            data: course.t.map((time, index) => [time, values[index]]),
            lineStyle: { width: dash ? 1.5 : 2, type: dash || "solid", color: swatch, opacity: dash ? 0.7 : 1 }
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
            axisLabel: { ...axisStyle().axisLabel, formatter: (value) => instant(Math.round(value), end) }
          },
          yAxis: {
            type: "value",
            min: 0,
            ...byteSteps(most),
            ...axisStyle(),
            axisLabel: { ...axisStyle().axisLabel, formatter: (value) => bytes(value) }
          },
          tooltip: tip(
            (points) => points.length === 0 ? null : h(
              "div",
              {},
              h("div", { class: "dim" }, moment(points[0].axisValue)),
              points.map((point) => tipLine(point.seriesName, bytes(point.data[1])))
            ),
            { trigger: "axis" }
          ),
          series
        },
        { notMerge: true }
      );
      this.canvas.setAttribute(
        "aria-label",
        `Courses of ${pair.name}: virtual ${bytes(pair.virtual.old)} before, ${bytes(pair.virtual.new)} after.`
      );
      legend(this.legend, entries);
    }
  };

  // page/stacks.js
  var FOLDED = 3;
  var WIDEST = 0.7;
  var LEAST2 = 1;
  function child(node, key, name, place, kind) {
    if (!node.children.has(key))
      node.children.set(key, { key, name, place, kind, value: 0, children: /* @__PURE__ */ new Map(), sites: 0, parent: node });
    return node.children.get(key);
  }
  function treeOf(sites, value, { rest, inverted }) {
    const root = { name: "all", place: "", value: 0, children: /* @__PURE__ */ new Map(), sites: 0, kind: "root" };
    let unknown = 0;
    for (const one of sites) {
      const bytes2 = value(one);
      if (bytes2 === null) unknown += 1;
      if (!bytes2) continue;
      let node = root;
      const add = (next2) => {
        node = next2;
        node.value += bytes2;
        node.sites += 1;
        node.site = one;
      };
      root.value += bytes2;
      root.sites += 1;
      if (one.preExisting || one.stack === 0) {
        const name = one.preExisting ? "there at its start (pre-existing)" : one.calls === 0 ? "no call seen (unexplained)" : "no stack";
        add(child(root, one.kind, name, "", "root"));
        add(child(node, one.name, one.name || "anonymous", "", "root"));
      } else {
        const stack = frames(one.stack);
        if (!inverted) stack.reverse();
        for (const part2 of stack) {
          add(child(node, part2.key, part2.short, part2.module, part2.kind));
          if (part2.short === one.title || one.callers.includes(part2.short)) node.telling = true;
        }
      }
      node.ends = true;
    }
    const left = rest ? rest.bytes(root.value) : 0;
    if (left > 0) {
      child(root, "\0rest", rest.name, "", "root").value = left;
      root.value += left;
    }
    return { root, unknown, over: Math.max(0, -left) };
  }
  var largest = (node) => [...node.children.values()].reduce((one, other) => one && one.value >= other.value ? one : other, null);
  function widest(root) {
    const path = [];
    let node = root;
    for (; ; ) {
      const next2 = largest(node);
      if (!next2 || next2.children.size === 0 || node.ends || next2.value < WIDEST * node.value) return path;
      path.push(next2.key);
      node = next2;
    }
  }
  function boxesOf(root, path, { width, folds, opened }) {
    const boxes = [{ node: root, depth: 0, from: 0, to: 1, parent: null }];
    let hidden = 0;
    const draw = (node, depth, from, to, parent) => {
      const box = { node, depth, from, to, parent };
      boxes.push(box);
      return box;
    };
    const run = (nodes, depth, from, to, parent) => {
      const shown = folds && !opened.has(nodes[0]) ? shortened(nodes) : nodes;
      let above2 = parent;
      shown.forEach((node, index) => {
        above2 = draw(node, depth + index, from, to, above2);
      });
      return above2;
    };
    const walk = (box) => {
      let x = box.from;
      const children = [...box.node.children.values()].sort((one, other) => other.value - one.value);
      for (const one of children) {
        const next2 = x + (box.to - box.from) * one.value / box.node.value;
        if ((next2 - x) * width >= LEAST2) walk(run(unbranched(one), box.depth + 1, x, next2, box));
        else hidden += 1;
        x = next2;
      }
    };
    let focus = root;
    const above = path.map((key) => {
      focus = focus.children.get(key);
      return focus;
    });
    walk(above.length > 0 ? run(above, 1, 0, 1, boxes[0]) : boxes[0]);
    return { boxes, hidden, focus, depth: boxes.reduce((most, box) => Math.max(most, box.depth), 0) + 1 };
  }
  function unbranched(first) {
    const run = [first];
    for (let node = first; node.children.size === 1 && !node.ends; ) {
      [node] = node.children.values();
      run.push(node);
    }
    return run;
  }
  function shortened(nodes) {
    const shown = [];
    let between = [];
    const close = () => {
      shown.push(...between.length < FOLDED ? between : [folded(nodes[0], between)]);
      between = [];
    };
    nodes.forEach((node, index) => {
      if (index > 0 && index < nodes.length - 1 && !node.telling) {
        between.push(node);
        return;
      }
      close();
      shown.push(node);
    });
    return shown;
  }
  function folded(first, nodes) {
    const [{ value, sites }] = nodes;
    return { name: `⋯ ${nodes.length} frames`, place: "", kind: "fold", value, sites, first, nodes, children: /* @__PURE__ */ new Map() };
  }

  // page/flame.js
  var FLAME_ROW = 18;
  var NAMED = 12;
  var FLAME_MODES = [
    ["lives", "what lives"],
    ["grew", "what grew"],
    ["touched", "what was touched"],
    ["resident", "what is resident"]
  ];
  var Flame = class {
    constructor(element, select) {
      this.select = select;
      this.mode = "lives";
      this.query = "";
      this.path = [];
      this.zoomed = false;
      this.asked = false;
      this.inverted = false;
      this.opened = /* @__PURE__ */ new Set();
      this.cursor = null;
      this.modes = h("select", {
        id: "flame-mode",
        "aria-label": "Flame graph of",
        change: () => {
          this.mode = this.modes.value;
          this.asked = true;
          this.make();
        }
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
          }
        },
        "Invert"
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
        }
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
        keydown: (event) => this.key(event)
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
          h("label", {}, this.all, " every frame")
        ),
        this.total,
        this.colors,
        this.canvas,
        this.said,
        this.note
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
        ([mode]) => (mode !== "resident" || !window && process.resident) && (mode !== "touched" || DATA.faults === "each")
      );
      if (!this.asked) this.mode = window ? "grew" : "lives";
      if (!possible.some(([mode]) => mode === this.mode)) this.mode = "lives";
      fill(
        this.modes,
        possible.map(([mode, words]) => option(mode, words, this.mode))
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
      const name = this.window ? "without a course" : this.mode === "resident" ? "resident, of no site known" : "of no site";
      const made = treeOf(this.process.sites, (one) => this.value(one), {
        rest: whole === null ? null : { name, bytes: (known) => whole - known },
        inverted: this.inverted
      });
      Object.assign(this, made);
      const { from, to } = this.span();
      this.shrank = this.mode === "grew" ? this.process.sites.reduce(
        (all, one) => all + Math.max(0, (at(one, from, RESERVED) ?? 0) - (at(one, to, RESERVED) ?? 0)),
        0
      ) : 0;
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
      const when = this.window || this.mode === "grew" ? ` ${this.mode === "grew" ? `from ${moment(this.span().from)} to` : "at"} ${moment(this.span().to)}` : "";
      fill(
        this.total,
        size(this.root.value, "flame.total"),
        ` ${whole}${when}, from ${counted(this.root.sites, "call site", "call sites")}`,
        this.mode === "grew" && this.shrank > 0 ? [", while ", size(this.shrank, "flame.shrank"), " went elsewhere (not drawn)"] : null,
        this.query === "" ? null : [" · matched: ", size(this.matched(), "flame.matched"), `, ${percent(this.matched(), this.root.value)}`]
      );
      if (this.path.length > 0) {
        const here = this.focus();
        this.total.append(
          ` · zoomed to ${here.name}: `,
          size(here.value, "flame.zoomed"),
          `, ${percent(here.value, this.root.value)}`
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
          `${counted(this.hidden, "frame is", "frames are")} narrower than a pixel and not drawn with what is below: zoom in.`
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
      const { boxes } = this;
      const width = this.canvas.clientWidth;
      const swatches = {
        native: color("flame-native"),
        jit: color("flame-script"),
        interpreted: color("flame-script"),
        kernel: color("flame-kernel"),
        root: color("flame-root"),
        fold: color("flame-faded")
      };
      legend(this.colors, [
        ["native code", swatches.native],
        ["code of a runtime (JavaScript, Java, Python …)", swatches.jit],
        ["kernel", swatches.kernel],
        ["no stack", swatches.root]
      ]);
      const above = /* @__PURE__ */ new Set();
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
                const fill2 = this.query === "" ? swatches[node.kind] : this.matches(node) ? color("flame-match") : faded;
                const marked = node === this.cursor;
                return {
                  type: "rect",
                  shape: {
                    x: box.from * width,
                    y: box.depth * FLAME_ROW,
                    width: Math.max(0.5, wide),
                    height: FLAME_ROW - 1
                  },
                  style: {
                    fill: fill2,
                    stroke: marked ? strong : edge,
                    lineWidth: marked ? 2.5 : 0,
                    opacity: above.has(node) ? 0.55 : 1
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
                      fontFamily: "system-ui, sans-serif"
                    },
                    silent: true
                  }
                };
              }
            }
          ]
        },
        { notMerge: true }
      );
      this.tell();
    }
    tipOf(node) {
      return h(
        "div",
        { class: "wide-tip" },
        h("div", {}, h("b", {}, node.name)),
        node.place ? h("div", { class: "dim" }, node.place) : null,
        node.nodes ? [
          node.nodes.slice(0, NAMED).map((one) => h("div", { class: "dim" }, one.name)),
          node.nodes.length > NAMED ? h("div", { class: "dim" }, "…") : null
        ] : null,
        tipLine("bytes", bytes(node.value)),
        tipLine("of all", percent(node.value, this.root.value)),
        node.sites > 0 ? tipLine("call sites", count(node.sites)) : null
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
        ArrowRight: () => beside(1)
      };
      if (event.key in moves) {
        const next2 = moves[event.key]() || here;
        this.cursor = next2;
        this.said.textContent = `${next2.name}${next2.place ? ` in ${next2.place}` : ""}: ${bytes(next2.value)}, ${percent(next2.value, this.root.value)}`;
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
  };

  // page/lifetimes.js
  var Lifetimes = class {
    constructor(element, select) {
      this.note = h("p", { class: "dim" });
      const place = h("div", {});
      fill(element, this.note, place);
      const life = (index) => (row) => row.lifetime ? row.lifetime[index] : null;
      this.table = new Table(place, {
        caption: "lifetimes",
        sort: "released",
        select: (row) => select(row.id),
        columns: lesser(
          [
            keyColumn(),
            columnOf.text("kind", "kind", (row) => row.kind, kindCell),
            columnOf.text("who", "whose doing", whoWords, who),
            columnOf.bytes("released", "released", (row) => row.released),
            columnOf.count("gone", "gone", (row) => row.calls - row.live, "calls − reservations that still live"),
            { ...columnOf.text("bar", "10 µs to 10 h", () => "", lifeBar), value: life(0) },
            columnOf.span("p50", "half within", life(0)),
            columnOf.span("p90", "90 %", life(1)),
            columnOf.span("p99", "99 %", life(2)),
            columnOf.span("max", "longest", life(3)),
            trendColumn,
            columnOf.bytes(
              "growth",
              "grows by the hour",
              (row) => row.growth ? row.growth.median : null,
              "the median of its present slopes; ? where it does not grow, or that is not sure"
            )
          ],
          ["gone", "p90", "p99", "growth"]
        )
      });
    }
    show(process) {
      const rows2 = process.sites.filter((one) => one.lifetime || one.growth || one.trend === "growing");
      const released = sum(process.sites, (one) => one.released);
      this.note.textContent = `How long what was given back had lived, by call site: ${bytes(released)} in all. Of the whole trace, whatever the window.`;
      this.table.set(rows2);
    }
  };
  function lifeBar(row) {
    if (!row.lifetime) return "";
    const place = (ns) => Math.max(0, Math.min(100, (Math.log10(Math.max(ns, 1)) - 4) / 9.556 * 100));
    const [p50, , p99, max] = row.lifetime.map(place);
    const piece = (name, from, to) => {
      const span = h("span", { class: name });
      span.style.left = `${from}%`;
      span.style.width = `${Math.max(1, to - from)}%`;
      return span;
    };
    return h(
      "div",
      {
        class: "life",
        title: `half within ${duration(row.lifetime[0])}, 99 % within ${duration(row.lifetime[2])}, the longest ${duration(row.lifetime[3])}`
      },
      piece("life-tail", p99, max),
      piece("life-most", p50, p99),
      piece("life-half", p50, p50 + 1.5)
    );
  }

  // page/map.js
  var MAP_ROW = 26;
  var MAP_ROWS = 8;
  var MAP_LEAST = 2;
  var AddressMap = class {
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
        }
      });
      this.said = h("span", { class: "dim", id: "map-said", role: "status" });
      this.canvas = h("div", {
        class: "canvas",
        id: "map-canvas",
        tabindex: "0",
        role: "application",
        "aria-label": "Map of the address space: arrow keys move, Enter selects the call site",
        keydown: (event) => this.key(event)
      });
      this.canvas.style.height = `${MAP_ROWS * MAP_ROW + 4}px`;
      this.legend = h("div", { class: "legend" });
      this.note = h("p", { class: "dim", id: "map-note" });
      fill(
        element,
        h("div", { class: "tools" }, h("label", {}, this.scale, " log scale"), h("span", { class: "spring" }), this.said),
        this.canvas,
        this.legend,
        this.note
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
      const weight = this.log ? (bytes2) => Math.log2(1 + bytes2 / 4096) : (bytes2) => bytes2;
      const room = width * MAP_ROWS;
      const all = held.reduce((sum2, one) => sum2 + weight(one.reserved), 0) || 1;
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
        cell.main = cell.members.reduce((one, other) => other.reserved > one.reserved ? other : one);
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
          const row = Math.min(MAP_ROWS - 1, Math.floor((x + 5e-3) / width));
          const from = x - row * width;
          const piece = Math.min(left, Math.max(0.02, width - from));
          pieces.push([
            from,
            row,
            piece,
            cell.touched === null ? 0 : cell.touched / Math.max(1, cell.reserved),
            colors.get(cell.main.site ? cell.main.site.kind : "") || PLAIN.others,
            index
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
                      silent: true
                    },
                    ...marked ? [
                      {
                        type: "rect",
                        shape: { x: box.x, y: box.y, width: Math.max(2, wide), height: high },
                        style: { fill: "none", stroke: ink, lineWidth: index === this.cursor ? 3 : 2 },
                        silent: true,
                        z2: 10
                      }
                    ] : []
                  ]
                };
              }
            }
          ]
        },
        { notMerge: true }
      );
      legend(
        this.legend,
        [...colors].filter(([kind]) => held.some((one) => one.site && one.site.kind === kind)).map(([kind, swatch]) => [kind, swatch])
      );
      const merged = this.cells.filter((cell) => cell.count > 1);
      const shown = sum(held, (one) => one.count) || 0;
      const parts = [
        `${counted(shown, "reservation", "reservations")}, ${bytes(sum(held, (one) => one.reserved))}, in the order of their addresses; the gaps between them are left out. Filled: touched${DATA.faults === "each" ? "" : " (not known)"}.`
      ];
      if (merged.length > 0)
        parts.push(
          `${counted(
            sum(merged, (cell) => cell.count),
            "reservation is",
            "reservations are"
          )} too narrow to be seen and drawn with neighbours, as ${counted(merged.length, "cell", "cells")}.`
        );
      if (held.length < this.process.heldTotal && !this.window)
        parts.push(
          `The smallest of ${count(this.process.heldTotal)} were put together in the page: ${counted(held.length, "row is", "rows are")} left.`
        );
      if (this.window)
        parts.push(
          "Of the window: those made by its end that were still there at the end of the trace, as they were then."
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
          `0x${main.start.toString(16)} – 0x${(main.start + BigInt(main.length)).toString(16)} ${main.protection}`
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
        cell.count > 1 ? h(
          "div",
          { class: "warn-text" },
          `the largest of ${counted(cell.count, "neighbour", "neighbours")} drawn together, ${bytes(cell.reserved)}`
        ) : null
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
  };

  // page/processes.js
  var SHOWN2 = 8;
  var MANY = 12;
  var LEVELS = ["benign", "unknown", "watch", "refused", "leak"];
  var Processes = class {
    // `select`: shows the process at a place.
    constructor(element, select) {
      const rows2 = DATA.processes.map((one, index) => ({ id: index, one, together: 1 }));
      this.rows = rows2;
      const by = h(
        "select",
        { id: "processes-by", change: () => this.fill(by.value) },
        option("program", "program"),
        option("process", "process")
      );
      this.note = h("p", { class: "dim" });
      const place = h("div", {});
      fill(element, this.note, place);
      this.table = new Table(place, {
        caption: "processes",
        // In the order of the report, until another is asked for.
        lead: (row) => row.id,
        shown: SHOWN2,
        select: (row) => select(row.id),
        extra: h("label", {}, "By ", by)
      });
      this.fill("program");
    }
    fill(by) {
      const programs = /* @__PURE__ */ new Map();
      for (const row of this.rows) {
        const name = row.one.name || "?";
        if (!programs.has(name)) programs.set(name, { ...row, together: 0, peak: 0 });
        const group = programs.get(name);
        group.together += 1;
        group.peak = Math.max(group.peak, row.one.virtual.peak);
      }
      this.note.textContent = `${counted(this.rows.length, "process", "processes")} of ${counted(programs.size, "program", "programs")}, the one that this report is about first. Choose one to see it below.`;
      if (by === "program") this.table.set([...programs.values()], columns(true), null);
      else
        this.table.set(
          this.rows.map((row) => ({ ...row, peak: row.one.virtual.peak })),
          columns(false),
          null
        );
    }
    choose(index) {
      this.table.choose(index);
    }
  };
  function columns(grouped2) {
    return [
      columnOf.text(
        "program",
        "program",
        (row) => row.one.name || "?",
        (row) => h("b", {}, row.one.name || "?")
      ),
      grouped2 ? columnOf.count("together", "processes", (row) => row.together) : { ...columnOf.count("pid", "pid", (row) => row.one.pid), text: (row) => String(row.one.pid) },
      {
        ...columnOf.text(
          "level",
          "level",
          (row) => row.one.verdict.level,
          (row) => badge(row.one.verdict.level)
        ),
        value: (row) => LEVELS.indexOf(row.one.verdict.level)
      },
      columnOf.text("headline", "what it is", (row) => row.one.verdict.headline),
      columnOf.bytes("peak", "peak", (row) => row.peak, "the most virtual memory at a time"),
      columnOf.bytes(
        "resident",
        "resident peak",
        (row) => row.one.resident?.peak ?? null,
        "the most in memory at a look"
      ),
      columnOf.time("from", "began", (row) => row.one.from),
      columnOf.text(
        "command",
        "command",
        (row) => row.one.command,
        (row) => h("span", { class: "command", title: row.one.command }, row.one.command)
      )
    ];
  }

  // page/reservations.js
  var Reservations = class {
    constructor(element, select) {
      this.note = h("p", { class: "dim", id: "reservations-note" });
      const place = h("div", {});
      fill(element, this.note, place);
      this.window = null;
      this.table = new Table(place, {
        caption: "reservations",
        sort: "reserved",
        select: (row) => row.site && select(row.site.id),
        columns: columns2(null)
      });
    }
    show(process, window) {
      const rows2 = window ? process.held.filter((one) => one.born === null || one.born <= window.to) : process.held;
      const parts = [`What lives at the end of the trace${window ? ` and was made by ${moment(window.to)}` : ""}.`];
      if (process.held.length < process.heldTotal)
        parts.push(
          `Of ${count(process.heldTotal)}, small neighbours were put together in the page: ${counted(process.held.length, "row", "rows")}.`
        );
      this.note.textContent = parts.join(" ");
      this.table.set(rows2, columns2(window), window ? "grew" : "reserved", window !== this.window);
      this.window = window;
    }
  };
  var hex = (address) => `0x${address.toString(16)}`;
  function columns2(window) {
    const made = (row) => row.born !== null && row.born >= window.from && row.born <= window.to ? row.reserved : 0;
    const all = [
      { name: "start", head: "from", kind: "number", value: (row) => row.start, text: (row) => hex(row.start) },
      {
        name: "end",
        head: "to",
        kind: "number",
        value: (row) => row.start + BigInt(row.length),
        text: (row) => hex(row.start + BigInt(row.length))
      },
      { ...keyColumn((row) => row.site), name: "site" },
      columnOf.text("kind", "kind", (row) => row.site ? row.site.kind : "?"),
      columnOf.bytes("reserved", "reserved", (row) => row.reserved),
      ...window ? [columnOf.change("grew", "made in the window", made)] : [],
      columnOf.bytes("accessible", "accessible", (row) => row.accessible),
      columnOf.bytes("touched", "touched", (row) => row.touched),
      columnOf.bytes("resident", "resident", (row) => row.resident),
      columnOf.text("protection", "protection", (row) => row.protection),
      columnOf.text("flags", "flags", (row) => row.flags),
      columnOf.time("born", "made at", (row) => row.born),
      columnOf.count("count", "together", (row) => row.count),
      columnOf.text("name", "name", (row) => row.name)
    ];
    return lesser(all, ["end", "accessible", "flags", "count"]);
  }

  // page/sites.js
  var GROUPS = [
    ["site", "call site"],
    ["kind", "kind"],
    ["thread", "thread"],
    ["module", "module"]
  ];
  var LESS = ["threads", "accessible", "charged", "released", "live", "first", "last"];
  function siteColumns() {
    return lesser(
      [
        keyColumn(),
        columnOf.text("kind", "kind", (row) => row.kind, kindCell),
        columnOf.text("who", "whose doing", whoWords, who),
        columnOf.text("threads", "threads", (row) => row.threads.join(", ")),
        columnOf.bytes("reserved", "reserved", (row) => row.reserved, "alive at the end"),
        columnOf.bytes(
          "accessible",
          "accessible",
          (row) => row.accessible,
          "of these, with a protection other than none"
        ),
        columnOf.bytes("touched", "touched", (row) => row.touched, "of these, ever touched"),
        columnOf.bytes("resident", "resident", (row) => row.resident, "of these, in memory at the last look"),
        columnOf.bytes("charged", "charged", (row) => row.charged, "of these, charged against the commit limit"),
        columnOf.bytes("peak", "peak", (row) => row.peak, "the most alive at a time"),
        columnOf.bytes("released", "released", (row) => row.released, "given back in the course of the trace"),
        columnOf.count("live", "live", (row) => row.live, "reservations alive at the end"),
        columnOf.count("calls", "calls", (row) => row.calls, "successful calls that reserved"),
        columnOf.time("first", "since", (row) => row.first, "first call"),
        columnOf.time("last", "last call", (row) => row.last),
        trendColumn
      ],
      LESS
    );
  }
  function groupColumns(by) {
    return [
      columnOf.text("who", GROUPS.find(([name]) => name === by)[1], (row) => row.who),
      columnOf.count("sites", "sites", (row) => row.sites),
      ...siteColumns().filter(
        ({ name }) => [
          "reserved",
          "accessible",
          "touched",
          "resident",
          "charged",
          "released",
          "live",
          "calls",
          "first",
          "last"
        ].includes(name)
      )
    ];
  }
  function windowColumns(window, by) {
    const begin = by === "site" ? siteColumns().slice(0, 4) : [
      columnOf.text("who", GROUPS.find(([name]) => name === by)[1], (row) => row.who),
      columnOf.count("sites", "sites", (row) => row.sites)
    ];
    return [
      ...begin,
      columnOf.bytes("alive", `alive at ${moment(window.to)}`, (row) => row.alive),
      columnOf.change("grew", "grew in the window", (row) => row.grew),
      columnOf.bytes("accessible-then", "accessible then", (row) => row.accessibleThen),
      columnOf.bytes("touched-then", "touched then", (row) => row.touchedThen)
    ];
  }
  function inWindow(one, window) {
    const alive = at(one, window.to, RESERVED);
    return {
      ...one,
      about: null,
      alive,
      grew: alive === null ? null : alive - at(one, window.from, RESERVED),
      accessibleThen: at(one, window.to, ACCESSIBLE),
      touchedThen: DATA.faults === "each" ? at(one, window.to, TOUCHED) : null
    };
  }
  function grouped(sites, by) {
    const groups = /* @__PURE__ */ new Map();
    const add = (name, one) => {
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(one);
    };
    for (const one of sites) {
      if (by === "kind") add(one.kind, one);
      else if (by === "module") add(one.module || (one.preExisting ? "there at its start" : "?"), one);
      else add(one.threads.length === 0 ? one.preExisting ? "there at its start" : "?" : one.threads.join(", "), one);
    }
    return [...groups].map(([name, members]) => {
      const row = { who: name, sites: members.length };
      for (const figure of [
        "reserved",
        "accessible",
        "touched",
        "resident",
        "charged",
        "released",
        "live",
        "calls",
        "alive",
        "grew",
        "accessibleThen",
        "touchedThen"
      ]) {
        row[figure] = sum(members, (one) => one[figure]);
      }
      row.first = members.reduce((least, one) => Math.min(least, one.first), Infinity);
      row.last = members.reduce((most, one) => Math.max(most, one.last), 0);
      return row;
    });
  }
  var Sites = class {
    constructor(element, select) {
      this.by = "site";
      this.choice = h(
        "select",
        {
          id: "sites-by",
          change: () => {
            this.by = this.choice.value;
            this.fill();
          }
        },
        GROUPS.map(([name, words]) => option(name, words))
      );
      this.table = new Table(element, {
        caption: "call sites",
        columns: siteColumns(),
        sort: "reserved",
        // What the verdict is about comes first, until another order is asked for.
        lead: (row) => row.about ?? null,
        select: (row) => row.id !== void 0 && select(row.id),
        extra: h("label", {}, "By ", this.choice)
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
      const columns3 = window ? windowColumns(window, by) : by === "site" ? siteColumns() : groupColumns(by);
      this.table.set(by === "site" ? sites : grouped(sites, by), columns3, window ? "grew" : "reserved");
    }
  };

  // page/subject.js
  var TOLD = 0.04;
  function subjectOf(process) {
    const { verdict } = process;
    if (verdict.level !== "leak" && verdict.level !== "watch") return null;
    const named = sitesOf(process);
    if (named.length === 0) return residentOf(process);
    const times = /* @__PURE__ */ new Set([process.from, process.to]);
    for (const { site: site3 } of named) for (const time of site3.course[0]) times.add(time);
    const t = [...times].filter((time) => time >= process.from && time <= process.to).sort((one2, other) => one2 - other);
    const line = (name, swatch, site3, figure) => {
      const values = t.map((time) => at(site3, time, figure));
      return { name, color: swatch, values, end: values[values.length - 1] };
    };
    const middle = process.from + (process.to - process.from) / 2;
    const grew = (figure) => named.reduce((all, { site: site3 }) => all + at(site3, process.to, figure) - at(site3, middle, figure), 0);
    const followed = DATA.faults === "each";
    const byTouch = followed && grew(TOUCHED) > grew(RESERVED);
    const loud = color(verdict.level === "leak" ? "bad" : "warn");
    if (named.length > 1) {
      const figure = byTouch ? TOUCHED : RESERVED;
      const what = byTouch ? "touched" : "mapped";
      return {
        t,
        parts: named.map(
          ({ one: one2, site: site3 }, index) => line(`${one2.name} ${one2.site}, ${what}`, PALETTE[index % PALETTE.length], site3, figure)
        )
      };
    }
    const [{ one, site: site2 }] = named;
    const parts = [];
    if (!byTouch) parts.push(line(`${one.name}: mapped`, loud, site2, RESERVED));
    if (followed) parts.push(line(`${one.name}: touched`, byTouch ? loud : color("touched"), site2, TOUCHED));
    return { t, parts };
  }
  function sitesOf(process) {
    const named = process.verdict.who.map((one) => ({ one, site: process.byKey.get(one.site) }));
    return named.filter(({ site: site2 }) => site2 && site2.course[0].length > 0);
  }
  function residentOf(process) {
    const { t, resident } = process.timeline;
    const first = resident.findIndex((value) => value > 0);
    if (!process.resident || first < 0) return null;
    const values = resident.map((value, index) => index < first ? null : value);
    return { t, parts: [{ name: "resident", color: color("resident"), values, end: process.resident.end }] };
  }
  function stepsOf(process) {
    const { t, virtual } = process.timeline;
    const whole = Math.max(1, ...virtual);
    const span = Math.max(1, process.to - process.from);
    const value = (time) => {
      const index = t.findIndex((one) => one >= time);
      return index < 0 ? process.virtual.end : virtual[index];
    };
    const steps = sitesOf(process).map(({ one, site: site2 }) => ({ ...largest2(site2), name: `${one.name} ${one.site}` })).filter(({ rise }) => rise >= TOLD * whole).sort((one, other) => one.time - other.time);
    const groups = [];
    for (const step of steps) {
      const last = groups[groups.length - 1];
      if (last && step.time - last[0].time < TOLD * span) last.push(step);
      else groups.push([step]);
    }
    const told = groups.map((group) => {
      const names = group.map(({ name }) => name);
      const rise = group[0].rise;
      const alike = group.every((step) => step.rise === rise);
      const what = alike ? `${signedBytes(rise)} ${names.join(", then ")}` : group.map((step) => `${signedBytes(step.rise)} ${step.name}`).join(", then ");
      const when = [...new Set(group.map(({ time }) => instant(time, span)))].join(", ");
      return { time: group[0].time, value: value(group[0].time), text: `${what} · ${when}` };
    });
    const refused2 = process.refused.slice(0, 3).map((row) => ({
      time: row.first,
      value: value(row.first),
      text: `${row.what.split(":")[0]} · ${instant(row.first, span)}`,
      bad: true
    }));
    return [...told, ...refused2];
  }
  function largest2(site2) {
    const [times, reserved] = site2.course;
    let found = { rise: 0, time: 0 };
    reserved.forEach((bytes2, index) => {
      const rise = bytes2 - (index === 0 ? 0 : reserved[index - 1]);
      if (rise > found.rise) found = { rise, time: times[index] };
    });
    return found;
  }

  // page/timeline.js
  var BANDS = 9;
  var Timeline = class {
    constructor(element, setWindow) {
      this.setWindow = setWindow;
      this.by = "lines";
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
          }
        },
        option("about", "what the verdict is about"),
        option("lines", "virtual, touched, resident"),
        option("kind", "stacked by kind"),
        option("site", "stacked by call site")
      );
      this.scale = h("input", {
        type: "checkbox",
        id: "timeline-log",
        change: () => {
          this.log = this.scale.checked;
          this.draw();
        }
      });
      this.scaleLabel = h("label", {}, this.scale, " log scale");
      const seconds = (id, label) => h("input", {
        id,
        type: "number",
        min: "0",
        step: "any",
        "aria-label": label,
        class: "seconds",
        change: () => this.typed()
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
          this.clear
        ),
        this.canvas,
        this.legend,
        this.note
      );
      this.process = null;
      this.window = null;
      this.drawn = drawing(this.canvas, (chart2) => this.paint(chart2));
      const chart = this.drawn.chart;
      chart.on("brushEnd", ({ areas }) => {
        if (areas.length === 0) return setWindow(null);
        const [from, to] = areas[0].coordRange.map(Math.round);
        setWindow({ from: Math.max(from, this.process.from), to: Math.min(to, this.process.to) });
      });
    }
    // In seconds of the trace.
    typed() {
      const read = (input, otherwise) => input.value === "" ? otherwise : Math.round(Number(input.value) * SECOND);
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
        if (!this.asked || this.by === "about" && !about) this.by = about ? "about" : "lines";
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
      const most = about ? parts.reduce((all, part2) => part2.values.reduce((one, other) => Math.max(one, other ?? 0), all), 1) : Math.max(1, ...process.timeline.virtual, process.virtual.end);
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
              formatter: (value) => instant(Math.round(value), process.to - process.from)
            },
            splitLine: { show: false }
          },
          yAxis: {
            type: log ? "log" : "value",
            logBase: 2,
            ...axisStyle(),
            axisLabel: { ...axisStyle().axisLabel, formatter: (value) => bytes(Math.round(value)) },
            ...log ? {} : { min: 0, ...byteSteps(most) }
          },
          tooltip: tip((points) => this.tipAt(points), {
            trigger: "axis",
            axisPointer: { type: "line", lineStyle: { color: color("dim") } }
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
            inBrush: { colorAlpha: 1 }
          },
          // A stack is painted from its top down, each band over what is above it.
          series: [
            ...(stacked ? [...parts].reverse() : parts).map((part2) => ({
              name: part2.name,
              type: "line",
              step: "end",
              symbol: "none",
              silent: true,
              z: about && part2 === parts[0] ? 3 : 2,
              data: t.map((time, index) => [
                time,
                stacked ? part2.top[index] : log && part2.values[index] === 0 ? null : part2.values[index],
                part2.values[index]
              ]),
              lineStyle: { width: stacked ? 0 : 2, color: part2.color },
              areaStyle: stacked ? { color: part2.color, opacity: 1 } : part2.name === "virtual" || about ? { color: part2.color, opacity: 0.08 } : void 0
            })),
            ...this.by === "lines" ? [this.steps()] : []
          ]
        },
        { notMerge: true }
      );
      chart.dispatchAction({
        type: "takeGlobalCursor",
        key: "brush",
        brushOption: { brushType: "lineX", brushMode: "single" }
      });
      if (this.window)
        chart.dispatchAction({
          type: "brush",
          areas: [{ brushType: "lineX", xAxisIndex: 0, coordRange: [this.window.from, this.window.to] }]
        });
      legend(
        this.legend,
        parts.map((part2) => [part2.name, part2.color, part2.end])
      );
      this.canvas.setAttribute(
        "aria-label",
        `Course of ${process.name}: ${bytes(process.virtual.start)} virtual at the start, ${bytes(process.virtual.end)} at the end. The window can be typed above.`
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
              ...step.text.length * 6.5 > room ? { width: room, overflow: "break" } : {},
              color: color("ink"),
              backgroundColor: color("surface"),
              padding: [1, 3],
              fontSize: 12,
              lineHeight: 15
            }
          };
        })
      };
    }
    lines() {
      const { process } = this;
      const { timeline } = process;
      const parts = [{ name: "virtual", color: color("virtual"), values: timeline.virtual, end: process.virtual.end }];
      if (DATA.faults === "each")
        parts.push({ name: "touched", color: color("touched"), values: timeline.touched, end: touchedOf(process) });
      if (process.resident) {
        const first = timeline.resident.findIndex((value) => value > 0);
        parts.push({
          name: "resident",
          color: color("resident"),
          values: timeline.resident.map((value, index) => index < first ? null : value),
          end: process.resident.end
        });
      }
      return parts;
    }
    // Sums of the sites' courses at the times of the process's own; what is left to it is a band of its own.
    bands() {
      const { process } = this;
      const { t, virtual } = process.timeline;
      const colors = colorsOf(process);
      const groups = /* @__PURE__ */ new Map();
      for (const one of process.sites) {
        const times = one.course[0];
        if (times.length === 0) continue;
        const name = this.by === "kind" ? one.kind : `${one.who} ${one.key}`;
        if (!groups.has(name)) groups.set(name, { name, kind: one.kind, values: new Array(t.length).fill(0), most: 0 });
        const group = groups.get(name);
        for (let index = 0, next2 = 0; index < t.length; index += 1) {
          while (next2 < times.length && times[next2] <= t[index]) next2 += 1;
          if (next2 > 0) group.values[index] += one.course[RESERVED][next2 - 1];
        }
      }
      const ranked = [...groups.values()];
      for (const group of ranked) group.most = group.values.reduce((one, other) => Math.max(one, other), 0);
      ranked.sort((one, other) => other.most - one.most);
      const shown = ranked.length === BANDS + 1 ? BANDS + 1 : BANDS;
      const bands = ranked.slice(0, shown);
      const small = ranked.slice(shown);
      if (small.length > 0) {
        const values = t.map((_, index) => small.reduce((all, group) => all + group.values[index], 0));
        bands.push({ name: `${count(small.length)} others`, kind: "others", values });
      }
      const rest = t.map((_, index) => virtual[index] - bands.reduce((all, band) => all + band.values[index], 0));
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
        color: PLAIN[band.kind] && (own || band.kind === "others" || band.kind === "rest") ? PLAIN[band.kind] : own ? colors.get(band.kind) : PALETTE[index % PALETTE.length],
        values: band.values,
        top: band.values.map((value, time) => top[time] += value),
        end: band.values[band.values.length - 1]
      }));
    }
    tipAt(points) {
      if (points.length === 0) return null;
      const index = points[0].dataIndex;
      const { virtual } = this.process.timeline;
      const stacked = this.by === "kind" || this.by === "site";
      const shown = this.parts.map((part2) => [part2, part2.values[index]]).filter(([, value]) => value !== null && (value > 0 || !stacked));
      return h(
        "div",
        {},
        h("div", { class: "dim" }, instant(this.times[index], this.process.to - this.process.from)),
        shown.map(([part2, value]) => tipLine(part2.name, bytes(value), part2.color)),
        !stacked ? null : tipLine("virtual, all of it", bytes(virtual[index]))
      );
    }
    noted(t) {
      const parts = [];
      if (this.by === "about")
        parts.push(
          "Only what the verdict is about, to its own scale: “virtual, touched, resident” shows the whole process."
        );
      else if (t.length > 1) {
        const step = (t[t.length - 1] - t[0]) / (t.length - 1);
        parts.push(
          `Drawn from ${count(t.length)} points, ${duration(Math.round(step))} apart on average: what came and went between two of them is not seen here; the peak above is exact.`
        );
      }
      if (this.by === "kind" || this.by === "site") {
        const without = this.process.sites.filter((one) => one.course[0].length === 0).length;
        if (without > 0) parts.push(`${counted(without, "call site has", "call sites have")} no course.`);
        if (this.over.times > 0)
          parts.push(
            `At ${counted(this.over.times, "point", "points")} the thinned courses add up to more than there was, by up to ${bytes(this.over.most)}: the largest band is drawn smaller by that.`
          );
      }
      parts.push("Times are of the trace, in all of this report. Drag over the curve to set the window.");
      return parts.join(" ");
    }
  };

  // page/windowed.js
  var NAMED2 = 3;
  function windowSummary(process, window, select) {
    if (!window) return null;
    const [before, after] = [virtualAt(process, window.from), virtualAt(process, window.to)];
    const changes = process.sites.map((one) => ({ one, grew: (at(one, window.to, RESERVED) ?? 0) - (at(one, window.from, RESERVED) ?? 0) })).filter(({ grew }) => grew !== 0).sort((one, other) => other.grew - one.grew);
    const grown = changes.filter(({ grew }) => grew > 0);
    const shrunk = changes.filter(({ grew }) => grew < 0);
    const sum2 = (list) => list.reduce((all, { grew }) => all + grew, 0);
    const looked = residentAt(process, window.to);
    return h(
      "section",
      { class: "card windowed", "aria-label": "The window" },
      h(
        "p",
        {},
        h("b", {}, `From ${moment(window.from)} to ${moment(window.to)}`),
        h("span", { class: "dim" }, ` (${duration(window.to - window.from)})`),
        ": virtual ",
        size(before, "window.before"),
        " → ",
        size(after, "window.after"),
        ", ",
        h("b", {}, signedBytes(after - before)),
        looked === null ? null : [" · resident then ", bytes(looked)]
      ),
      grown.length === 0 ? h("p", { class: "dim" }, "No call site grew in it.") : h(
        "p",
        {},
        `${counted(grown.length, "call site", "call sites")} grew by ${bytes(sum2(grown))}: `,
        grown.slice(0, NAMED2).map(({ one, grew }, index) => [
          index > 0 ? ", " : "",
          h(
            "button",
            { type: "button", class: "link", click: () => select(one.id) },
            h("b", {}, breakable(one.who))
          ),
          ` ${signedBytes(grew)} `,
          h("span", { class: "key" }, one.key)
        ]),
        grown.length > NAMED2 ? ", …" : ""
      ),
      shrunk.length === 0 ? null : h(
        "p",
        { class: "dim" },
        `${counted(shrunk.length, "call site", "call sites")} shrank by ${bytes(-sum2(shrunk))}.`
      )
    );
  }
  function residentAt(process, time) {
    const { t, resident } = process.timeline;
    let value = null;
    for (let index = 0; index < t.length && t[index] <= time; index += 1)
      if (resident[index] > 0) value = resident[index];
    return process.resident ? value : null;
  }

  // page/main.js
  var state = { process: 0, window: null, site: null };
  function part(id, title, what) {
    const inner = h("div", { class: "part-body" });
    $("main").append(
      h(
        "section",
        { id, class: "part", "aria-labelledby": `${id}-title` },
        h("h2", { id: `${id}-title` }, title),
        what ? h("p", { class: "lead" }, what) : null,
        inner
      )
    );
    return inner;
  }
  function sections(list) {
    fill(
      $("sections"),
      list.map(
        ([id, title]) => h(
          "a",
          {
            href: `#${id}`,
            // The address keeps the window.
            click: (event) => {
              event.preventDefault();
              goTo(id);
            }
          },
          title
        )
      )
    );
  }
  function goTo(id) {
    const target = $(id);
    if (!target) return;
    target.scrollIntoView({ block: "start" });
    target.setAttribute("tabindex", "-1");
    target.focus({ preventScroll: true });
  }
  function startReport() {
    if (DATA.processes.length === 0) {
      part("verdict", "Nothing was traced").append(losses() || "");
      sections([]);
      $("process").hidden = true;
      return () => {
      };
    }
    const many = DATA.processes.length > 1;
    const shown = (index) => {
      state.process = index;
      choice.value = String(index);
      showProcess();
      writeHash(state);
    };
    const choose = (index) => {
      shown(index);
      goTo("verdict");
    };
    const first = DATA.processes.length > MANY;
    const choosing = () => new Processes(part("processes", "Processes"), choose);
    let processes = first ? choosing() : null;
    const verdict = part("verdict", "Answer");
    const setWindow = (window) => {
      state.window = window;
      follow();
      writeHash(state);
    };
    const select = (id) => {
      const from = document.activeElement;
      if (state.site === null && from !== document.body) state.back = from;
      state.site = id;
      showSite();
      if (id !== null) $("site").focus({ preventScroll: true });
      else if (state.back?.isConnected) state.back.focus({ preventScroll: true });
    };
    const timeline = new Timeline(part("timeline", "Timeline"), setWindow);
    const proof = h("p", { class: "proof", id: "proof" });
    const summary = h("div", { id: "window-summary", role: "status" });
    $("timeline").append(summary, proof);
    if (many && !first) processes = choosing();
    const evidence = part("figures", "Figures");
    const map = new AddressMap(part("map", "Address space"), select);
    const flame = new Flame(part("flame", "Call stacks"), select);
    const lifetimes = new Lifetimes(part("lifetimes", "Lifetimes"), select);
    const sites = new Sites(part("sites", "Call sites"), select);
    const reservations = new Reservations(part("reservations", "Reservations"), select);
    const detail = new Detail($("site"), () => select(null));
    sections([
      ...first ? [["processes", "Processes"]] : [],
      ["verdict", "Answer"],
      ["timeline", "Timeline"],
      ...many && !first ? [["processes", "Processes"]] : [],
      ["figures", "Figures"],
      ["map", "Address space"],
      ["flame", "Call stacks"],
      ["lifetimes", "Lifetimes"],
      ["sites", "Call sites"],
      ["reservations", "Reservations"]
    ]);
    const process = () => decode(DATA.processes[state.process]);
    function showSite() {
      const one = state.site === null ? null : process().byId.get(state.site) || null;
      detail.show(process(), one);
      map.show(process(), state.window, state.site);
      for (const { table } of [sites, lifetimes]) table.choose(state.site);
    }
    function follow() {
      const { window } = state;
      const chip = $("window-chip");
      chip.hidden = window === null;
      if (window)
        fill(
          chip,
          `${moment(window.from)} – ${moment(window.to)} `,
          h("button", { type: "button", "aria-label": "Clear the window", click: () => setWindow(null) }, "×")
        );
      timeline.show(process(), window);
      map.show(process(), window, state.site);
      flame.show(process(), window);
      sites.show(process(), window);
      reservations.show(process(), window);
      fill(summary, windowSummary(process(), window, select));
    }
    function showProcess() {
      state.window = null;
      state.site = null;
      showAnswer(verdict, process(), select);
      showEvidence(evidence, process());
      fill(proof, proofOf(process()));
      if (processes) processes.choose(state.process);
      lifetimes.show(process());
      flame.start();
      follow();
      showSite();
    }
    const choice = $("process");
    fill(
      choice,
      DATA.processes.map(
        (one, index) => option(String(index), `${one.name || "?"} · pid ${one.pid} · ${bytes(one.virtual.end)} · ${one.verdict.level}`)
      )
    );
    choice.addEventListener("change", () => shown(Number(choice.value)));
    let opened = false;
    const asAddressed = () => {
      const asked = readHash();
      if (asked.process !== state.process || !opened) shown(asked.process);
      opened = true;
      const { from, to } = process();
      if (asked.window) {
        const window = { from: Math.max(asked.window.from, from), to: Math.min(asked.window.to, to) };
        if (window.from < window.to) setWindow(window);
      }
    };
    asAddressed();
    addEventListener("hashchange", asAddressed);
    document.title = `${process().name || "?"} · tracer`;
    return {
      escape: () => {
        if (state.site !== null) select(null);
        else if (flame.zoomed && flame.path.length > 0) flame.zoom([]);
        else if (state.window) setWindow(null);
      },
      flame
    };
  }
  function startDiff() {
    const comparison = new Comparison($("main"));
    sections([
      ["verdict", "Comparison"],
      ["timeline", "Timelines"],
      ["kinds", "Kinds"],
      ["sites", "Call sites"]
    ]);
    const choice = $("process");
    fill(
      choice,
      DATA.diff.processes.map(
        (one, index) => option(String(index), `${one.name || "?"} · ${bytes(one.virtual.old)} → ${bytes(one.virtual.new)}`)
      )
    );
    choice.addEventListener("change", () => comparison.show(Number(choice.value)));
    if (DATA.diff.processes.length > 0) comparison.show(0);
    document.title = "comparison · tracer";
    return { escape: () => comparison.detail.replaceChildren() };
  }
  function keyboard(page) {
    const help = $("help");
    $("help-open").addEventListener("click", () => help.showModal());
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
      if (event.key === "Escape") {
        if (event.target.matches("input[type=search]") && event.target.value !== "") return;
        page.escape();
        return;
      }
      if (event.target.matches("input:not([type=checkbox]), select, textarea")) return;
      const section = /^[1-9]$/.test(event.key) && $("sections").children[Number(event.key) - 1];
      if (event.key === "?") help.showModal();
      else if (event.key === "/" && $("sites-search")) focusOn("sites", "sites-search");
      else if (event.key === "f" && $("flame-search")) focusOn("flame", "flame-search");
      else if (event.key === "t") nextTheme();
      else if (section) goTo(section.getAttribute("href").slice(1));
      else return;
      event.preventDefault();
    });
  }
  function focusOn(section, input) {
    $(section).scrollIntoView({ block: "start" });
    $(input).focus({ preventScroll: true });
  }
  function footer() {
    if (DATA.diff) return;
    const failed = DATA.failed_calls.map((one) => `${one.call} ${count(one.count)}`).join(", ");
    fill(
      $("footer"),
      h(
        "p",
        {},
        [
          `tracer ${DATA.version}`,
          `began ${DATA.started_at}`,
          duration(DATA.duration),
          `${counted(DATA.events, "event", "events")}, ${lostWords()}`,
          `page faults: ${DATA.faults}`,
          `Linux ${DATA.host.kernel} ${DATA.host.arch}`,
          DATA.host.name
        ].filter(Boolean).join(" · ")
      ),
      failed ? h("p", {}, `Failed calls: ${failed}`) : null,
      DATA.tracer.peak_bytes > 0 ? h(
        "p",
        {},
        `Tracing took ${percent(DATA.tracer.cpu_ns, DATA.duration)} of a core and ${bytes(DATA.tracer.peak_bytes)}.`
      ) : null
    );
  }
  function proofOf(process) {
    const { complete, cut, broken, none } = process.stacks;
    const all = complete.calls + cut.calls + broken.calls + none.calls;
    return [
      process.trust,
      `${counted(DATA.events, "event", "events")}, ${lostWords()}`,
      all > 0 ? `stacks complete for ${percent(complete.calls, all)} of calls` : null
    ].filter(Boolean).join(" · ");
  }
  function lostWords() {
    const { events, stacks, faults, late } = DATA.losses;
    const lost = events + stacks + faults + late;
    return lost === 0 ? "none lost" : `${count(lost)} lost`;
  }
  startTheme();
  footer();
  keyboard(DATA.diff ? startDiff() : startReport());
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
