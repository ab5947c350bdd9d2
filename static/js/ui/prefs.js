/**
 * @typedef {object} Prefs what this browser remembers
 * @property {string} name
 * @property {string} language
 * @property {string} theme `system`, `light` or `dark`
 * @property {string} camera device id
 * @property {string} microphone
 * @property {string} speaker
 */

const PREFIX = "tokenim.";

/**
 * @param {keyof Prefs} name
 * @returns {string} empty when unknown
 */
export function pref(name) {
  try {
    return localStorage.getItem(PREFIX + name) ?? "";
  } catch {
    return ""; // Storage is forbidden: nothing is remembered.
  }
}

/**
 * @param {keyof Prefs} name
 * @param {string} value
 */
export function setPref(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // The choice holds until the page closes.
  }
}
