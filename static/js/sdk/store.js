import { inTime } from "./wait.js";

/** @typedef {import("./types.js").LogEvent} LogEvent */

/**
 * Where a device keeps what it has read of its logs, so that the next visit reads only what is new.
 * What is kept of a conversation is one run of events without gaps. All three may be slow; none may
 * fail a page: a store that cannot keep answers as if it were empty.
 *
 * @typedef {object} LogStore
 * @property {(conversation: string) => Promise<LogEvent[]>} load the newest ones, in order
 * @property {(conversation: string, events: LogEvent[]) => Promise<void>} put new ones, or newer forms
 * @property {(conversation: string) => Promise<void>} clear
 */

/** So many events of a conversation are kept; older ones are read from the server. */
const KEPT = 300;

/**
 * Browsers are known to leave a database without any answer, at times for good: what does not come
 * in this time is not waited for.
 */
const PATIENCE_MS = 2_000;

/** Keeps them as long as the page lives. */
export class MemoryStore {
  constructor() {
    /** @type {Map<string, Map<number, LogEvent>>} */
    this._logs = new Map();
  }

  /** @param {string} conversation */
  async load(conversation) {
    return newest([...(this._logs.get(conversation)?.values() ?? [])]);
  }

  /**
   * @param {string} conversation
   * @param {LogEvent[]} events
   */
  async put(conversation, events) {
    const log = this._logs.get(conversation) ?? new Map();
    for (const event of events) log.set(event.seq, event);
    this._logs.set(conversation, log);
  }

  /** @param {string} conversation */
  async clear(conversation) {
    this._logs.delete(conversation);
  }
}

/** Keeps them in the browser's IndexedDB, over reloads and visits. */
export class IndexedStore {
  /** @param {string} name one for each user of this browser */
  constructor(name) {
    /** @type {Promise<IDBDatabase | null>} */
    this._database = within(openDatabase(name), null);
  }

  /**
   * @param {string} conversation
   * @returns {Promise<LogEvent[]>}
   */
  async load(conversation) {
    const all = (await this._run("readonly", (events) => events.getAll(rangeOf(conversation)))) ?? [];
    const kept = newest(all);
    const first = kept[0]?.seq ?? 0;
    if (kept.length < all.length) {
      const old = IDBKeyRange.bound([conversation, 0], [conversation, first], false, true);
      await this._run("readwrite", (events) => events.delete(old));
    }
    return kept;
  }

  /**
   * @param {string} conversation
   * @param {LogEvent[]} added
   */
  async put(conversation, added) {
    await this._run("readwrite", (events) => {
      for (const event of added) events.put({ ...event, conversation });
    });
  }

  /** @param {string} conversation */
  async clear(conversation) {
    await this._run("readwrite", (events) => events.delete(rangeOf(conversation)));
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(events: IDBObjectStore) => IDBRequest | void} work
   * @returns {Promise<any>} the request's result, once it is on disk; undefined when it is not
   */
  async _run(mode, work) {
    const database = await this._database;
    if (!database) return undefined;
    const done = new Promise((resolve) => {
      const transaction = database.transaction("events", mode);
      const request = work(transaction.objectStore("events"));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = () => resolve(undefined); // Full or taken away: nothing is kept.
    });
    return within(done, undefined);
  }
}

/**
 * What comes of it, or `otherwise` when it fails or takes too long.
 * @template T
 * @param {Promise<T>} work
 * @param {T} otherwise
 * @returns {Promise<T>}
 */
function within(work, otherwise) {
  return inTime(() => work, PATIENCE_MS, "database").catch(() => otherwise);
}

/**
 * The end of a run without gaps.
 * @param {LogEvent[]} events
 */
function newest(events) {
  const sorted = events.sort((a, b) => a.seq - b.seq).slice(-KEPT);
  let from = Math.max(0, sorted.length - 1);
  while (from > 0 && sorted[from - 1].seq === sorted[from].seq - 1) from--;
  return sorted.slice(from);
}

/** @param {string} conversation */
function rangeOf(conversation) {
  return IDBKeyRange.bound([conversation, 0], [conversation, Infinity]);
}

/**
 * @param {string} name
 * @returns {Promise<IDBDatabase | null>} null where there is none (private windows)
 */
function openDatabase(name) {
  return new Promise((resolve) => {
    if (!globalThis.indexedDB) return resolve(null);
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("events", { keyPath: ["conversation", "seq"] });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  });
}
