import { errorText, mark, t } from "../i18n/index.js";
import { codeOf } from "../sdk/index.js";
import { h, ht } from "./dom.js";
import { dayText, timeText } from "./figures.js";
import { icon } from "./icons.js";

/** @typedef {import("../sdk/types.js").LogEvent} LogEvent */

const WAIT_MS = 250;

/** Finds messages of one conversation, and leads to them. */
export class Search {
  /**
   * @param {{find: (query: string) => Promise<LogEvent[]>, nameOf: (user: string) => string,
   *   open: (seq: number) => void, onResults: (shown: boolean) => void}} options
   */
  constructor(options) {
    this._options = options;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._timer = undefined;
    this._asked = "";
    this._field = mark(h("input", { type: "search", maxlength: 100, name: "search" }), "placeholder", "chat.search");
    mark(this._field, "label", "chat.search");
    this.element = h("div", { class: "search", role: "search" }, icon("search"), this._field);
    this.results = mark(h("ul", { class: "found", hidden: true }), "label", "chat.results");
    this._field.addEventListener("input", () => this._typed());
    this._field.addEventListener("keydown", (event) => this._key(event));
  }

  close() {
    clearTimeout(this._timer);
  }

  _typed() {
    clearTimeout(this._timer);
    const query = this._field.value.trim();
    if (!query) this._clear();
    else this._timer = setTimeout(() => void this._search(query), WAIT_MS);
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    if (event.key !== "Escape" || !this._field.value) return;
    event.stopPropagation();
    this._clear();
  }

  /** @param {string} query */
  async _search(query) {
    this._asked = query;
    try {
      const found = await this._options.find(query);
      if (this._asked === query) this._show(found);
    } catch (error) {
      if (this._asked === query) this._fill([h("li", { class: "note" }, errorText(codeOf(error)))]);
    }
  }

  /** @param {LogEvent[]} found */
  _show(found) {
    this._fill(found.length ? found.map((event) => this._result(event)) : [ht("li", "chat.nothingFound", { class: "note" })]);
  }

  /** @param {HTMLElement[]} items */
  _fill(items) {
    this.results.replaceChildren(...items);
    this.results.hidden = false;
    this._options.onResults(true);
  }

  /** @param {LogEvent} event */
  _result(event) {
    const today = new Date(event.at).toDateString() === new Date().toDateString();
    const when = today ? timeText(event.at) : dayText(event.at);
    const head = h("span", { class: "meta" }, h("b", { class: "truncate" }, this._options.nameOf(event.sender)), h("time", {}, when));
    const text = String(event.body?.text ?? event.body?.name ?? "");
    const onclick = () => (this._clear(), this._options.open(event.seq));
    return h("li", {}, h("button", { type: "button", onclick }, head, h("span", { class: "line" }, text.slice(0, 200) || t("chat.recalled"))));
  }

  _clear() {
    clearTimeout(this._timer);
    this._asked = "";
    this._field.value = "";
    this.results.hidden = true;
    this.results.replaceChildren();
    this._options.onResults(false);
  }
}
