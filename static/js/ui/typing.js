import { mark } from "../i18n/index.js";
import { h } from "./dom.js";

/** Typing is renewed every three seconds; older than this it is over. */
const TYPING_MS = 6000;

/** “Ann is typing…” */
export class TypingLine {
  /**
   * @param {import("../sdk/index.js").Conversation} conversation
   * @param {string} user own id
   * @param {import("./names.js").Names} names
   */
  constructor(conversation, user, names) {
    this._names = names;
    /** @type {Map<string, ReturnType<typeof setTimeout>>} */
    this._typing = new Map();
    this.element = h("p", { class: "typing truncate" });
    this._offs = [
      conversation.on("typing", (change) => change.user !== user && this._set(change.user, change.on)),
      conversation.on("changed", ({ added }) => added.forEach((event) => this._set(event.sender, false))),
    ];
  }

  close() {
    this._offs.forEach((off) => off());
    this._typing.forEach(clearTimeout);
  }

  /**
   * @param {string} user
   * @param {boolean} on
   */
  _set(user, on) {
    clearTimeout(this._typing.get(user));
    if (on) this._typing.set(user, setTimeout(() => this._set(user, false), TYPING_MS));
    else if (!this._typing.delete(user)) return;
    this._show();
  }

  _show() {
    const names = [...this._typing.keys()].map((user) => this._names.of(user));
    if (names.length) mark(this.element, "text", "chat.typing", { names: names.join(", "), count: names.length });
    else {
      this.element.removeAttribute("data-t-text");
      this.element.textContent = "";
    }
  }
}
