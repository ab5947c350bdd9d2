/**
 * A typed event source. `T` maps an event's name to what its listeners receive.
 * @template {Record<string, any>} T
 */
export class Emitter {
  constructor() {
    /** @type {Map<keyof T, Set<(detail: any) => void>>} */
    this._listeners = new Map();
  }

  /**
   * Listen; the returned function ends it.
   * @template {keyof T} K
   * @param {K} event
   * @param {(detail: T[K]) => void} listener
   * @returns {() => void}
   */
  on(event, listener) {
    const listeners = this._listeners.get(event) ?? new Set();
    listeners.add(listener);
    this._listeners.set(event, listeners);
    return () => void listeners.delete(listener);
  }

  /**
   * @template {keyof T} K
   * @param {K} event
   * @param {T[K]} detail
   */
  emit(event, detail) {
    for (const listener of [...(this._listeners.get(event) ?? [])]) listener(detail);
  }
}
