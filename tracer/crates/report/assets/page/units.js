// Figures in words, as analysis/units.rs has them: binary sizes, times, shares, counts.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

// As Rust writes it: what lies exactly between two goes to the even one.
function fixed(value, digits) {
  if ((value * 2 ** (digits + 1)) % 2 !== 1) return value.toFixed(digits);
  const low = Math.floor(value * 10 ** digits);
  return ((low % 2 === 0 ? low : low + 1) / 10 ** digits).toFixed(digits);
}

export function bytes(value) {
  if (value === null || value === undefined) return "?";
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

export function signedBytes(value) {
  if (value === null || value === undefined) return "?";
  if (value === 0) return bytes(0);
  return (value > 0 ? "+" : "−") + bytes(Math.abs(value));
}

export function count(value) {
  if (value === null || value === undefined) return "?";
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function signedCount(value) {
  if (value === null || value === undefined) return "?";
  return (value > 0 ? "+" : value < 0 ? "−" : "") + count(Math.abs(value));
}

export function counted(value, singular, plural) {
  return `${count(value)} ${value === 1 ? singular : plural}`;
}

export const SECOND = 1e9;

export function duration(ns) {
  if (ns === null || ns === undefined) return "?";
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

export function moment(ns) {
  if (ns === null || ns === undefined) return "?";
  return ns < SECOND ? `${fixed(ns / SECOND, 1)} s` : duration(ns);
}

// A moment of a span that may be short: with as many digits as tell its parts from each other.
export function instant(ns, span) {
  if (span <= 0 || span >= 2 * SECOND) return moment(ns);
  const digits = Math.min(9, Math.ceil(Math.log10((2 * SECOND) / span)) + 1);
  return `${(ns / SECOND).toFixed(digits)} s`;
}

export function percent(part, whole) {
  if (part === null || whole === null) return "?";
  if (part === 0 || whole === 0) return "0 %";
  if (part >= whole) return "100 %";
  const share = (part * 100) / whole;
  if (share < 0.0005) return "under 0.001 %";
  if (share < 0.0095) return `${fixed(share, 3)} %`;
  if (share < 0.095) return `${fixed(share, 2)} %`;
  if (share < 9.95) return `${fixed(share, 1)} %`;
  if (share < 99) return `${fixed(share, 0)} %`;
  return "over 99 %";
}
