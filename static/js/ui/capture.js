import { errorText } from "../i18n/index.js";
import { codeOf } from "../sdk/index.js";
import { toast } from "./announcer.js";

/** @typedef {import("./devices.js").Capture} Capture */

/**
 * What this device sends into a Room: keeps the Room in line with the Devices, and shares the
 * screen.
 */
export class CaptureFeed {
  /**
   * @param {import("../sdk/index.js").Room} room
   * @param {import("./devices.js").Devices} devices
   * @param {{codec: string, onScreen: (track: MediaStreamTrack | null) => void}} options
   */
  constructor(room, devices, { codec, onScreen }) {
    this._room = room;
    this._devices = devices;
    this._codec = codec || "VP8";
    this._onScreen = onScreen;
    /** @type {MediaStream | null} */
    this.screen = null;
    /** @type {Record<Capture, string>} what was told last */
    this._told = { camera: "", microphone: "" };
    this._busy = Promise.resolve();
    this._off = devices.on("changed", () => this.sync());
  }

  /** Publish, pause and resume until the Room has what the Devices have. */
  sync() {
    this._busy = this._busy
      .then(() => this._one("microphone"))
      .then(() => this._one("camera"))
      .catch((error) => {
        // While the connection is away nothing can be told; rebuilding publishes everything anew.
        if (this._room.state === "joined") toast(errorText(codeOf(error)));
      });
    return this._busy;
  }

  async shareScreen() {
    try {
      this.screen = await navigator.mediaDevices.getDisplayMedia({
        video: { frameRate: { ideal: 15, max: 30 } },
        audio: true,
      });
    } catch {
      return; // The user closed the browser's picker.
    }
    const [video] = this.screen.getVideoTracks();
    const [audio] = this.screen.getAudioTracks();
    video.addEventListener("ended", () => void this.stopScreen());
    this._onScreen(video);
    try {
      await this._room.media.publish("screen", video);
      if (audio) await this._room.media.publish("screen_audio", audio);
    } catch (error) {
      toast(errorText(codeOf(error)));
      await this.stopScreen();
    }
  }

  async stopScreen() {
    const screen = this.screen;
    if (!screen) return;
    this.screen = null;
    screen.getTracks().forEach((track) => track.stop());
    this._onScreen(null);
    try {
      await this._room.media.unpublish("screen");
      await this._room.media.unpublish("screen_audio");
    } catch (error) {
      if (this._room.state === "joined") toast(errorText(codeOf(error)));
    }
  }

  close() {
    this._off();
    this.screen?.getTracks().forEach((track) => track.stop());
  }

  /** @param {Capture} capture */
  async _one(capture) {
    const on = this._devices.isOn(capture);
    const track = this._devices.tracks[capture];
    const state = `${on} ${track?.id}`;
    if (this._told[capture] === state || this._room.state === "left") return;
    const media = this._room.media;
    const sent = media.local.get(capture);
    if (track && sent?.track !== track) await media.publish(capture, track, { codec: this._codec });
    if (media.local.has(capture) && (media.local.get(capture)?.muted ?? false) === on) {
      await media.setMuted(capture, !on);
    }
    this._told[capture] = state;
  }
}
