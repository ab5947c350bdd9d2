import { mark } from "../i18n/index.js";
import { h, ht, iconButton } from "./dom.js";
import { looksFields } from "./looks.js";
import { NoticeSwitch } from "./notices.js";
import { Pickers } from "./pickers.js";
import { SignedIn } from "./signed_in.js";

/** @typedef {import("../i18n/index.js").Key} Key */

/** @type {[Key, string][]} */
const SHORTCUTS = [
  ["keys.mute", "M"],
  ["keys.camera", "V"],
  ["keys.share", "S"],
  ["keys.hand", "H"],
  ["keys.chat", "C"],
  ["keys.people", "P"],
  ["keys.stats", "I"],
  ["keys.escape", "Esc"],
  ["keys.help", "?"],
];

/**
 * Show a modal that is gone once closed; the browser returns the focus.
 * @param {Key} title
 * @param {HTMLElement[]} content
 */
function open(title, content) {
  const heading = ht("h2", title);
  const dialog = h("dialog", {}, h("div", { class: "dialog-header" }, heading, closeButton()));
  mark(dialog, "label", title);
  dialog.append(h("div", { class: "dialog-body" }, ...content));
  show(dialog);
}

/** @param {HTMLDialogElement} dialog */
function show(dialog) {
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.getElementById("overlays")?.append(dialog);
  dialog.showModal();
}

function closeButton() {
  const button = iconButton("close", "chat.close", () => button.closest("dialog")?.close());
  return button;
}

export function openShortcuts() {
  const rows = SHORTCUTS.flatMap(([key, cap]) => [ht("dt", key), h("dd", {}, h("kbd", {}, cap))]);
  open("keys.title", [h("dl", { class: "shortcuts" }, ...rows)]);
}

/**
 * @param {import("./devices.js").Devices} devices
 * @param {{onSpeaker: (id: string) => void, onStats: () => void, client: import("../sdk/index.js").Client}} options
 */
export function openSettings(devices, { onSpeaker, onStats, client }) {
  const stats = ht("button", "call.stats", { type: "button", class: "button", onclick: onStats });
  const keys = ht("button", "call.shortcuts", { type: "button", class: "button", onclick: openShortcuts });
  const fields = [new Pickers(devices, { onSpeaker }).element, ...looksFields(), new NoticeSwitch(client.push).element];
  open("settings.title", [...fields, stats, keys, new SignedIn(client).element]);
}

/**
 * @param {string} url of a blob
 * @param {string} name
 */
export function openImage(url, name) {
  const image = h("img", { src: url, alt: name });
  const dialog = h("dialog", { class: "lightbox", "aria-label": name }, image, closeButton());
  show(dialog);
}
