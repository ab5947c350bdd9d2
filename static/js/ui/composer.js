import { mark, t } from "../i18n/index.js";
import { h, iconButton } from "./dom.js";
import { Mentions } from "./mentions.js";
import { plainText } from "./message.js";

/** @typedef {import("../sdk/types.js").Message} Message */

/**
 * Where a message is written: a new one, a reply, or another text for an old one.
 */
export class Composer {
  /**
   * @param {{send: (text: string, reply_to: number | null, mentions: string[]) => void, people: () => import("./mentions.js").Mentionable[], edit: (seq: number, text: string) => void,
   *   typing: () => void, files: (files: FileList) => void, nameOf: (user: string) => string}} options
   */
  constructor(options) {
    this._options = options;
    /** @type {{mode: "reply" | "edit", message: Message} | null} */
    this._context = null;
    this._label = h("p", { class: "truncate" });
    this._bar = h("div", { class: "composer-context", hidden: true }, this._label, this._cancelButton());
    this._text = mark(h("textarea", { rows: 1, maxlength: 8000, name: "message" }), "placeholder", "chat.placeholder");
    mark(this._text, "label", "chat.placeholder");
    this._send = iconButton("send", "chat.send", () => this._submit(), { class: "send" });
    this._picker = h("input", { type: "file", multiple: true, hidden: true, tabindex: "-1" });
    const attach = iconButton("attach", "chat.attach", () => this._picker.click());
    const row = h("div", { class: "composer-row" }, attach, this._text, this._send, this._picker);
    this.element = h("div", { class: "composer" }, this._bar, row);
    this._mentions = new Mentions(this._text, options.people);
    this.element.prepend(this._mentions.element);
    this._listen();
    this._update();
  }

  focus() {
    this._text.focus();
  }

  /** @param {Message} message */
  reply(message) {
    this._setContext({ mode: "reply", message });
    this.focus();
  }

  /** @param {Message} message */
  edit(message) {
    this._setContext({ mode: "edit", message });
    this._text.value = plainText(message);
    this._update();
    this.focus();
  }

  /** @returns {boolean} whether there was something to cancel */
  cancel() {
    if (!this._context) return false;
    if (this._context.mode === "edit") this._text.value = "";
    this._setContext(null);
    this._update();
    return true;
  }

  _cancelButton() {
    return iconButton("close", "chat.cancel", () => this.cancel(), { class: "small" });
  }

  _listen() {
    this._text.addEventListener("input", () => {
      this._update();
      if (this._text.value) this._options.typing();
    });
    this._text.addEventListener("keydown", (event) => this._key(event));
    this._picker.addEventListener("change", () => {
      if (this._picker.files) this._options.files(this._picker.files);
      this._picker.value = "";
    });
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    if (this._mentions.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this._submit();
    } else if (event.key === "Escape" && this.cancel()) {
      event.stopPropagation();
    }
  }

  _submit() {
    const text = this._text.value.trim();
    if (!text) return;
    const context = this._context;
    if (context?.mode === "edit") this._options.edit(context.message.seq ?? 0, text);
    else this._options.send(text, context?.message.seq ?? null, this._mentions.in(text));
    this._text.value = "";
    this._setContext(null);
    this._update();
    this.focus();
  }

  /** @param {{mode: "reply" | "edit", message: Message} | null} context */
  _setContext(context) {
    this._context = context;
    this._bar.hidden = !context;
    if (!context) return;
    const name = this._options.nameOf(context.message.sender);
    const title = context.mode === "edit" ? t("chat.editing") : t("chat.replyingTo", { name });
    this._label.textContent = `${title}: ${plainText(context.message)}`;
  }

  _update() {
    this._send.toggleAttribute("disabled", !this._text.value.trim());
    if (CSS.supports("field-sizing", "content")) return;
    this._text.style.height = "auto";
    this._text.style.height = `${this._text.scrollHeight}px`;
  }
}
