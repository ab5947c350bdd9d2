import { t } from "../i18n/index.js";
import { toast } from "./announcer.js";
import { h, ht } from "./dom.js";

/** @typedef {{device: string, name: string | null, seen_at: number, own: boolean}} SignedInDevice */

/** @type {[string, RegExp][]} the first that fits, for browsers name their ancestors too */
const BROWSERS = [
  ["Firefox", /Firefox\//],
  ["Edge", /Edg\//],
  ["Chrome", /Chrom(e|ium)\//],
  ["Safari", /Safari\//],
];
/** @type {[string, RegExp][]} */
const SYSTEMS = [
  ["Android", /Android/],
  ["iOS", /iPhone|iPad/],
  ["Windows", /Windows/],
  ["macOS", /Mac OS/],
  ["Linux", /Linux/],
];

/** What this installation is called in lists of devices. */
export function deviceName(agent = navigator.userAgent) {
  const first = (/** @type {[string, RegExp][]} */ known) => known.find(([, sign]) => sign.test(agent))?.[0];
  return [first(BROWSERS), first(SYSTEMS)].filter(Boolean).join(", ");
}

/** The devices this user is signed in on; each but this one can be signed out. */
export class SignedIn {
  /** @param {import("../sdk/index.js").Client} client */
  constructor(client) {
    this._client = client;
    this._list = h("ul", { class: "signed-in" });
    this.element = h("section", { hidden: true }, ht("h3", "devices.title"), this._list);
    void this._read();
  }

  async _read() {
    try {
      const { devices } = await this._client.request("device:list", {});
      this._list.replaceChildren(...devices.map((/** @type {SignedInDevice} */ one) => this._row(one)));
      this.element.hidden = devices.length === 0;
    } catch {
      this.element.hidden = true; // Not connected: there is nothing to show or to do.
    }
  }

  /** @param {SignedInDevice} one */
  _row({ device, name, seen_at, own }) {
    const called = h("span", { class: "truncate" }, name ?? device);
    if (own) return h("li", {}, called, ht("span", "devices.this", { class: "muted" }));
    const seen = h("span", { class: "muted" }, new Date(seen_at).toLocaleString(document.documentElement.lang));
    const button = ht("button", "devices.signOut", { type: "button", class: "button", onclick: () => void this._signOut(device, button) });
    return h("li", {}, called, seen, button);
  }

  /**
   * @param {string} device
   * @param {HTMLButtonElement} button
   */
  async _signOut(device, button) {
    button.disabled = true;
    try {
      await this._client.request("device:sign_out", { device });
      await this._read();
    } catch {
      toast(t("devices.failed"));
      button.disabled = false;
    }
  }
}
