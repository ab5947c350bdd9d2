import { en } from "./en.js";
import { zh } from "./zh.js";

/** @typedef {keyof typeof en} Key */
/** @typedef {"en" | "zh"} Language */
/** @typedef {Record<string, string | number>} Params */

/** @type {Record<Language, Record<Key, string>>} */
const DICTIONARIES = { en, zh };
/** @type {Record<Language, string>} */
const TAGS = { en: "en", zh: "zh-Hans" };

/** @type {Set<() => void>} */
const listeners = new Set();
/** @type {Language} */
let current = "en";

/** @type {Language[]} */
export const LANGUAGES = ["en", "zh"];

export function language() {
  return current;
}

/** What the browser asks for, as far as we have it. @returns {Language} */
export function preferredLanguage() {
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** @param {Language} next */
export function setLanguage(next) {
  current = next;
  document.documentElement.lang = TAGS[next];
  translate(document.body);
  listeners.forEach((listener) => listener());
}

/**
 * Hear about a change of language, after the marked elements were translated.
 * @param {() => void} listener
 */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** @param {Language} of */
export function languageName(of) {
  return DICTIONARIES[of]["lang.name"];
}

/**
 * The text of a key.
 * @param {Key} key
 * @param {Params} [params]
 */
export function t(key, params = {}) {
  const dictionary = DICTIONARIES[current];
  const one = /** @type {Key} */ (`${key}.one`);
  const text = params.count === 1 && one in dictionary ? dictionary[one] : dictionary[key];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(params[name] ?? ""));
}

/** @param {string} code an error's code */
export function errorText(code) {
  const key = /** @type {Key} */ (`error.${code}`);
  return t(key in en ? key : "error.internal");
}

/**
 * Where a translated text goes; several may be on one element.
 * @typedef {"text" | "label" | "placeholder"} Place
 */

/**
 * Mark an element as translated and fill it in.
 * @template {Element} E
 * @param {E} element
 * @param {Place} place
 * @param {Key} key
 * @param {Params} [params]
 * @returns {E}
 */
export function mark(element, place, key, params) {
  element.setAttribute(`data-t-${place}`, key);
  if (params) element.setAttribute("data-t-params", JSON.stringify(params));
  fill(element, place);
  return element;
}

/** @param {Element} root */
function translate(root) {
  for (const place of /** @type {Place[]} */ (["text", "label", "placeholder"])) {
    root.querySelectorAll(`[data-t-${place}]`).forEach((element) => fill(element, place));
  }
}

/**
 * @param {Element} element
 * @param {Place} place
 */
function fill(element, place) {
  const key = /** @type {Key} */ (element.getAttribute(`data-t-${place}`));
  const text = t(key, JSON.parse(element.getAttribute("data-t-params") ?? "{}"));
  if (place === "text") element.textContent = text;
  if (place === "placeholder") element.setAttribute("placeholder", text);
  if (place === "label") {
    element.setAttribute("aria-label", text);
    if (element.tagName === "BUTTON") element.setAttribute("title", text);
  }
}
