import { h } from "./dom.js";

const TOAST_MS = 4000;

/**
 * Say something to screen readers, in turn with what is being said.
 * @param {string} text
 */
export function announce(text) {
  const region = document.getElementById("announcer");
  if (!region) return;
  region.append(h("p", {}, text));
  while (region.childElementCount > 20) region.firstElementChild?.remove();
}

/**
 * A short notice that goes away; said aloud too.
 * @param {string} text
 */
export function toast(text) {
  const overlays = document.getElementById("overlays");
  let toasts = overlays?.querySelector(".toasts");
  if (!toasts) {
    toasts = h("div", { class: "toasts" });
    overlays?.append(toasts);
  }
  const shown = h("div", { class: "toast" }, text);
  toasts.append(shown);
  announce(text);
  setTimeout(() => shown.remove(), TOAST_MS);
}
