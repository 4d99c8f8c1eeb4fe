// The table of call sites, each by itself or by what they have in common; in a window, or of the whole trace.

import { columnOf, keyColumn, kindCell, lesser, trendColumn, who, whoWords } from "./columns.js";
import { ACCESSIBLE, at, DATA, RESERVED, sum, TOUCHED } from "./data.js";
import { h, option } from "./dom.js";
import { Table } from "./table.js";
import { moment } from "./units.js";

const GROUPS = [
  ["site", "call site"],
  ["kind", "kind"],
  ["thread", "thread"],
  ["module", "module"],
];

const LESS = ["threads", "accessible", "charged", "released", "live", "first", "last"];

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
        "of these, with a protection other than none",
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
      trendColumn,
    ],
    LESS,
  );
}

function groupColumns(by) {
  return [
    columnOf.text("who", GROUPS.find(([name]) => name === by)[1], (row) => row.who),
    columnOf.count("sites", "sites", (row) => row.sites),
    ...siteColumns().filter(({ name }) =>
      [
        "reserved",
        "accessible",
        "touched",
        "resident",
        "charged",
        "released",
        "live",
        "calls",
        "first",
        "last",
      ].includes(name),
    ),
  ];
}

// Of a window only what courses tell is known.
function windowColumns(window, by) {
  const begin =
    by === "site"
      ? siteColumns().slice(0, 4)
      : [
          columnOf.text("who", GROUPS.find(([name]) => name === by)[1], (row) => row.who),
          columnOf.count("sites", "sites", (row) => row.sites),
        ];
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
    ...one,
    about: null,
    alive,
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
      "touchedThen",
    ]) {
      row[figure] = sum(members, (one) => one[figure]);
    }
    row.first = members.reduce((least, one) => Math.min(least, one.first), Infinity);
    row.last = members.reduce((most, one) => Math.max(most, one.last), 0);
    return row;
  });
}

export class Sites {
  constructor(element, select) {
    this.by = "site";
    this.choice = h(
      "select",
      {
        id: "sites-by",
        change: () => {
          this.by = this.choice.value;
          this.fill();
        },
      },
      GROUPS.map(([name, words]) => option(name, words)),
    );
    this.table = new Table(element, {
      caption: "call sites",
      columns: siteColumns(),
      sort: "reserved",
      // What the verdict is about comes first, until another order is asked for.
      lead: (row) => row.about ?? null,
      select: (row) => row.id !== undefined && select(row.id),
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
    this.table.set(by === "site" ? sites : grouped(sites, by), columns, window ? "grew" : "reserved");
  }
}
