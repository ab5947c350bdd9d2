import { Emitter } from "./emitter.js";
import { uniqueId } from "./wait.js";

/**
 * @typedef {object} CallParty
 * @property {string} user
 * @property {"ringing" | "accepted" | "declined" | "busy" | "missed" | "left"} state
 * @property {string | null} device the one that accepted
 *
 * @typedef {object} CallInfo
 * @property {string} id
 * @property {string} conversation
 * @property {string} room
 * @property {"audio" | "video"} media
 * @property {string} caller
 * @property {"ringing" | "active" | "ended"} state
 * @property {number} started_at UTC milliseconds
 * @property {number | null} answered_at
 * @property {number | null} ended_at
 * @property {"answered" | "cancelled" | "busy" | "declined" | "missed" | null} outcome
 * @property {number} duration_ms
 * @property {CallParty[]} participants
 *
 * @typedef {{from: {user: string, device: string}, description?: any, candidate?: any}} Signal
 * @typedef {{changed: CallInfo}} CallsEvents
 */

/** The server repeats `call:ringing` every 5 s; a call that is silent for longer rings no more. */
const RINGING_MS = 12_000;
const SIGNALS_MAX = 200;

/**
 * Ringing, answering, ending. `changed` tells of every call this User is in, until it has ended.
 * @extends {Emitter<CallsEvents>}
 */
export class Calls extends Emitter {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    super();
    this._client = client;
    /** @type {Map<string, CallInfo>} not ended */
    this.known = new Map();
    /** @type {Map<string, ReturnType<typeof setTimeout>>} */
    this._silence = new Map();
    /** @type {Map<string, Signal[]>} that came before somebody listened */
    this._early = new Map();
    /** @type {Map<string, (signal: Signal) => void>} */
    this._ears = new Map();
    client.on("wire", ({ event, data }) => this._receive(event, data));
    client.on("session", () => void this._catchUp());
  }

  /**
   * Calls of this User that are over, the newest first.
   * @param {{before?: string, limit?: number}} [options] `before` is the `next` of the page before
   * @returns {Promise<{calls: CallInfo[], next: string | null}>}
   */
  past(options = {}) {
    return this._client.request("call:list", options);
  }

  /**
   * Ring the others of a conversation.
   * @param {string} conversation
   * @param {"audio" | "video"} media
   */
  invite(conversation, media) {
    return this._ask("call:invite", { conversation, media, client_id: uniqueId() });
  }

  /** @param {string} call */
  accept(call) {
    return this._ask("call:accept", { call });
  }

  /**
   * @param {string} call
   * @param {"busy"} [reason]
   */
  decline(call, reason) {
    return this._ask("call:decline", { call, ...(reason ? { reason } : {}) });
  }

  /** @param {string} call not answered yet */
  cancel(call) {
    return this._ask("call:cancel", { call });
  }

  /** @param {string} call */
  hangup(call) {
    return this._ask("call:hangup", { call });
  }

  /**
   * Send something to another client, which gets it as it is.
   * @param {string} call
   * @param {{user: string, device?: string | null}} to
   * @param {{description?: any, candidate?: any}} what
   */
  signal(call, { user, device }, what) {
    this._client.hint("signal:send", { to: device ? { user, device } : { user }, call, ...what });
  }

  /**
   * Get the signals of a call, those that came already first; the returned function ends it.
   * @param {string} call
   * @param {(signal: Signal) => void} listener
   */
  listen(call, listener) {
    this._ears.set(call, listener);
    const early = this._early.get(call) ?? [];
    this._early.delete(call);
    for (const signal of early) queueMicrotask(() => listener(signal)); // Once the caller has the end of it.
    return () => void this._ears.delete(call);
  }

  /**
   * @param {string} event
   * @param {object} payload
   * @returns {Promise<CallInfo>}
   */
  async _ask(event, payload) {
    const { call } = await this._client.request(event, payload);
    this._put(call);
    return call;
  }

  /**
   * @param {string} event
   * @param {any} data
   */
  _receive(event, data) {
    if (event === "signal:received" && data.call) this._signalled(data.call, data);
    else if (event.startsWith("call:") && data.call) this._put(data.call);
  }

  /**
   * @param {string} call
   * @param {Signal} signal
   */
  _signalled(call, signal) {
    const listener = this._ears.get(call);
    if (listener) return listener(signal);
    const early = this._early.get(call) ?? [];
    if (early.length < SIGNALS_MAX) this._early.set(call, [...early, signal]);
  }

  /** @param {CallInfo} call */
  _put(call) {
    clearTimeout(this._silence.get(call.id));
    this._silence.delete(call.id);
    if (call.state === "ended") {
      this._early.delete(call.id);
      if (!this.known.delete(call.id)) return;
    } else {
      this.known.set(call.id, call);
      if (this._rings(call)) this._silence.set(call.id, setTimeout(() => this._silent(call), RINGING_MS));
    }
    this.emit("changed", call);
  }

  /**
   * Who is called hears it again and again; the caller does not.
   * @param {CallInfo} call
   */
  _rings(call) {
    return call.participants.some(({ user, state }) => user === this._client.user && state === "ringing");
  }

  /** What ended while the connection was away. */
  async _catchUp() {
    if (!this.known.size) return;
    try {
      const { calls } = await this.past({ limit: 50 });
      for (const call of calls) if (this.known.has(call.id)) this._put(call);
    } catch {
      // The next session asks again.
    }
  }

  /**
   * Its end was not heard: perhaps the connection was away.
   * @param {CallInfo} call
   */
  _silent(call) {
    if (this._client.online) this._put({ ...call, state: "ended", outcome: "missed", ended_at: Date.now() });
    else this._silence.set(call.id, setTimeout(() => this._silent(call), RINGING_MS));
  }
}
