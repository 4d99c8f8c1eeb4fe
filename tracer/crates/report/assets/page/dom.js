// The document is filled by text only: nothing here takes markup.

import { bytes, count } from "./units.js";

export const $ = (id) => document.getElementById(id);

// An element; `attributes` that are functions are listeners, `false` and null leave an attribute out.
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "class") element.className = value;
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function fill(element, ...children) {
  element.replaceChildren(
    ...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false),
  );
}

// A size, with its exact bytes for whoever points at it.
export function size(value, name) {
  const known = value !== null && value !== undefined;
  return h(
    "span",
    {
      class: "figure",
      "data-bytes": known ? String(value) : "?",
      "data-figure": name,
      title: known ? `${count(value)} bytes` : "not known",
    },
    bytes(value),
  );
}

// Long names may be broken behind `::` and `/`, and elsewhere only if need be.
export function breakable(words) {
  return words.split(/(?<=::|\/)/).flatMap((part, index) => (index === 0 ? [part] : [h("wbr", {}), part]));
}

export function badge(level) {
  return h("span", { class: `badge ${level}` }, level);
}

export function option(value, text, chosen) {
  return h("option", { value, selected: value === chosen }, text);
}

// Says something that is not in sight, or has just happened.
let saidLast = 0;
export function say(text) {
  const toast = $("toast");
  toast.textContent = text;
  toast.hidden = false;
  const mine = ++saidLast;
  setTimeout(() => {
    if (mine === saidLast) toast.hidden = true;
  }, 2500);
}

// The clipboard; a browser that refuses it to a file still has the old way.
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "offstage", "aria-hidden": "true" });
    area.value = text;
    const before = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (before) before.focus();
    if (!done) {
      say("The browser does not allow copying.");
      return;
    }
  }
  say(`Copied: ${what}.`);
}
