// The page: its parts, what is chosen, and the keyboard.

import { readHash, writeHash } from "./address.js";
import { showAnswer } from "./answer.js";
import { DATA, decode } from "./data.js";
import { Detail } from "./detail.js";
import { Comparison } from "./diff.js";
import { $, fill, h, option } from "./dom.js";
import { losses, showEvidence } from "./evidence.js";
import { Flame } from "./flame.js";
import { Lifetimes } from "./lifetimes.js";
import { AddressMap } from "./map.js";
import { MANY, Processes } from "./processes.js";
import { Reservations } from "./reservations.js";
import { Sites } from "./sites.js";
import { nextTheme, startTheme } from "./theme.js";
import { Timeline } from "./timeline.js";
import { bytes, count, counted, duration, moment, percent } from "./units.js";
import { windowSummary } from "./windowed.js";

const state = { process: 0, window: null, site: null };

function part(id, title, what) {
  const inner = h("div", { class: "part-body" });
  $("main").append(
    h(
      "section",
      { id, class: "part", "aria-labelledby": `${id}-title` },
      h("h2", { id: `${id}-title` }, title),
      what ? h("p", { class: "lead" }, what) : null,
      inner,
    ),
  );
  return inner;
}

function sections(list) {
  fill(
    $("sections"),
    list.map(([id, title]) =>
      h(
        "a",
        {
          href: `#${id}`,
          // The address keeps the window.
          click: (event) => {
            event.preventDefault();
            goTo(id);
          },
        },
        title,
      ),
    ),
  );
}

function goTo(id) {
  const target = $(id);
  if (!target) return;
  target.scrollIntoView({ block: "start" });
  target.setAttribute("tabindex", "-1");
  target.focus({ preventScroll: true });
}

// Returns what has to happen when Escape is pressed and nothing nearer takes it.
function startReport() {
  if (DATA.processes.length === 0) {
    part("verdict", "Nothing was traced").append(losses() || "");
    sections([]);
    $("process").hidden = true;
    return () => {};
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
    ...(first ? [["processes", "Processes"]] : []),
    ["verdict", "Answer"],
    ["timeline", "Timeline"],
    ...(many && !first ? [["processes", "Processes"]] : []),
    ["figures", "Figures"],
    ["map", "Address space"],
    ["flame", "Call stacks"],
    ["lifetimes", "Lifetimes"],
    ["sites", "Call sites"],
    ["reservations", "Reservations"],
  ]);
  const process = () => decode(DATA.processes[state.process]);

  function showSite() {
    const one = state.site === null ? null : process().byId.get(state.site) || null;
    detail.show(process(), one);
    map.show(process(), state.window, state.site);
    for (const { table } of [sites, lifetimes]) table.choose(state.site);
  }

  // Everything that the window sets.
  function follow() {
    const { window } = state;
    const chip = $("window-chip");
    chip.hidden = window === null;
    if (window)
      fill(
        chip,
        `${moment(window.from)} – ${moment(window.to)} `,
        h("button", { type: "button", "aria-label": "Clear the window", click: () => setWindow(null) }, "×"),
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
    DATA.processes.map((one, index) =>
      option(String(index), `${one.name || "?"} · pid ${one.pid} · ${bytes(one.virtual.end)} · ${one.verdict.level}`),
    ),
  );
  choice.addEventListener("change", () => shown(Number(choice.value)));
  let opened = false;
  // As the address says: a window can be sent to somebody.
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
    flame,
  };
}

function startDiff() {
  const comparison = new Comparison($("main"));
  sections([
    ["verdict", "Comparison"],
    ["timeline", "Timelines"],
    ["kinds", "Kinds"],
    ["sites", "Call sites"],
  ]);
  const choice = $("process");
  fill(
    choice,
    DATA.diff.processes.map((one, index) =>
      option(String(index), `${one.name || "?"} · ${bytes(one.virtual.old)} → ${bytes(one.virtual.new)}`),
    ),
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
        DATA.host.name,
      ]
        .filter(Boolean)
        .join(" · "),
    ),
    failed ? h("p", {}, `Failed calls: ${failed}`) : null,
    DATA.tracer.peak_bytes > 0
      ? h(
          "p",
          {},
          `Tracing took ${percent(DATA.tracer.cpu_ns, DATA.duration)} of a core and ${bytes(DATA.tracer.peak_bytes)}.`,
        )
      : null,
  );
}

// Why to believe it, in one line.
function proofOf(process) {
  const { complete, cut, broken, none } = process.stacks;
  const all = complete.calls + cut.calls + broken.calls + none.calls;
  return [
    process.trust,
    `${counted(DATA.events, "event", "events")}, ${lostWords()}`,
    all > 0 ? `stacks complete for ${percent(complete.calls, all)} of calls` : null,
  ]
    .filter(Boolean)
    .join(" · ");
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
