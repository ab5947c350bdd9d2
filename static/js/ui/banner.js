import { mark } from "../i18n/index.js";
import { announce } from "./announcer.js";
import { h } from "./dom.js";

/** @typedef {import("../i18n/index.js").Key} Key */

/** One line on top of everything, for what must not be overlooked. */
export class Banner {
  constructor() {
    this._text = h("span", {});
    this._spinner = h("span", { class: "spinner", "aria-hidden": "true" });
    this._action = h("button", { type: "button", class: "button primary small", hidden: true });
    this._action.addEventListener("click", () => this._run?.());
    this.element = h("div", { class: "banner", hidden: true }, this._spinner, this._text, this._action);
    document.getElementById("overlays")?.append(this.element);
  }

  /**
   * @param {Key} key
   * @param {{label: Key, run: () => void}} [action] without one it is work in progress
   */
  show(key, action) {
    mark(this._text, "text", key);
    this._run = action?.run;
    this._spinner.hidden = Boolean(action);
    this._action.hidden = !action;
    if (action) mark(this._action, "text", action.label);
    if (this.element.hidden) announce(this._text.textContent ?? "");
    this.element.hidden = false;
  }

  hide() {
    this.element.hidden = true;
  }

  remove() {
    this.element.remove();
  }
}
