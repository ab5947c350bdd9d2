import { mark } from "../i18n/index.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { plainText } from "./message.js";

/** @typedef {import("../sdk/types.js").Message} Message */

/** The pinned messages above the log: one line, the next one with each click. */
export class Pins {
  /** @param {(seq: number) => void} open */
  constructor(open) {
    this._open = open;
    /** @type {Message[]} */
    this._pinned = [];
    this._turn = 0;
    this._line = h("span", { class: "truncate" });
    this._count = h("span", { class: "muted" });
    this.element = h("button", { type: "button", class: "pins", hidden: true, onclick: () => this._next() }, icon("pin"), this._line, this._count);
  }

  /** @param {Message[]} messages all that are read */
  show(messages) {
    this._pinned = messages.filter(({ pinned, recalled }) => pinned && !recalled).reverse();
    this.element.hidden = !this._pinned.length;
    if (this._turn >= this._pinned.length) this._turn = 0;
    const shown = this._pinned[this._turn];
    if (!shown) return;
    this._line.textContent = plainText(shown);
    this._count.textContent = this._pinned.length > 1 ? `${this._turn + 1}/${this._pinned.length}` : "";
    mark(this.element, "label", "chat.pinned", { text: plainText(shown).slice(0, 80) });
  }

  _next() {
    const shown = this._pinned[this._turn];
    this._turn = (this._turn + 1) % this._pinned.length;
    this._open(shown.seq ?? 0);
    this.show([...this._pinned].reverse());
  }
}
