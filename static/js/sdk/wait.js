import { TokenIMError } from "./errors.js";

/**
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Exponential back-off with full jitter.
 * @param {number} attempt from 0
 * @param {number} base_ms
 * @param {number} max_ms
 */
export function backoff(attempt, base_ms = 500, max_ms = 10_000) {
  return Math.min(max_ms, base_ms * 2 ** attempt) * (0.5 + Math.random() / 2);
}

/**
 * What comes of some work; rejects with TokenIMError `timeout` when that takes too long. The work is
 * told so by the signal, and is not waited for whether it heeds it or not.
 * @template R
 * @param {(signal: AbortSignal) => Promise<R>} work
 * @param {number} ms
 * @param {string} what is missing then, for the message
 * @returns {Promise<R>}
 */
export async function inTime(work, ms, what) {
  const late = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new TokenIMError("timeout", `no ${what} in time`, { retryable: true }));
      late.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(late.signal), /** @type {Promise<never>} */ (deadline)]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Does it again, with longer and longer pauses, while it fails in a way that passes by itself.
 * @template R
 * @param {() => Promise<R>} work
 * @param {number} [attempts]
 * @returns {Promise<R>}
 */
export async function patiently(work, attempts = 4) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === attempts || !(error instanceof TokenIMError && error.retryable)) throw error;
      await delay(backoff(attempt));
    }
  }
}

/** A random id for requests that must not happen twice (`client_id`). */
export function uniqueId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Runs a task soon after it is asked for, but not again before `every_ms` have passed. */
export class Seldom {
  /**
   * @param {() => Promise<void>} task must not reject
   * @param {number} every_ms
   */
  constructor(task, every_ms) {
    this._task = task;
    this._every_ms = every_ms;
    this._ranAt = -Infinity;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._timer = undefined;
  }

  /** However often this is called: one run is enough for all calls before it. */
  ask() {
    const wait_ms = Math.max(0, this._ranAt + this._every_ms - performance.now());
    this._timer ??= setTimeout(() => this._run(), wait_ms);
  }

  _run() {
    this._timer = undefined;
    this._ranAt = performance.now();
    void this._task();
  }
}

/** Runs tasks one after another; a failed task does not stop the next. */
export class Serial {
  constructor() {
    /** @type {Promise<unknown>} */
    this._tail = Promise.resolve();
  }

  /**
   * @template R
   * @param {() => Promise<R>} task
   * @returns {Promise<R>}
   */
  run(task) {
    const result = this._tail.then(task, task);
    this._tail = result.catch(() => undefined);
    return result;
  }
}
