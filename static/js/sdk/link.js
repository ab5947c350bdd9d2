import { Emitter } from "./emitter.js";

/** @typedef {{up: void, restart: void, lost: void}} LinkEvents */

/** How a transport is set up, whatever its ICE servers: one path for everything on it. */
export const PLAN = Object.freeze({ bundlePolicy: /** @type {RTCBundlePolicy} */ ("max-bundle") });
/** A `disconnected` ICE often heals by itself; this long it may try. */
const DISCONNECTED_MS = 4000;
/** A restart that was asked for and brought nothing counts as failed after this. */
const RESTART_TIMEOUT_MS = 8000;
const RESTARTS = 3;

/**
 * Watches one RTCPeerConnection: asks for an ICE restart when the path dies, and says `lost` when
 * restarts do not help.
 * @extends {Emitter<LinkEvents>}
 */
export class Link extends Emitter {
  /** @param {RTCPeerConnection} pc */
  constructor(pc) {
    super();
    this._pc = pc;
    this._restarts = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._timer = undefined;
    pc.addEventListener("connectionstatechange", () => this._changed());
  }

  get up() {
    return this._pc.connectionState === "connected";
  }

  close() {
    clearTimeout(this._timer);
    this._pc.close();
  }

  _changed() {
    clearTimeout(this._timer);
    const state = this._pc.connectionState;
    if (state === "connected") {
      this._restarts = 0;
      this.emit("up", undefined);
    }
    if (state === "disconnected") this._timer = setTimeout(() => this._restart(), DISCONNECTED_MS);
    if (state === "failed") this._restart();
  }

  _restart() {
    if (this._pc.connectionState === "closed" || this.up) return;
    if (this._restarts++ >= RESTARTS) {
      this.emit("lost", undefined);
      return;
    }
    this._timer = setTimeout(() => this._restart(), RESTART_TIMEOUT_MS);
    this.emit("restart", undefined);
  }
}
