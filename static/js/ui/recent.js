import { t } from "../i18n/index.js";

/** @typedef {import("../sdk/calls.js").CallInfo} CallInfo */
/** @typedef {{call: CallInfo, user: string, at: number}} RecentCall */

const KEPT = 20;

/** The latest calls of this User, newest first: from the log, and as they end. */
export class Recent {
  /**
   * @param {import("../sdk/index.js").Client} client
   * @param {() => void} changed
   */
  constructor(client, changed) {
    this._client = client;
    this._changed = changed;
    /** @type {RecentCall[]} */
    this.calls = [];
    this._take(client.session?.missed);
    this._offs = [
      client.on("session", (session) => this._take(session.missed)),
      client.on("wire", ({ event, data }) => event === "call:ended" && this._add(data)),
    ];
  }

  close() {
    this._offs.forEach((off) => off());
  }

  /** @param {any} missed what `session:ready` says of each conversation */
  _take(missed) {
    for (const one of missed?.conversations ?? []) {
      for (const event of one.events ?? [one.last_event]) if (event?.type === "call:ended") this._add(event);
    }
  }

  /** @param {any} event */
  _add({ call, at }) {
    if (!call || this.calls.some((one) => one.call.id === call.id)) return;
    const other = call.participants.find((/** @type {any} */ one) => one.user !== this._client.user);
    if (!other) return;
    this.calls = [{ call, user: other.user, at }, ...this.calls].sort((a, b) => b.at - a.at).slice(0, KEPT);
    this._changed();
  }
}

/**
 * What became of a call, in words.
 * @param {CallInfo} call
 * @param {string} user whose words
 */
export function outcomeText(call, user) {
  const own = call.caller === user;
  if (call.outcome === "answered") return t(call.media === "video" ? "calls.video" : "calls.audio", { duration: duration(call.duration_ms) });
  if (!own) return t(call.outcome === "declined" ? "calls.youDeclined" : "calls.missed");
  if (call.outcome === "declined") return t("calls.declined");
  if (call.outcome === "busy") return t("calls.busy");
  return t(call.outcome === "cancelled" ? "calls.cancelled" : "calls.noAnswer");
}

/** @param {number} ms */
export function duration(ms) {
  const seconds = Math.round(ms / 1000);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
