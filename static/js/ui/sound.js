import { pref } from "./prefs.js";

/** Plays the others' audio tracks, on the chosen loudspeaker. */
export class Sound {
  /** @param {(blocked: boolean) => void} onBlocked browsers may want a gesture first */
  constructor(onBlocked) {
    this._onBlocked = onBlocked;
    /** @type {Map<string, HTMLAudioElement>} by track id */
    this._elements = new Map();
  }

  /**
   * @param {string} id
   * @param {MediaStreamTrack} track
   */
  add(id, track) {
    const audio = new Audio();
    audio.srcObject = new MediaStream([track]);
    this._elements.set(id, audio);
    this._sink(audio, pref("speaker"));
    this._play(audio);
  }

  /** @param {string} id */
  remove(id) {
    const audio = this._elements.get(id);
    if (audio) audio.srcObject = null;
    this._elements.delete(id);
  }

  /** Try again, now within a gesture. */
  resume() {
    this._onBlocked(false);
    for (const audio of this._elements.values()) this._play(audio);
  }

  /** @param {string} id */
  useSpeaker(id) {
    for (const audio of this._elements.values()) this._sink(audio, id);
  }

  close() {
    for (const id of [...this._elements.keys()]) this.remove(id);
  }

  /** @param {HTMLAudioElement} audio */
  _play(audio) {
    audio.play().catch((error) => {
      if (error.name === "NotAllowedError") this._onBlocked(true);
    });
  }

  /**
   * @param {HTMLAudioElement} audio
   * @param {string} id
   */
  _sink(audio, id) {
    // A loudspeaker that is gone leaves the default one.
    if (id && "setSinkId" in audio) audio.setSinkId(id).catch(() => undefined);
  }
}
