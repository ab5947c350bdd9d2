import { mark } from "../i18n/index.js";
import { icon, setIcon } from "./icons.js";

/** @typedef {import("../i18n/index.js").Key} Key */
/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element. Strings become text nodes, never markup. In `props`, `class` is the class list,
 * `on…` functions are listeners, booleans are attributes that are there or not.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(element, name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {any} value
 */
function setProp(element, name, value) {
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (value === true) element.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
}

/**
 * An element with translated text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Key} key
 * @param {Record<string, any>} [props]
 */
export function ht(tag, key, props = {}) {
  return mark(h(tag, props), "text", key);
}

/**
 * A button that is an icon, named for everyone.
 * @param {import("./icons.js").IconName} name
 * @param {Key} label
 * @param {() => void} onclick
 * @param {Record<string, any>} [props]
 */
export function iconButton(name, label, onclick, props = {}) {
  const { class: extra = "", ...rest } = props;
  const button = h("button", { type: "button", class: `icon-button ${extra}`, onclick, ...rest }, icon(name));
  return mark(button, "label", label);
}

/**
 * @param {HTMLElement} button made by `iconButton`
 * @param {import("./icons.js").IconName} name
 */
export function changeIcon(button, name) {
  const svg = button.querySelector("svg");
  if (svg) setIcon(svg, name);
}

/**
 * The letters that stand for a face.
 * @param {string} name
 */
export function avatar(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  const initials = letters.map((word) => [...word][0]).join("").toUpperCase();
  return h("span", { class: "avatar", "aria-hidden": "true" }, initials || "?");
}

let ids = 0;

/** An id for labels and their fields. */
export function nextId() {
  return `f${++ids}`;
}
