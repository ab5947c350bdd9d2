import { Emitter } from "./emitter.js";
import { TokenIMError } from "./errors.js";

/**
 * @typedef {"hashing" | "moving" | "waiting" | "done" | "failed" | "cancelled"} TransferState
 * @typedef {{changed: void}} TransferEvents
 */

const SPEED_WINDOW_MS = 3000;
const WAIT_ONLINE_MS = 60_000;

/**
 * A file on its way, up or down, with what a page wants to show of it.
 * @extends {Emitter<TransferEvents>}
 */
export class Transfer extends Emitter {
  /**
   * @param {string} name
   * @param {number} size bytes
   */
  constructor(name, size) {
    super();
    this.name = name;
    this.size = size;
    this.done_bytes = 0;
    /** @type {TransferState} */
    this.state = "waiting";
    /** @type {"channel" | "http" | ""} */
    this.via = "";
    /** @type {TokenIMError | null} */
    this.error = null;
    this._abort = new AbortController();
    /** @type {[number, number][]} (time, bytes) of the last seconds */
    this._samples = [];
  }

  get signal() {
    return this._abort.signal;
  }

  get ended() {
    return this.state === "done" || this.state === "failed" || this.state === "cancelled";
  }

  /** Bytes per second over the last few seconds. */
  get speed() {
    const [first] = this._samples;
    const last = this._samples[this._samples.length - 1];
    if (!first || last[0] === first[0]) return 0;
    return Math.max(0, ((last[1] - first[1]) * 1000) / (last[0] - first[0]));
  }

  cancel() {
    if (this.ended) return;
    this.setState("cancelled");
    this._abort.abort();
  }

  /** @param {number} done_bytes */
  progress(done_bytes) {
    this.done_bytes = done_bytes;
    const now = performance.now();
    this._samples.push([now, done_bytes]);
    this._samples = this._samples.filter(([at]) => now - at < SPEED_WINDOW_MS);
    this.emit("changed", undefined);
  }

  /** @param {TransferState} state */
  setState(state) {
    if (this.ended || this.state === state) return;
    this.state = state;
    if (state !== "moving") this._samples = [];
    this.emit("changed", undefined);
  }

  /** @param {unknown} error */
  fail(error) {
    this.error = error instanceof TokenIMError ? error : new TokenIMError("internal", String(error));
    this.setState("failed");
  }
}

/**
 * @param {import("./client.js").Client} client
 * @param {AbortSignal} signal
 * @returns {Promise<void>} resolves with a session; rejects after a minute without one
 */
export function untilOnline(client, signal) {
  if (client.online) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const finish = (/** @type {() => void} */ end) => {
      off();
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      end();
    };
    const aborted = () => finish(() => reject(new TokenIMError("timeout", "cancelled")));
    const timer = setTimeout(() => finish(() => reject(new TokenIMError("timeout", "offline"))), WAIT_ONLINE_MS);
    const off = client.on("session", () => finish(resolve));
    signal.addEventListener("abort", aborted);
  });
}
