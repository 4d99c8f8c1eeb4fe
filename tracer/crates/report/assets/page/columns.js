// Columns of tables: of the usual sorts, and those that more than one table has.

import { badge, breakable, h, size } from "./dom.js";
import { bytes, count, duration, moment, signedBytes } from "./units.js";

// Of these a table shows only the rest, until all are asked for.
export const lesser = (columns, names) =>
  columns.map((column) => (names.includes(column.name) ? { ...column, less: true } : column));

export const columnOf = {
  text: (name, head, words, show) => ({ name, head, kind: "text", value: words, text: words, show }),
  bytes: (name, head, value, title) => ({
    name,
    head,
    title,
    kind: "number",
    value,
    raw: value,
    text: (row) => bytes(value(row)),
    show: (row) => size(value(row), name),
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
    show: (row) =>
      h(
        "span",
        {
          "data-bytes": String(value(row) ?? "?"),
          class: value(row) >= least ? "up" : value(row) <= -least ? "down" : "dim",
        },
        signedBytes(value(row)),
      ),
  }),
  count: (name, head, value, title) => ({
    name,
    head,
    title,
    kind: "number",
    value,
    raw: value,
    text: (row) => count(value(row)),
  }),
  time: (name, head, value, title) => ({
    name,
    head,
    title,
    kind: "number",
    value,
    raw: value,
    text: (row) => (value(row) === null ? "" : moment(value(row))),
  }),
  span: (name, head, value, title) => ({
    name,
    head,
    title,
    kind: "number",
    value,
    raw: value,
    text: (row) => (value(row) === null ? "" : duration(value(row))),
  }),
};

export const who = (row) =>
  h(
    "div",
    { class: "who-cell" },
    h("div", { class: "title" }, breakable(row.who)),
    row.location ? h("div", { class: "dim" }, breakable(row.location)) : null,
  );
export const whoWords = (row) => [row.who, row.location].filter(Boolean).join(" ");
// Of a site that the verdict is about the verdict's level, of another that of its kind.
export const kindCell = (row) => [
  row.level === "unknown" ? null : [badge(row.level), " "],
  row.pattern ? row.pattern.name : h("span", { class: "dim" }, row.kind),
];
export const keyColumn = (site = (row) => row) =>
  columnOf.text(
    "id",
    "site",
    (row) => site(row)?.key ?? "?",
    (row) => h("span", { class: "key" }, site(row)?.key ?? "?"),
  );

const TREND_ORDER = { growing: 3, churn: 2, settled: 1, "one-off": 0 };

export const trendColumn = {
  name: "trend",
  head: "trend",
  kind: "text",
  value: (row) => TREND_ORDER[row.trend],
  text: (row) => row.trend,
};
