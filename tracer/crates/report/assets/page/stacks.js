// Call stacks as a tree of what they hold, and which of its boxes are drawn: unbranched runs of frames are one.

import { frames } from "./data.js";

// Fewer frames than this are drawn by themselves.
const FOLDED = 3;
// A branch that holds this part of what it comes from is what is looked at first.
const WIDEST = 0.7;
// Narrower boxes are not drawn, pixels.
const LEAST = 1;

function child(node, key, name, place, kind) {
  if (!node.children.has(key))
    node.children.set(key, { key, name, place, kind, value: 0, children: new Map(), sites: 0, parent: node });
  return node.children.get(key);
}

// `value` of a site; null: not known. `rest`: bytes of no site, and how they are called. `inverted`: innermost first.
export function treeOf(sites, value, { rest, inverted }) {
  const root = { name: "all", place: "", value: 0, children: new Map(), sites: 0, kind: "root" };
  let unknown = 0;
  for (const one of sites) {
    const bytes = value(one);
    if (bytes === null) unknown += 1;
    if (!bytes) continue;
    let node = root;
    const add = (next) => {
      node = next;
      node.value += bytes;
      node.sites += 1;
      node.site = one;
    };
    root.value += bytes;
    root.sites += 1;
    if (one.preExisting || one.stack === 0) {
      const name = one.preExisting
        ? "there at its start (pre-existing)"
        : one.calls === 0
          ? "no call seen (unexplained)"
          : "no stack";
      add(child(root, one.kind, name, "", "root"));
      add(child(node, one.name, one.name || "anonymous", "", "root"));
    } else {
      const stack = frames(one.stack);
      if (!inverted) stack.reverse();
      for (const part of stack) {
        add(child(node, part.key, part.short, part.module, part.kind));
        if (part.short === one.title || one.callers.includes(part.short)) node.telling = true;
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

const largest = (node) =>
  [...node.children.values()].reduce((one, other) => (one && one.value >= other.value ? one : other), null);

// Down to where the widest branch parts.
export function widest(root) {
  const path = [];
  let node = root;
  for (;;) {
    const next = largest(node);
    if (!next || next.children.size === 0 || node.ends || next.value < WIDEST * node.value) return path;
    path.push(next.key);
    node = next;
  }
}

// Boxes from 0 to 1 of `width` pixels; those above `path`'s end are as wide as all. `folds`: whether runs are one box.
export function boxesOf(root, path, { width, folds, opened }) {
  const boxes = [{ node: root, depth: 0, from: 0, to: 1, parent: null }];
  let hidden = 0;
  const draw = (node, depth, from, to, parent) => {
    const box = { node, depth, from, to, parent };
    boxes.push(box);
    return box;
  };
  // A run as boxes below each other; its last is returned.
  const run = (nodes, depth, from, to, parent) => {
    const shown = folds && !opened.has(nodes[0]) ? shortened(nodes) : nodes;
    let above = parent;
    shown.forEach((node, index) => {
      above = draw(node, depth + index, from, to, above);
    });
    return above;
  };
  const walk = (box) => {
    let x = box.from;
    const children = [...box.node.children.values()].sort((one, other) => other.value - one.value);
    for (const one of children) {
      const next = x + ((box.to - box.from) * one.value) / box.node.value;
      if ((next - x) * width >= LEAST) walk(run(unbranched(one), box.depth + 1, x, next, box));
      else hidden += 1;
      x = next;
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

// A frame and what is called from it and from nowhere else.
function unbranched(first) {
  const run = [first];
  for (let node = first; node.children.size === 1 && !node.ends; ) {
    [node] = node.children.values();
    run.push(node);
  }
  return run;
}

// A run's first frame, its end, and what a call site is called by stay; what is between is boilerplate.
function shortened(nodes) {
  const shown = [];
  let between = [];
  const close = () => {
    shown.push(...(between.length < FOLDED ? between : [folded(nodes[0], between)]));
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
  return { name: `⋯ ${nodes.length} frames`, place: "", kind: "fold", value, sites, first, nodes, children: new Map() };
}
