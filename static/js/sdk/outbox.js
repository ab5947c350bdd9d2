import { TokenIMError } from "./errors.js";
import { backoff, uniqueId } from "./wait.js";

/**
 * @typedef {object} Outgoing one message that the server has not acked yet
 * @property {string} conversation
 * @property {string} client_id
 * @property {string} type
 * @property {any} body
 * @property {number} [reply_to]
 * @property {string[]} [mentions]
 * @property {number} at UTC milliseconds, this device's clock
 *
 * @typedef {object} OutboxTarget what the Outbox needs of the Client
 * @property {boolean} online
 * @property {(event: string, payload: object) => Promise<any>} request
 *
 * @typedef {(outgoing: Outgoing, result: {ack: any} | {error: TokenIMError}) => void} Settled
 */

const STORAGE_KEY = "tokenim.outbox";

/**
 * Messages on their way, in the order they were written. Each keeps its `client_id` through
 * timeouts, reconnects and reloads, so that the server stores it once.
 */
export class Outbox {
  /**
   * @param {OutboxTarget} target
   * @param {Storage} [storage]
   */
  constructor(target, storage) {
    this._target = target;
    this._storage = storage;
    /** @type {Outgoing[]} */
    this._queue = this._restore();
    this._flushing = false;
    /** Ends the pause before the next attempt. */
    this._wake = () => {};
    /** @type {Set<Settled>} */
    this._settled = new Set();
  }

  /**
   * Hear about each message's end: acked, or refused for good.
   * @param {Settled} listener
   */
  onSettled(listener) {
    this._settled.add(listener);
  }

  /** @param {string} conversation */
  pending(conversation) {
    return this._queue.filter((outgoing) => outgoing.conversation === conversation);
  }

  /**
   * @param {{conversation: string, type: string, body: any, reply_to?: number, mentions?: string[], client_id?: string}} message
   * @returns {Outgoing}
   */
  add(message) {
    const outgoing = { client_id: uniqueId(), at: Date.now(), ...message };
    this._queue.push(outgoing);
    this._persist();
    if (!this._flushing) void this._drain();
    return outgoing;
  }

  /** Send what waits, now; called upon every new session. */
  flush() {
    this._wake();
    if (!this._flushing) void this._drain();
  }

  /** Until nothing waits, or the session ends: then the next one goes on. */
  async _drain() {
    this._flushing = true;
    let attempt = 0;
    while (this._queue.length && this._target.online) {
      attempt = (await this._sendFirst(attempt)) ? 0 : attempt + 1;
    }
    this._flushing = false;
  }

  /**
   * @param {number} attempt
   * @returns {Promise<boolean>} whether the first message left the queue
   */
  async _sendFirst(attempt) {
    const outgoing = this._queue[0];
    const { at: _, ...payload } = outgoing;
    try {
      const ack = await this._target.request("message:send", payload);
      this._finish(outgoing, { ack });
      return true;
    } catch (error) {
      const refused = error instanceof TokenIMError ? error : new TokenIMError("internal", String(error));
      if (!refused.retryable) {
        this._finish(outgoing, { error: refused });
        return true;
      }
      if (this._target.online) await this._pause(Math.max(refused.retry_after_ms ?? 0, backoff(attempt)));
      return false;
    }
  }

  /**
   * @param {number} ms
   * @returns {Promise<void>} after so long, or when there is a new session
   */
  _pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this._wake = () => (clearTimeout(timer), resolve());
    });
  }

  /**
   * @param {Outgoing} outgoing
   * @param {{ack: any} | {error: TokenIMError}} result
   */
  _finish(outgoing, result) {
    this._queue = this._queue.filter((other) => other !== outgoing);
    this._persist();
    for (const listener of this._settled) listener(outgoing, result);
  }

  /** @returns {Outgoing[]} */
  _restore() {
    try {
      return JSON.parse(this._storage?.getItem(STORAGE_KEY) ?? "[]");
    } catch {
      return []; // Someone else's bytes under our key are worth nothing to us.
    }
  }

  _persist() {
    try {
      this._storage?.setItem(STORAGE_KEY, JSON.stringify(this._queue));
    } catch {
      // A full or forbidden storage only means that a reload forgets unacked messages.
    }
  }
}
