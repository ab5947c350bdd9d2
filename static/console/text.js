import { en } from "./text_en.js";
import { zh } from "./text_zh.js";
import { pref, setPref } from "../js/ui/prefs.js";

/** @typedef {keyof typeof en} Key */
/** @typedef {"en" | "zh"} Language */

/** @type {Record<Language, Record<Key, string>>} */
const DICTIONARIES = { en, zh };
const TAGS = { en: "en", zh: "zh-Hans" };

/** @type {Language} */
let current = start();

/** @returns {Language} */
function start() {
  const wanted = pref("language") || navigator.language.toLowerCase();
  return wanted.startsWith("zh") ? "zh" : "en";
}

export function language() {
  return current;
}

/** The other language; the page is drawn anew by whoever asks. */
export function toggleLanguage() {
  current = current === "en" ? "zh" : "en";
  setPref("language", current);
  tagPage();
}

export function tagPage() {
  document.documentElement.lang = TAGS[current];
}

/**
 * @param {Key} key
 * @param {Record<string, string | number>} [params]
 */
export function t(key, params = {}) {
  return DICTIONARIES[current][key].replace(/\{(\w+)\}/g, (_, name) => String(params[name] ?? ""));
}

/** @param {number} at UTC milliseconds */
export function when(at) {
  return new Intl.DateTimeFormat(TAGS[current], { dateStyle: "medium", timeStyle: "short" }).format(at);
}

/** @param {number} value */
export function figure(value) {
  return new Intl.NumberFormat(TAGS[current], { notation: value >= 100_000 ? "compact" : "standard", maximumFractionDigits: 1 }).format(value);
}

/** @param {number} bytes */
export function size(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  let left = bytes;
  for (; left >= 1024 && unit < units.length - 1; unit++) left /= 1024;
  return `${figure(Math.round(left * 10) / 10)} ${units[unit]}`;
}
