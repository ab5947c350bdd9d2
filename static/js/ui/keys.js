/** Single keys, as long as nothing is being written and no dialog is open. */
export class Keys {
  /** @param {Record<string, () => void>} actions by `KeyboardEvent.key`, in lower case */
  constructor(actions) {
    this._actions = actions;
    this._listener = (/** @type {KeyboardEvent} */ event) => this._key(event);
    document.addEventListener("keydown", this._listener);
  }

  close() {
    document.removeEventListener("keydown", this._listener);
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const writing = event.target instanceof Element && event.target.closest("input, textarea, select");
    if (writing && event.key !== "Escape") return;
    const action = this._actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  }
}
