import { language, languageName, LANGUAGES, mark, onLanguage, setLanguage } from "../i18n/index.js";
import { changeIcon, h, ht, iconButton } from "./dom.js";
import { setPref } from "./prefs.js";
import { setTheme, theme, toggleTheme } from "./theme.js";

/** @typedef {import("../i18n/index.js").Language} Language */
/** @typedef {import("../i18n/index.js").Key} Key */

/** @param {Language} chosen */
function chooseLanguage(chosen) {
  setPref("language", chosen);
  setLanguage(chosen);
}

/** A button that offers the other language by its own name. */
export function languageButton() {
  const button = h("button", { type: "button", class: "button quiet small" });
  const other = () => LANGUAGES[(LANGUAGES.indexOf(language()) + 1) % LANGUAGES.length];
  const update = () => {
    button.textContent = languageName(other());
    button.lang = other() === "zh" ? "zh-Hans" : other();
  };
  button.addEventListener("click", () => chooseLanguage(other()));
  onLanguage(update);
  update();
  return button;
}

export function themeButton() {
  const name = () => (document.documentElement.dataset.theme === "dark" ? "sun" : "moon");
  const button = iconButton(name(), "settings.toggleTheme", () => {
    toggleTheme();
    changeIcon(button, name());
  });
  return button;
}

/** Language and appearance, for the settings. */
export function looksFields() {
  const languages = segmented(
    LANGUAGES.map((one) => ({ value: one, label: h("span", {}, languageName(one)) })),
    language(),
    (value) => chooseLanguage(/** @type {Language} */ (value)),
  );
  const themes = segmented(
    ["system", "light", "dark"].map((one) => ({ value: one, label: ht("span", /** @type {Key} */ (`settings.theme.${one}`)) })),
    theme(),
    (value) => setTheme(/** @type {import("./theme.js").Theme} */ (value)),
  );
  return [group("settings.language", languages), group("settings.theme", themes)];
}

/**
 * @param {Key} label
 * @param {HTMLElement} control
 */
function group(label, control) {
  mark(control, "label", label);
  return h("div", { class: "field" }, ht("span", label, { class: "label" }), control);
}

/**
 * @param {{value: string, label: HTMLElement}[]} choices
 * @param {string} current
 * @param {(value: string) => void} onChoose
 */
function segmented(choices, current, onChoose) {
  const buttons = choices.map(({ value, label }) => {
    const button = h("button", { type: "button", "aria-pressed": value === current }, label);
    button.setAttribute("aria-pressed", String(value === current));
    button.addEventListener("click", () => {
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      onChoose(value);
    });
    return button;
  });
  return h("div", { class: "segmented", role: "group" }, ...buttons);
}
