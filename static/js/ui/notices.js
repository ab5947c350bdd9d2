import { mark, t } from "../i18n/index.js";
import { toast } from "./announcer.js";
import { h } from "./dom.js";

/** The service worker, once it is needed; null where there are none (no TLS). */
async function worker() {
  if (!navigator.serviceWorker) return null;
  await navigator.serviceWorker.register("sw.js");
  return navigator.serviceWorker.ready;
}

/**
 * Say something outside the page while nobody looks at it, if that was allowed.
 * @param {{title: string, body: string, tag: string, room: string}} notice
 */
export async function noticeHidden({ title, body, tag, room }) {
  if (document.visibilityState === "visible" || globalThis.Notification?.permission !== "granted") return;
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.showNotification(title, { body, tag, icon: "favicon.svg", data: { room } });
}

/** The switch for notifications; it asks for permission when it is clicked, never before. */
export class NoticeSwitch {
  /** @param {import("../sdk/index.js").Push} push */
  constructor(push) {
    this._push = push;
    this._on = false;
    this.element = h("button", { type: "button", class: "button", "aria-pressed": "false", onclick: () => void this._flip() });
    mark(this.element, "text", "notices.turnOn");
    this.element.hidden = !navigator.serviceWorker || !globalThis.Notification;
    void this._read();
  }

  async _read() {
    const registration = await navigator.serviceWorker?.getRegistration();
    const state = await this._push.state(registration ?? null);
    this._show(state === "on" && Notification.permission === "granted");
  }

  /** @param {boolean} on */
  _show(on) {
    this._on = on;
    this.element.setAttribute("aria-pressed", String(on));
    mark(this.element, "text", on ? "notices.turnOff" : "notices.turnOn");
  }

  async _flip() {
    this.element.disabled = true;
    try {
      await (this._on ? this._turnOff() : this._turnOn());
    } catch {
      toast(t("notices.failed")); // The browser has no push service, or the server is away.
    } finally {
      this.element.disabled = false;
    }
  }

  async _turnOn() {
    if ((await Notification.requestPermission()) !== "granted") {
      toast(t("notices.denied"));
      return;
    }
    const registration = await worker();
    if (!registration) return;
    await this._push.turnOn(registration);
    this._show(true);
  }

  async _turnOff() {
    const registration = await worker();
    if (registration) await this._push.turnOff(registration);
    this._show(false);
  }
}
