import { Emitter } from "./emitter.js";

/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./subscriber.js").ReceivedTrack} ReceivedTrack */
/** @typedef {{name: string, attributes: Record<string, any>, sources: Partial<Record<Source, {muted: boolean}>>}} PeerState */
/** @typedef {{signal: {description?: any, candidate?: any}, up: void, lost: void, state: PeerState}} PeerEvents */

/** The m-lines of every offer, in this order: nothing is negotiated again when a source begins. */
const LINES = /** @type {[Source, "audio" | "video"][]} */ ([
  ["microphone", "audio"],
  ["camera", "video"],
  ["screen", "video"],
  ["screen_audio", "audio"],
]);

/**
 * One RTCPeerConnection straight to the other device. What each side sends, and whether it is
 * muted, is told over a data channel.
 * @extends {Emitter<PeerEvents>}
 */
export class Peer extends Emitter {
  /** @param {RTCConfiguration} configuration */
  constructor(configuration) {
    super();
    this.pc = new RTCPeerConnection({ ...configuration, bundlePolicy: "max-bundle" });
    this.link = { up: false };
    /** @type {Map<Source, import("./publisher.js").Sent>} for the figures */
    this.sent = new Map();
    /** @type {Map<string, ReceivedTrack>} by source, which is the track's id here */
    this.tracks = new Map();
    /** @type {PeerState | null} told once the channel is open */
    this._told = null;
    /** @type {any[]} that came before the description they belong to */
    this._candidates = [];
    this._channel = this.pc.createDataChannel("state", { negotiated: true, id: 0 });
    this._channel.addEventListener("open", () => this._told && this.tell(this._told));
    this._channel.addEventListener("message", ({ data }) => this.emit("state", JSON.parse(data)));
    this.pc.addEventListener("icecandidate", ({ candidate }) => candidate && this.emit("signal", { candidate: candidate.toJSON() }));
    this.pc.addEventListener("connectionstatechange", () => this._changed());
  }

  /** Begin: exactly one of the two sides does. */
  async offer() {
    for (const [, kind] of LINES) this.pc.addTransceiver(kind, { direction: "sendrecv" });
    await this.pc.setLocalDescription(await this.pc.createOffer());
    this._describe();
  }

  /** @param {{description?: any, candidate?: any}} signal from the other side */
  async take({ description, candidate }) {
    if (this.pc.signalingState === "closed") return;
    if (description?.type === "offer") await this._answer(description);
    else if (description?.type === "answer") await this.pc.setRemoteDescription(description);
    else if (candidate) this._candidates.push(candidate);
    if (!this.pc.remoteDescription) return;
    for (const one of this._candidates.splice(0)) await this.pc.addIceCandidate(one);
  }

  /**
   * Send a track as a source from now on; null for none.
   * @param {Source} source
   * @param {MediaStreamTrack | null} track
   */
  async send(source, track) {
    const transceiver = this._line(source);
    if (!transceiver) return;
    await transceiver.sender.replaceTrack(track);
    if (track) this.sent.set(source, { transceiver, track });
    else this.sent.delete(source);
  }

  /** @param {PeerState} state */
  tell(state) {
    this._told = state;
    if (this._channel.readyState === "open") this._channel.send(JSON.stringify(state));
  }

  /** @param {Source} source */
  received(source) {
    return this._line(source)?.receiver;
  }

  close() {
    this.link.up = false;
    this.pc.close();
  }

  /** @param {RTCSessionDescriptionInit} description */
  async _answer(description) {
    await this.pc.setRemoteDescription(description);
    for (const line of this.pc.getTransceivers()) line.direction = "sendrecv";
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    this._describe();
  }

  _describe() {
    this.emit("signal", { description: this.pc.localDescription?.toJSON() });
  }

  /** @param {Source} source */
  _line(source) {
    return this.pc.getTransceivers()[LINES.findIndex(([name]) => name === source)];
  }

  _changed() {
    const state = this.pc.connectionState;
    this.link.up = state === "connected";
    if (state === "connected") this.emit("up", undefined);
    if (state === "failed") this.emit("lost", undefined);
  }
}
