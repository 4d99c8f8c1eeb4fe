// The model, out of its columns. Its shape is described in report/html.

import { $ } from "./dom.js";

export const DATA = JSON.parse($("data").textContent);
export const text = (place) => DATA.strings[place];

export const DOUBT = [
  null,
  "The stack is right as far as it goes, and then cut off.",
  "The walk lost its way: outer frames may be missing or wrong.",
  "There is no stack.",
];
const TREND = ["one-off", "settled", "growing", "churn"];

const seen = [];

function frame(place) {
  if (!seen[place]) seen[place] = makeFrame(place);
  return seen[place];
}

function makeFrame(place) {
  const frames = DATA.frames;
  return {
    // One function, wherever in it the call is.
    key: `${frames.short[place]} ${frames.module[place]}`,
    name: text(frames.name[place]),
    short: text(frames.short[place]),
    location: text(frames.location[place]),
    module: text(frames.module[place]),
    kind: ["native", "jit", "interpreted", "kernel"][frames.kind[place]],
    inlined: frames.inlined[place] === 1,
  };
}

// The frames of a stack, innermost first.
export function frames(node) {
  const found = [];
  for (let at = node; at !== 0; at -= DATA.stacks.up[at]) found.push(frame(DATA.stacks.frame[at]));
  return found;
}

// The rows of columns, each made when it is asked for the first time.
function rows(columns, length, make) {
  return Array.from({ length }, (_, index) => make((name) => columns[name][index], index));
}

const decoded = new Map();

// A process with its sites and reservations as rows.
export function decode(process) {
  if (decoded.has(process)) return decoded.get(process);
  const sites = rows(process.sites, process.sites.id.length, site);
  const byId = new Map(sites.map((one) => [one.id, one]));
  const byKey = new Map();
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
    name: text(of("name")),
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
    course: of("course"),
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
    "last",
  ]) {
    made[name] = of(name);
  }
  made.kind = kindOf(made);
  made.who =
    made.title || made.name || (made.preExisting ? "anonymous" : made.calls === 0 ? "no call seen" : "no stack");
  return made;
}

// What a site is counted to where kinds are told apart.
function kindOf(one) {
  if (one.preExisting) return "there at its start";
  if (one.pattern) return one.pattern.name;
  return one.calls === 0 ? "no call seen" : "of no known kind";
}

export const RESERVED = 1;
export const ACCESSIBLE = 2;
export const TOUCHED = 3;

// A site's figure at a moment, by its course; null: no course is known.
export function at(one, time, figure) {
  const [times] = one.course;
  if (times.length === 0) return null;
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : one.course[figure][low - 1];
}

// What a process had at a moment, by its own curve; the end is exact.
export function virtualAt(process, time) {
  if (time >= process.to) return process.virtual.end;
  const { t, virtual } = process.timeline;
  let value = null;
  for (let index = 0; index < t.length && t[index] <= time; index += 1) value = virtual[index];
  return value ?? (time < process.from ? 0 : process.virtual.start);
}

// Sums of which a part is unknown are unknown.
export function sum(list, figure) {
  let all = 0;
  for (const one of list) {
    const value = figure(one);
    if (value === null || value === undefined) return null;
    all += value;
  }
  return all;
}
