/** Lines of the log that are no messages: days, and who came. */
import { language, t } from "../i18n/index.js";
import { h } from "./dom.js";
import { dayText, timeText } from "./figures.js";

const NAMED = 3;

/**
 * @param {string} key
 * @param {string} text
 * @returns {import("./chat.js").Entry}
 */
export function noteEntry(key, text) {
  return { key, signature: text, draw: () => h("li", { class: "note" }, text) };
}

/** @param {string[]} names the first few are said, the others counted */
export function joinedText(names) {
  const said = names.length > NAMED ? [...names.slice(0, NAMED), t("chat.others", { count: names.length - NAMED })] : names;
  return t("chat.joined", { name: new Intl.ListFormat(language()).format(said) });
}

/** @param {number} at UTC milliseconds */
export function dayName(at) {
  const day = new Date(at).toDateString();
  if (day === new Date().toDateString()) return `${t("chat.today")} ${timeText(at)}`;
  if (day === new Date(Date.now() - 86_400_000).toDateString()) return t("chat.yesterday");
  return dayText(at);
}
