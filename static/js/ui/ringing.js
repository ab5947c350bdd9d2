import { mark, t } from "../i18n/index.js";
import { announce } from "./announcer.js";
import { avatar, h } from "./dom.js";
import { icon } from "./icons.js";
import { Tone } from "./tone.js";

/** @typedef {import("../i18n/index.js").Key} Key */
/** @typedef {import("../sdk/calls.js").CallInfo} CallInfo */
/** @typedef {{key: Key, icon: import("./icons.js").IconName, style: string, run: () => void}} Choice */

/** The card of a call that rings, here or there; one at a time. */
export class Ringing {
  constructor() {
    this._tone = new Tone();
    /** @type {HTMLElement | null} */
    this._card = null;
    /** The call that is shown; empty for none. */
    this.call = "";
  }

  /**
   * @param {CallInfo} call
   * @param {string} name of who calls
   * @param {{accept: (video: boolean) => void, decline: () => void}} actions
   */
  incoming(call, name, { accept, decline }) {
    const video = call.media === "video";
    /** @type {Choice[]} */
    const choices = [
      { key: "calls.decline", icon: "leave", style: "danger", run: decline },
      { key: "calls.answer", icon: "phone", style: "primary", run: () => accept(false) },
    ];
    if (video) choices.push({ key: "calls.answerVideo", icon: "camera", style: "primary", run: () => accept(true) });
    this._show(call, name, video ? "calls.incomingVideo" : "calls.incomingAudio", choices);
    this._tone.play("incoming");
    announce(t(video ? "calls.incomingVideo" : "calls.incomingAudio", { name }));
    /** @type {HTMLElement | null | undefined} */ (this._card?.querySelector(".primary"))?.focus();
  }

  /**
   * @param {CallInfo} call
   * @param {string} name of who is called
   * @param {{cancel: () => void}} actions
   */
  outgoing(call, name, { cancel }) {
    this._show(call, name, "calls.calling", [{ key: "calls.cancel", icon: "leave", style: "danger", run: cancel }]);
    this._tone.play("outgoing");
  }

  hide() {
    this._tone.stop();
    this._card?.remove();
    this._card = null;
    this.call = "";
  }

  /**
   * @param {CallInfo} call
   * @param {string} name
   * @param {Key} text
   * @param {Choice[]} choices
   */
  _show(call, name, text, choices) {
    this.hide();
    this.call = call.id;
    const words = h("div", { class: "ring-words" }, h("strong", { class: "truncate" }, name), mark(h("span", { class: "muted" }), "text", text, { name }));
    const buttons = choices.map((choice) => button(choice));
    this._card = h("div", { class: "ring-card", role: "alertdialog", "aria-label": t(text, { name }) }, avatar(name), words, h("div", { class: "ring-buttons" }, ...buttons));
    document.getElementById("overlays")?.append(this._card);
  }
}

/** @param {Choice} choice */
function button({ key, icon: name, style, run }) {
  const made = h("button", { type: "button", class: `ring-button ${style}`, onclick: run }, icon(name));
  return mark(made, "label", key);
}
