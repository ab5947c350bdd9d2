import { Emitter } from "../sdk/index.js";
import { pref, setPref } from "./prefs.js";

/** @typedef {"camera" | "microphone"} Capture */
/** @typedef {"" | "denied" | "missing" | "insecure" | "failed"} Trouble */

/** @type {Record<Capture, "video" | "audio">} */
const KIND = { camera: "video", microphone: "audio" };

/**
 * The camera and microphone of this device: asked for, switched, changed.
 * @extends {Emitter<{changed: void, trouble: Trouble, lost: Capture}>}
 */
export class Devices extends Emitter {
  /** @param {{low?: boolean}} [options] */
  constructor({ low = false } = {}) {
    super();
    this._low = low;
    /** @type {Record<Capture, MediaStreamTrack | null>} */
    this.tracks = { camera: null, microphone: null };
    /** @type {Record<Capture, boolean>} what the user wants */
    this.wanted = { camera: false, microphone: false };
    /** @type {MediaDeviceInfo[]} */
    this.list = [];
    /** @type {Trouble} */
    this.trouble = "";
    this._watchList = () => void this.refresh();
    navigator.mediaDevices?.addEventListener("devicechange", this._watchList);
  }

  /** @param {Capture} capture */
  isOn(capture) {
    return this.wanted[capture] && Boolean(this.tracks[capture]);
  }

  /**
   * Ask for what is wanted, both in one question when both are; goes on with what is allowed.
   * @param {{camera: boolean, microphone: boolean}} wanted
   */
  async start(wanted) {
    if (!navigator.mediaDevices) {
      this._setTrouble("insecure");
      return;
    }
    if (wanted.camera && wanted.microphone && (await this._open(["camera", "microphone"]))) return this.refresh();
    const both = wanted.camera && wanted.microphone && this.trouble === "denied";
    if (wanted.microphone && !both) await this._open(["microphone"]);
    if (wanted.camera && !both) await this._open(["camera"]);
    await this.refresh();
  }

  /**
   * @param {Capture} capture
   * @param {boolean} on
   * @returns {Promise<boolean>} whether it is now as wanted
   */
  async set(capture, on) {
    if (!on) {
      this.wanted[capture] = false;
      if (capture === "camera") this._stop("camera");
      else if (this.tracks.microphone) this.tracks.microphone.enabled = false;
      this.emit("changed", undefined);
      return true;
    }
    if (!this.tracks[capture] && !(await this._open([capture]))) return false;
    const track = this.tracks[capture];
    if (track) track.enabled = true;
    this.wanted[capture] = true;
    this.emit("changed", undefined);
    await this.refresh();
    return true;
  }

  /**
   * Use another device.
   * @param {Capture} capture
   * @param {string} id
   */
  async choose(capture, id) {
    setPref(capture, id);
    const wasOn = this.wanted[capture];
    this._stop(capture);
    if (await this._open([capture])) await this.set(capture, wasOn);
  }

  /** @param {MediaDeviceKind} kind */
  named(kind) {
    return this.list.filter((device) => device.kind === kind && device.deviceId);
  }

  async refresh() {
    this.list = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    this.emit("changed", undefined);
  }

  /** Let go of both: nothing is captured any more. */
  release() {
    this._stop("camera");
    this._stop("microphone");
    this.emit("changed", undefined);
  }

  close() {
    navigator.mediaDevices?.removeEventListener("devicechange", this._watchList);
    this._stop("camera");
    this._stop("microphone");
  }

  /**
   * @param {Capture[]} captures
   * @returns {Promise<boolean>}
   */
  async _open(captures) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(this._constraints(captures));
      for (const capture of captures) this._take(capture, stream);
      this._setTrouble("");
      return true;
    } catch (error) {
      this._setTrouble(troubleOf(error));
      return false;
    }
  }

  /**
   * @param {Capture} capture
   * @param {MediaStream} stream
   */
  _take(capture, stream) {
    const track = stream.getTracks().find(({ kind }) => kind === KIND[capture]) ?? null;
    this._stop(capture);
    this.tracks[capture] = track;
    this.wanted[capture] = true;
    track?.addEventListener("ended", () => this._ended(capture, track));
    this.emit("changed", undefined);
  }

  /**
   * @param {Capture} capture
   * @param {MediaStreamTrack} track
   */
  _ended(capture, track) {
    if (this.tracks[capture] !== track) return;
    this._stop(capture);
    this.wanted[capture] = false;
    this.emit("lost", capture);
    this.emit("changed", undefined);
  }

  /** @param {Capture} capture */
  _stop(capture) {
    this.tracks[capture]?.stop();
    this.tracks[capture] = null;
  }

  /** @param {Capture[]} captures */
  _constraints(captures) {
    const wish = (/** @type {Capture} */ capture) => (pref(capture) ? { deviceId: { ideal: pref(capture) } } : {});
    const size = this._low
      ? { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 15, max: 15 } }
      : { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
    const cleanup = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    return {
      video: captures.includes("camera") && { ...size, ...wish("camera") },
      audio: captures.includes("microphone") && { ...cleanup, ...wish("microphone") },
    };
  }

  /** @param {Trouble} trouble */
  _setTrouble(trouble) {
    this.trouble = trouble;
    this.emit("trouble", trouble);
  }
}

/** @param {unknown} error @returns {Trouble} */
function troubleOf(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  return "failed";
}
