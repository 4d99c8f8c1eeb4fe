// The page: its parts, what is chosen, and the keyboard.

import { DATA, decode } from "./data.js";
import { Detail } from "./detail.js";
import { Comparison } from "./diff.js";
import { $, fill, h, option } from "./dom.js";
import { Flame } from "./flame.js";
import { Lifetimes } from "./lifetimes.js";
import { AddressMap } from "./map.js";
import { Reservations } from "./reservations.js";
import { Sites } from "./sites.js";
import { nextTheme, startTheme } from "./theme.js";
import { Timeline } from "./timeline.js";
import { bytes, count, counted, duration, moment, percent } from "./units.js";
import { losses, showVerdict } from "./verdict.js";

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
    list.map(([id, title]) => h("a", { href: `#${id}` }, title)),
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
  const verdict = part("verdict", "Verdict");
  const setWindow = (window) => {
    state.window = window;
    follow();
  };
  const select = (id) => {
    const from = document.activeElement;
    if (state.site === null && from !== document.body) state.back = from;
    state.site = id;
    showSite();
    if (id !== null) $("site").focus({ preventScroll: true });
    else if (state.back?.isConnected) state.back.focus({ preventScroll: true });
  };
  const timeline = new Timeline(part("timeline", "Course"), setWindow);
  const map = new AddressMap(part("map", "Address space"), select);
  const flame = new Flame(part("flame", "Call stacks"), select);
  const lifetimes = new Lifetimes(part("lifetimes", "Lifetimes"), select);
  const sites = new Sites(part("sites", "Call sites"), select);
  const reservations = new Reservations(part("reservations", "Reservations"), select);
  const detail = new Detail($("site"), () => select(null));
  sections([
    ["verdict", "Verdict"],
    ["timeline", "Course"],
    ["map", "Map"],
    ["flame", "Stacks"],
    ["lifetimes", "Lifetimes"],
    ["sites", "Sites"],
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
  }

  function showProcess() {
    state.window = null;
    state.site = null;
    showVerdict(verdict, process());
    lifetimes.show(process());
    flame.path = [];
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
  choice.addEventListener("change", () => {
    state.process = Number(choice.value);
    showProcess();
  });
  showProcess();
  document.title = `${process().name || "?"} · tracer`;
  return {
    escape: () => {
      if (state.site !== null) select(null);
      else if (flame.path.length > 0) flame.zoom([]);
      else if (state.window) setWindow(null);
    },
    flame,
  };
}

function startDiff() {
  const comparison = new Comparison($("main"));
  sections([
    ["verdict", "Comparison"],
    ["timeline", "Courses"],
    ["kinds", "Kinds"],
    ["sites", "Sites"],
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

function lostWords() {
  const { events, stacks, faults, late } = DATA.losses;
  const lost = events + stacks + faults + late;
  return lost === 0 ? "none lost" : `${count(lost)} lost`;
}

startTheme();
footer();
keyboard(DATA.diff ? startDiff() : startReport());
document.documentElement.dataset.ready = String(Math.round(performance.now()));
