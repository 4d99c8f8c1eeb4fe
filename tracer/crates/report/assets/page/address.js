// What is looked at, in the page's address: `#process=1&window=15.000-20.000`, the window in seconds of the trace.

import { DATA } from "./data.js";
import { SECOND } from "./units.js";

export function writeHash({ process, window }) {
  const parts = [];
  if (process > 0) parts.push(`process=${process}`);
  if (window) parts.push(`window=${window.from / SECOND}-${window.to / SECOND}`);
  const hash = parts.length > 0 ? `#${parts.join("&")}` : "";
  if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname + location.search);
}

// What cannot be is left out: anybody may have written it.
export function readHash() {
  const words = new URLSearchParams(location.hash.slice(1));
  const process = Number(words.get("process"));
  const [from, to] = (words.get("window") || "").split("-").map((part) => Math.round(Number(part) * SECOND));
  return {
    process: Number.isInteger(process) && process > 0 && process < DATA.processes.length ? process : 0,
    window: from >= 0 && from < to ? { from, to } : null,
  };
}
