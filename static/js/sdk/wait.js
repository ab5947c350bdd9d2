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

/** A random id for requests that must not happen twice (`client_id`). */
export function uniqueId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
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
