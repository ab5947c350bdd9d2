import { t } from "../i18n/index.js";

/** @typedef {import("../sdk/calls.js").CallInfo} CallInfo */
/** @typedef {{call: CallInfo, user: string, at: number}} RecentCall */

const KEPT = 20;

/** The latest calls of this User, newest first: as the server lists them, and as they end. */
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
    this._offs = [
      client.on("session", () => void this._read()),
      client.on("wire", ({ event, data }) => event === "call:ended" && this._add([data.call])),
    ];
  }

  close() {
    this._offs.forEach((off) => off());
  }

  async _read() {
    try {
      this._add((await this._client.calls.past({ limit: KEPT })).calls);
    } catch {
      // The next session asks again.
    }
  }

  /** @param {CallInfo[]} calls */
  _add(calls) {
    const known = new Set(this.calls.map(({ call }) => call.id));
    const fresh = calls.filter(({ id }) => !known.has(id)).flatMap((call) => this._mine(call));
    if (!fresh.length) return;
    this.calls = [...fresh, ...this.calls].sort((a, b) => b.at - a.at).slice(0, KEPT);
    this._changed();
  }

  /**
   * @param {CallInfo} call
   * @returns {RecentCall[]} nothing for a call of others
   */
  _mine(call) {
    const others = call.participants.map(({ user }) => user).filter((user) => user !== this._client.user);
    if (!others.length || others.length === call.participants.length) return [];
    return [{ call, user: others[0], at: call.ended_at ?? call.started_at }];
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
