import { mark } from "../i18n/index.js";
import { changeIcon, h, iconButton } from "./dom.js";

/** @typedef {import("../i18n/index.js").Key} Key */
/** @typedef {import("./icons.js").IconName} IconName */

/**
 * @typedef {object} ToolbarState
 * @property {boolean} microphone
 * @property {boolean} camera
 * @property {boolean} screen
 * @property {boolean} hand
 * @property {"chat" | "people" | null} panel
 * @property {number} unread
 *
 * @typedef {object} ToolbarActions
 * @property {() => void} microphone
 * @property {() => void} camera
 * @property {() => void} screen
 * @property {() => void} hand
 * @property {() => void} chat
 * @property {() => void} people
 * @property {() => void} leave
 */

/** The buttons of a call. */
export class Toolbar {
  /** @param {ToolbarActions} actions */
  constructor(actions) {
    const round = (/** @type {IconName} */ name, /** @type {Key} */ label, /** @type {() => void} */ action) =>
      iconButton(name, label, action, { class: "round" });
    this._microphone = round("mic", "call.mute", actions.microphone);
    this._camera = round("camera", "call.cameraOff", actions.camera);
    this._screen = round("screen", "call.share", actions.screen);
    this._screen.hidden = !navigator.mediaDevices?.getDisplayMedia;
    this._hand = round("hand", "call.hand", actions.hand);
    this._chat = round("chat", "call.chat", actions.chat);
    this._people = round("people", "call.people", actions.people);
    this._badge = h("span", { class: "badge", hidden: true, "aria-hidden": "true" });
    this._chat.append(this._badge);
    const leave = iconButton("leave", "call.leave", actions.leave, { class: "round leave" });
    const gap = () => h("span", { class: "gap", "aria-hidden": "true" });
    this.element = h(
      "div",
      { class: "toolbar", role: "toolbar" },
      this._microphone,
      this._camera,
      this._screen,
      this._hand,
      gap(),
      this._chat,
      this._people,
      gap(),
      leave,
    );
    mark(this.element, "label", "room.toolbar");
  }

  /** @param {"chat" | "people"} panel the button that opens it */
  focus(panel) {
    (panel === "chat" ? this._chat : this._people).focus();
  }

  /** @param {ToolbarState} state */
  show(state) {
    change(this._microphone, state.microphone ? "" : "off", state.microphone ? "mic" : "micOff", state.microphone ? "call.mute" : "call.unmute");
    change(this._camera, state.camera ? "" : "off", state.camera ? "camera" : "cameraOff", state.camera ? "call.cameraOff" : "call.cameraOn");
    change(this._screen, state.screen ? "on" : "", "screen", state.screen ? "call.stopShare" : "call.share");
    change(this._hand, state.hand ? "on" : "", "hand", state.hand ? "call.lowerHand" : "call.hand");
    this._chat.setAttribute("aria-expanded", String(state.panel === "chat"));
    this._people.setAttribute("aria-expanded", String(state.panel === "people"));
    this._badge.hidden = !state.unread;
    this._badge.textContent = state.unread > 99 ? "99+" : String(state.unread);
    if (state.unread) mark(this._chat, "label", "call.unread", { count: state.unread });
    else mark(this._chat, "label", "call.chat");
  }
}

/**
 * @param {HTMLElement} button
 * @param {"" | "on" | "off"} state
 * @param {IconName} name
 * @param {Key} label
 */
function change(button, state, name, label) {
  button.dataset.state = state;
  changeIcon(button, name);
  mark(button, "label", label);
}
