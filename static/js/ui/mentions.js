import { mark } from "../i18n/index.js";
import { avatar, h, nextId } from "./dom.js";

/** @typedef {{user: string, name: string}} Mentionable */

const SHOWN = 6;
/** What is being written of a name, up to the caret. */
const BEGUN = /(^|\s)@([^\s@]{0,40})$/u;

/**
 * Names offered while `@` is being written: up, down, Enter or Tab, Escape, or a click.
 */
export class Mentions {
  /**
   * @param {HTMLTextAreaElement} text
   * @param {() => Mentionable[]} people who can be named
   */
  constructor(text, people) {
    this._text = text;
    this._people = people;
    /** @type {Mentionable[]} */
    this._offered = [];
    this._active = 0;
    this.element = mark(h("ul", { class: "mentions", role: "listbox", id: nextId(), hidden: true }), "label", "chat.mention");
    text.setAttribute("aria-autocomplete", "list");
    text.setAttribute("aria-controls", this.element.id);
    text.addEventListener("input", () => this._update());
    text.addEventListener("blur", () => this._close());
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key was for the list
   */
  key(event) {
    if (this.element.hidden) return false;
    const last = this._offered.length - 1;
    if (event.key === "ArrowDown") this._show(this._active === last ? 0 : this._active + 1);
    else if (event.key === "ArrowUp") this._show(this._active === 0 ? last : this._active - 1);
    else if (event.key === "Enter" || event.key === "Tab") this._take(this._offered[this._active]);
    else if (event.key === "Escape") this._close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  /**
   * Users whose names a text has with an `@` before them.
   * @param {string} text
   */
  in(text) {
    return this._people().filter(({ name }) => text.includes(`@${name}`)).map(({ user }) => user);
  }

  _update() {
    const begun = BEGUN.exec(this._text.value.slice(0, this._text.selectionStart));
    const wanted = begun?.[2].toLowerCase() ?? "";
    this._offered = begun ? this._people().filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, SHOWN) : [];
    if (this._offered.length) this._show(0);
    else this._close();
  }

  /** @param {number} active */
  _show(active) {
    this._active = active;
    this.element.replaceChildren(...this._offered.map((one, index) => this._option(one, index)));
    this.element.hidden = false;
    this._text.setAttribute("aria-activedescendant", `${this.element.id}-${active}`);
  }

  /**
   * @param {Mentionable} one
   * @param {number} index
   */
  _option(one, index) {
    const option = h("li", { role: "option", id: `${this.element.id}-${index}` }, avatar(one.name), h("span", { class: "truncate" }, one.name));
    option.setAttribute("aria-selected", String(index === this._active));
    option.addEventListener("pointerdown", (event) => (event.preventDefault(), this._take(one)));
    return option;
  }

  /** @param {Mentionable} one */
  _take({ name }) {
    const caret = this._text.selectionStart;
    const before = this._text.value.slice(0, caret).replace(BEGUN, `$1@${name.replaceAll("$", "$$$$")} `);
    this._text.setRangeText(before, 0, caret, "end");
    this._close();
    this._text.dispatchEvent(new Event("input"));
  }

  _close() {
    this.element.hidden = true;
    this._offered = [];
    this._text.removeAttribute("aria-activedescendant");
  }
}
