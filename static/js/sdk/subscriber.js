import { Emitter } from "./emitter.js";
import { Link, PLAN } from "./link.js";
import { Serial } from "./wait.js";

/** @typedef {import("./types.js").OfferedTrack} OfferedTrack */

/**
 * @typedef {OfferedTrack & {receiver: RTCRtpReceiver, media: MediaStreamTrack}} ReceivedTrack
 * @typedef {{track: ReceivedTrack, ended: ReceivedTrack, channel: RTCDataChannel}} SubscriberEvents
 */

/**
 * The `subscribe` transport: the server offers. Owns one RTCPeerConnection and maps its m-lines to
 * tracks of the Room.
 * @extends {Emitter<SubscriberEvents>}
 */
export class Subscriber extends Emitter {
  /**
   * @param {{room: string, request: import("./publisher.js").Request}} options
   */
  constructor({ room, request }) {
    super();
    this._room = room;
    this._request = request;
    this.pc = new RTCPeerConnection(PLAN);
    this.link = new Link(this.pc);
    this.link.on("restart", () => this._restartIce());
    this.pc.addEventListener("datachannel", (event) => this.emit("channel", event.channel));
    /** @type {Map<string, ReceivedTrack>} by track id */
    this.tracks = new Map();
    this._serial = new Serial();
  }

  /**
   * Answer a `media:offer`; offers are answered one by one.
   * @param {{offer_id: string, sdp: string, tracks: OfferedTrack[]}} offer
   * @returns {Promise<void>}
   */
  answer(offer) {
    return this._serial.run(() => this._answer(offer));
  }

  close() {
    this.link.close();
    for (const track of this.tracks.values()) this.emit("ended", track);
    this.tracks.clear();
  }

  /** @param {{offer_id: string, sdp: string, tracks: OfferedTrack[]}} offer */
  async _answer(offer) {
    if (this.pc.connectionState === "closed") return;
    await this.pc.setRemoteDescription({ type: "offer", sdp: offer.sdp });
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    const sdp = this.pc.localDescription?.sdp;
    const told = this._request("media:answer", { room: this._room, offer_id: offer.offer_id, sdp });
    this._map(offer.tracks); // While the answer is on its way: the page draws what comes.
    await told;
  }

  /** @param {OfferedTrack[]} offered */
  _map(offered) {
    const now = new Map(offered.map((track) => [track.track, track]));
    for (const [id, track] of this.tracks) {
      if (now.get(id)?.mid === track.mid) continue;
      this.tracks.delete(id);
      this.emit("ended", track);
    }
    for (const [id, track] of now) if (!this.tracks.has(id)) this._add(track);
  }

  /** @param {OfferedTrack} offered */
  _add(offered) {
    const line = this.pc.getTransceivers().find(({ mid }) => mid === offered.mid);
    if (!line) return;
    const track = { ...offered, receiver: line.receiver, media: line.receiver.track };
    this.tracks.set(offered.track, track);
    this.emit("track", track);
  }

  _restartIce() {
    // The server answers with a `media:offer` that carries new credentials; the Link asks again.
    this._request("media:restart", { room: this._room, transport: "subscribe" }).catch(() => undefined);
  }
}
