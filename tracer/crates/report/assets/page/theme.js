// Light, dark, or as the system has it; and the colours of kinds.

import { $ } from "./dom.js";

export const PALETTE = [
  "#4e79a7",
  "#f28e2b",
  "#59a14f",
  "#b07aa1",
  "#e15759",
  "#39a0a0",
  "#d4a72c",
  "#9c755f",
  "#e377a2",
  "#6b6ecf",
];
export const PLAIN = {
  "there at its start": "#7c8796",
  "of no known kind": "#a3a9b3",
  "no call seen": "#c2413b",
  others: "#a3a9b3",
  rest: "#c8ccd2",
};

const wantsDark = matchMedia("(prefers-color-scheme: dark)");
const THEMES = ["system", "light", "dark"];
let theme = "system";
export const redraws = new Set();

function applyTheme(chosen) {
  theme = chosen;
  const dark = theme === "dark" || (theme === "system" && wantsDark.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  const button = $("theme");
  button.textContent = { system: "◐", light: "☀", dark: "☾" }[theme];
  button.setAttribute("aria-label", `Theme: ${theme}`);
  button.title = `Theme: ${theme} (t)`;
  for (const redraw of redraws) redraw();
}

export function nextTheme() {
  applyTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
}

export const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Each kind of a process has a colour, the largest first.
export function colorsOf(process) {
  const sums = new Map();
  for (const one of process.sites) sums.set(one.kind, (sums.get(one.kind) || 0) + one.peak);
  const kinds = [...sums.keys()].sort((one, other) => sums.get(other) - sums.get(one));
  const colors = new Map();
  for (const kind of kinds) {
    colors.set(kind, PLAIN[kind] || PALETTE[colors.size % PALETTE.length]);
  }
  return colors;
}

export function startTheme() {
  wantsDark.addEventListener("change", () => applyTheme(theme));
  $("theme").addEventListener("click", nextTheme);
  // Paper is white, and narrower than most windows: what is drawn is drawn for it.
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
