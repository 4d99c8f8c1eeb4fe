// What the verdict is about, as curves: what the sites that it names hold, and where they made the process step.

import { at, DATA, RESERVED, TOUCHED } from "./data.js";
import { color, PALETTE } from "./theme.js";
import { instant, signedBytes } from "./units.js";

// A step smaller than this part of the whole curve is not told, nor told apart if nearer to the one before.
const TOLD = 0.04;

// { t, parts } of a verdict on growth; null: it is about the whole process.
export function subjectOf(process) {
  const { verdict } = process;
  if (verdict.level !== "leak" && verdict.level !== "watch") return null;
  const named = sitesOf(process);
  if (named.length === 0) return residentOf(process);
  const times = new Set([process.from, process.to]);
  for (const { site } of named) for (const time of site.course[0]) times.add(time);
  const t = [...times].filter((time) => time >= process.from && time <= process.to).sort((one, other) => one - other);
  const line = (name, swatch, site, figure) => {
    const values = t.map((time) => at(site, time, figure));
    return { name, color: swatch, values, end: values[values.length - 1] };
  };
  const middle = process.from + (process.to - process.from) / 2;
  const grew = (figure) =>
    named.reduce((all, { site }) => all + at(site, process.to, figure) - at(site, middle, figure), 0);
  // Of what was mapped long ago and is used more and more only what is touched grows.
  const followed = DATA.faults === "each";
  const byTouch = followed && grew(TOUCHED) > grew(RESERVED);
  const loud = color(verdict.level === "leak" ? "bad" : "warn");
  if (named.length > 1) {
    const figure = byTouch ? TOUCHED : RESERVED;
    const what = byTouch ? "touched" : "mapped";
    return {
      t,
      parts: named.map(({ one, site }, index) =>
        line(`${one.name} ${one.site}, ${what}`, PALETTE[index % PALETTE.length], site, figure),
      ),
    };
  }
  const [{ one, site }] = named;
  const parts = [];
  if (!byTouch) parts.push(line(`${one.name}: mapped`, loud, site, RESERVED));
  if (followed) parts.push(line(`${one.name}: touched`, byTouch ? loud : color("touched"), site, TOUCHED));
  return { t, parts };
}

function sitesOf(process) {
  const named = process.verdict.who.map((one) => ({ one, site: process.byKey.get(one.site) }));
  return named.filter(({ site }) => site && site.course[0].length > 0);
}

function residentOf(process) {
  const { t, resident } = process.timeline;
  const first = resident.findIndex((value) => value > 0);
  if (!process.resident || first < 0) return null;
  const values = resident.map((value, index) => (index < first ? null : value));
  return { t, parts: [{ name: "resident", color: color("resident"), values, end: process.resident.end }] };
}

// Where the sites of the verdict, or what was refused, stand on the process's own curve: { time, value, text }.
export function stepsOf(process) {
  const { t, virtual } = process.timeline;
  const whole = Math.max(1, ...virtual);
  const span = Math.max(1, process.to - process.from);
  const value = (time) => {
    const index = t.findIndex((one) => one >= time);
    return index < 0 ? process.virtual.end : virtual[index];
  };
  const steps = sitesOf(process)
    .map(({ one, site }) => ({ ...largest(site), name: `${one.name} ${one.site}` }))
    .filter(({ rise }) => rise >= TOLD * whole)
    .sort((one, other) => one.time - other.time);
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
    const what = alike
      ? `${signedBytes(rise)} ${names.join(", then ")}`
      : group.map((step) => `${signedBytes(step.rise)} ${step.name}`).join(", then ");
    const when = [...new Set(group.map(({ time }) => instant(time, span)))].join(", ");
    return { time: group[0].time, value: value(group[0].time), text: `${what} · ${when}` };
  });
  const refused = process.refused.slice(0, 3).map((row) => ({
    time: row.first,
    value: value(row.first),
    text: `${row.what.split(":")[0]} · ${instant(row.first, span)}`,
    bad: true,
  }));
  return [...told, ...refused];
}

// The most that a site took at once.
function largest(site) {
  const [times, reserved] = site.course;
  let found = { rise: 0, time: 0 };
  reserved.forEach((bytes, index) => {
    const rise = bytes - (index === 0 ? 0 : reserved[index - 1]);
    if (rise > found.rise) found = { rise, time: times[index] };
  });
  return found;
}
