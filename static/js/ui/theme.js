import { pref, setPref } from "./prefs.js";

/** @typedef {"system" | "light" | "dark"} Theme */

const dark = matchMedia("(prefers-color-scheme: dark)");

/** @returns {Theme} */
export function theme() {
  const saved = pref("theme");
  return saved === "light" || saved === "dark" ? saved : "system";
}

function apply() {
  const chosen = theme();
  const shown = chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
  document.documentElement.dataset.theme = shown;
}

/** @param {Theme} chosen */
export function setTheme(chosen) {
  setPref("theme", chosen);
  apply();
}

/** The other one than what is shown now. */
export function toggleTheme() {
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
}

dark.addEventListener("change", apply);
apply();
