import { TokenIMError } from "./errors.js";

/** Frames on a `file:` channel are `u64 offset | bytes`, big endian. */
const HEADER_BYTES = 8;
/** More than this is not queued in the browser; sending goes on below the low mark. */
const HIGH_WATER_BYTES = 1 << 20;
const LOW_WATER_BYTES = 256 << 10;
const STALL_MS = 15_000;
const OPEN_TIMEOUT_MS = 6000;

/**
 * @param {number} offset
 * @param {Uint8Array} bytes
 * @returns {ArrayBuffer}
 */
export function packChunk(offset, bytes) {
  const frame = new Uint8Array(HEADER_BYTES + bytes.length);
  new DataView(frame.buffer).setBigUint64(0, BigInt(offset));
  frame.set(bytes, HEADER_BYTES);
  return frame.buffer;
}

/**
 * @param {ArrayBuffer} frame
 * @returns {{offset: number, bytes: Uint8Array<ArrayBuffer>}}
 */
export function unpackChunk(frame) {
  const offset = Number(new DataView(frame).getBigUint64(0));
  return { offset, bytes: new Uint8Array(frame, HEADER_BYTES) };
}

/**
 * One file on one data channel: frames in either direction, then a text message that ends it.
 * Every wait ends: by the event, by the channel's end, by silence, or by the signal.
 */
export class FileChannel {
  /**
   * @param {RTCDataChannel} channel
   * @param {AbortSignal} signal
   */
  constructor(channel, signal) {
    this._channel = channel;
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
    /** @type {(frame: ArrayBuffer) => void} */
    this.onFrame = () => undefined;
    /** @type {Promise<void>} the other side's verdict */
    this.ended = new Promise((resolve, reject) => {
      this._resolve = resolve;
      this._reject = reject;
    });
    this.ended.catch(() => undefined); // Whoever awaits it sees the error.
    channel.addEventListener("message", ({ data }) => this._message(data));
    channel.addEventListener("close", () => this._fail("unavailable", "channel closed"));
    signal.addEventListener("abort", () => this._fail("timeout", "cancelled"));
    this._watch(STALL_MS);
  }

  /** @returns {Promise<void>} */
  async open() {
    if (this._channel.readyState === "open") return;
    this._watch(OPEN_TIMEOUT_MS);
    await this._next("open");
  }

  /**
   * @param {number} offset
   * @param {Uint8Array} bytes
   */
  async send(offset, bytes) {
    while (this._channel.bufferedAmount > HIGH_WATER_BYTES) await this._next("bufferedamountlow");
    if (this._channel.readyState !== "open") {
      throw new TokenIMError("unavailable", "channel closed", { retryable: true });
    }
    this._watch(STALL_MS);
    this._channel.send(packChunk(offset, bytes));
  }

  get buffered_bytes() {
    return this._channel.bufferedAmount;
  }

  close() {
    clearTimeout(this._timer);
    this._channel.close();
  }

  /** @param {"open" | "bufferedamountlow"} event */
  _next(event) {
    const happened = new Promise((resolve) => {
      this._channel.addEventListener(event, resolve, { once: true });
    });
    return Promise.race([happened, this.ended]);
  }

  /** @param {string | ArrayBuffer} data */
  _message(data) {
    this._watch(STALL_MS);
    if (typeof data !== "string") {
      this.onFrame(data);
      return;
    }
    clearTimeout(this._timer);
    const verdict = JSON.parse(data);
    if (verdict.ok) this._resolve?.();
    else this._reject?.(TokenIMError.fromWire(wireError(verdict.error)));
  }

  /** @param {number} ms */
  _watch(ms) {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._fail("timeout", "no progress"), ms);
  }

  /**
   * @param {string} code
   * @param {string} message
   */
  _fail(code, message) {
    clearTimeout(this._timer);
    this._reject?.(new TokenIMError(code, message, { retryable: true }));
  }
}

/** @param {any} error a code, or an error object */
function wireError(error) {
  return typeof error === "string" ? { code: error } : error ?? {};
}
