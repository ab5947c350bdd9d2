import { Link, PLAN } from "./link.js";
import { codecsPreferring, simulcastLayers, withOpusDtx } from "./sdp.js";
import { Serial } from "./wait.js";

/** @typedef {import("./types.js").Source} Source */

/**
 * @typedef {object} PublishOptions
 * @property {string} [codec] for video; `VP8` by default, the one that is sent as simulcast
 * @property {boolean} [simulcast] three layers for a camera; true by default with VP8
 *
 * @typedef {object} Sent one source on its way to the server
 * @property {RTCRtpTransceiver} transceiver
 * @property {MediaStreamTrack} track
 * @property {string} [id] the track's id on the wire, once published
 *
 * @typedef {(event: string, payload: object, options?: {timeout_ms?: number}) => Promise<any>} Request
 */

const MAX_BITRATE_BPS = { screen: 2_500_000, camera: 1_700_000 };

/**
 * The `publish` transport: this side offers. Owns one RTCPeerConnection and what is sent on it,
 * including the data channels for application messages and uploads.
 */
export class Publisher {
  /**
   * @param {{room: string, request: Request, dtx?: boolean}} options
   */
  constructor({ room, request, dtx = true }) {
    this._room = room;
    this._request = request;
    this._dtx = dtx;
    this.pc = new RTCPeerConnection(PLAN);
    this.link = new Link(this.pc);
    this.link.on("restart", () => void this._restartIce());
    this.reliable = this.pc.createDataChannel("data");
    this.lossy = this.pc.createDataChannel("data-lossy", { ordered: false, maxRetransmits: 0 });
    /** @type {Map<Source, Sent>} */
    this.sent = new Map();
    /** @type {RTCRtpTransceiver[]} m-lines whose source ended, to be used again */
    this._idle = [];
    this._serial = new Serial();
  }

  /**
   * The first offer, with everything there is to send: at least the data channels.
   * @param {Map<Source, {track: MediaStreamTrack, options: PublishOptions}>} local
   */
  open(local) {
    return this._change(async () => {
      for (const [source, { track, options }] of local) await this._send(source, track, options);
    });
  }

  /**
   * Send a track, or another track for a source that is sent already.
   * @param {Source} source
   * @param {MediaStreamTrack} track
   * @param {PublishOptions} [options]
   */
  publish(source, track, options = {}) {
    const send = () => this._send(source, track, options);
    return this.sent.has(source) ? send() : this._change(send);
  }

  /**
   * Stop sending for a while (a camera that is off): the m-line stays.
   * @param {Source} source
   */
  async pause(source) {
    await this.sent.get(source)?.transceiver.sender.replaceTrack(null);
  }

  /** @param {Source} source */
  async unpublish(source) {
    const sent = this.sent.get(source);
    if (!sent) return;
    this.sent.delete(source);
    await sent.transceiver.sender.replaceTrack(null);
    await this._change(async () => {
      sent.transceiver.direction = "inactive";
      this._idle.push(sent.transceiver);
    });
  }

  close() {
    this.link.close();
  }

  /**
   * Offer what changed. It waits for the offer under way: that one has no m-line for what is new.
   * @param {() => Promise<void>} work
   * @param {RTCOfferOptions} [options]
   * @returns {Promise<void>}
   */
  _change(work, options) {
    return this._serial.run(async () => {
      if (this.pc.connectionState === "closed") return;
      await work();
      await this._offer(options);
    });
  }

  /** @param {RTCOfferOptions} [options] */
  async _offer(options) {
    await this.pc.setLocalDescription(await this.pc.createOffer(options));
    try {
      const sdp = this.pc.localDescription?.sdp;
      const published = await this._request("media:publish", { room: this._room, sdp, tracks: this._sources() });
      const answer = this._dtx ? withOpusDtx(published.sdp) : published.sdp;
      await this.pc.setRemoteDescription({ type: "answer", sdp: answer });
      this._name(published.tracks ?? []);
    } catch (error) {
      if (this.pc.signalingState === "have-local-offer") {
        await this.pc.setLocalDescription({ type: "rollback" });
      }
      throw error;
    }
  }

  /**
   * @param {Source} source
   * @param {MediaStreamTrack} track
   * @param {PublishOptions} options
   */
  async _send(source, track, options) {
    const sent = this.sent.get(source);
    if (!sent) {
      this.sent.set(source, { transceiver: await this._transceiverFor(source, track, options), track });
      return;
    }
    sent.track = track;
    await sent.transceiver.sender.replaceTrack(track);
  }

  _sources() {
    return [...this.sent].map(([source, { transceiver }]) => ({ mid: transceiver.mid, source }));
  }

  /** @param {{mid: string, track: string}[]} tracks */
  _name(tracks) {
    for (const sent of this.sent.values()) {
      sent.id = tracks.find((track) => track.mid === sent.transceiver.mid)?.track ?? sent.id;
    }
  }

  async _restartIce() {
    try {
      await this._request("media:restart", { room: this._room, transport: "publish" });
      await this._change(async () => undefined, { iceRestart: true });
    } catch {
      // The Link asks again, and gives up by itself.
    }
  }

  /**
   * @param {Source} source
   * @param {MediaStreamTrack} track
   * @param {PublishOptions} options
   */
  async _transceiverFor(source, track, options) {
    const kind = track.kind === "audio" ? "audio" : "video";
    const idle = source === "camera" ? -1 : this._idle.findIndex((line) => line.receiver.track.kind === kind && !isSimulcast(line));
    if (idle >= 0) {
      const [transceiver] = this._idle.splice(idle, 1);
      transceiver.direction = "sendonly";
      await transceiver.sender.replaceTrack(track);
      return transceiver;
    }
    const codec = options.codec ?? "VP8";
    const transceiver = this.pc.addTransceiver(track, {
      direction: "sendonly",
      sendEncodings: encodings(source, track, options.simulcast ?? codec === "VP8"),
    });
    if (kind === "video") transceiver.setCodecPreferences(codecsPreferring("video", codec));
    return transceiver;
  }
}

/** @param {RTCRtpTransceiver} transceiver */
function isSimulcast(transceiver) {
  return transceiver.sender.getParameters().encodings.length > 1;
}

/**
 * @param {Source} source
 * @param {MediaStreamTrack} track
 * @param {boolean} simulcast
 * @returns {RTCRtpEncodingParameters[]}
 */
function encodings(source, track, simulcast) {
  if (track.kind === "audio") return [{}];
  if (source === "camera" && simulcast) return simulcastLayers(track.getSettings().height ?? 720);
  return [{ maxBitrate: source === "screen" ? MAX_BITRATE_BPS.screen : MAX_BITRATE_BPS.camera }];
}
