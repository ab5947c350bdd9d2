import { inTime, uniqueId } from "../sdk/index.js";

/**
 * @typedef {object} Guest
 * @property {string} user given by the server; empty before the first visit
 * @property {string} device
 */

const SLOTS = 16;
/** A browser that answers no question about locks keeps nobody from joining. */
const PATIENCE_MS = 10_000;

/**
 * Each tab is a guest of its own, and stays the same one over reloads and visits: guests live in
 * numbered slots of the browser's storage, and an open tab holds its slot by a lock.
 */
export class Identity {
  constructor() {
    this._key = "";
    /** @type {Guest} */
    this._guest = { user: "", device: uniqueId() };
  }

  get device() {
    return this._guest.device;
  }

  /** Names what this browser keeps for this guest. */
  get slot() {
    return this._key;
  }

  /** Take the first free slot; without locks (no TLS) the tab's own storage. */
  async claim() {
    const slot = navigator.locks ? await inTime(freeSlot, PATIENCE_MS, "lock").catch(() => -1) : -1;
    this._key = `tokenim.guest.${Math.max(0, slot)}`;
    this._storage = slot >= 0 ? localStorage : sessionStorage;
    try {
      this._guest = { ...this._guest, ...JSON.parse(this._storage.getItem(this._key) ?? "{}") };
      this._storage.setItem(this._key, JSON.stringify(this._guest));
    } catch {
      // Nothing is remembered: a new guest each time.
    }
  }

  /**
   * A token for this guest.
   * @param {string} name
   * @param {AbortSignal} signal
   * @returns {Promise<string>}
   */
  async token(name, signal) {
    const wanted = this._guest.user ? { user: this._guest.user, name } : { name };
    const response = await fetch("demo/token", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(wanted),
      signal,
    });
    if (!response.ok) throw new Error(`token: HTTP ${response.status}`);
    const { token, user } = await response.json();
    this._guest.user = user;
    this._remember();
    return token;
  }

  _remember() {
    try {
      this._storage?.setItem(this._key, JSON.stringify(this._guest));
    } catch {
      // As above.
    }
  }
}

/** @returns {Promise<number>} -1 when all are taken */
async function freeSlot() {
  for (let slot = 0; slot < SLOTS; slot++) if (await hold(`tokenim.guest.${slot}`)) return slot;
  return -1;
}

/**
 * Hold a lock until the page ends.
 * @param {string} name
 * @returns {Promise<boolean>}
 */
function hold(name) {
  return new Promise((resolve) => {
    navigator.locks
      .request(name, { ifAvailable: true }, (lock) => {
        resolve(Boolean(lock));
        return lock ? new Promise(() => undefined) : undefined;
      })
      .catch(() => resolve(false));
  });
}
