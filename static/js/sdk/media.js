import { Emitter } from "./emitter.js";
import { PLAN } from "./link.js";
import { Publisher } from "./publisher.js";
import { Subscriber } from "./subscriber.js";

/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./subscriber.js").ReceivedTrack} ReceivedTrack */

/**
 * @typedef {object} Local a source this device sends, kept across transports
 * @property {MediaStreamTrack} track
 * @property {boolean} muted
 * @property {import("./publisher.js").PublishOptions} options
 *
 * @typedef {{track: ReceivedTrack, ended: ReceivedTrack, channel: RTCDataChannel, data: {payload: any},
 *   link: boolean, lost: void}} MediaEvents
 */

/**
 * Both transports of a Participant, and what is sent on them whatever happens to them: `rebuild`
 * makes new ones and publishes everything again.
 * @extends {Emitter<MediaEvents>}
 */
export class Media extends Emitter {
  /**
   * @param {{room: string, request: import("./publisher.js").Request}} options
   */
  constructor(options) {
    super();
    this._options = options;
    /** @type {Publisher | null} */
    this.publisher = null;
    /** @type {Subscriber | null} */
    this.subscriber = null;
    /** @type {{publisher: Publisher, subscriber: Subscriber} | null} made ahead, not in use yet */
    this._ahead = null;
    /** @type {Map<Source, Local>} */
    this.local = new Map();
    /** Own `track:update` requests under way: their echo is no news. */
    this.telling = 0;
  }

  /** Whether both transports that are in use carry packets. */
  get up() {
    const subscriber = this.subscriber;
    const receiving = !subscriber?.tracks.size || subscriber.link.up;
    return Boolean(this.publisher?.link.up) && receiving;
  }

  /** Whether there are transports that may still carry packets, now or after a restart. */
  get alive() {
    const states = [this.publisher, this.subscriber].map((one) => one?.pc.connectionState ?? "closed");
    return states.every((state) => state !== "closed" && state !== "failed");
  }

  /** Make the next transports while the Room is being asked for: their certificates take a while. */
  prepare() {
    this._ahead ??= { subscriber: new Subscriber(this._options), publisher: new Publisher(this._options) };
  }

  /** The Room was refused: what was made ahead is not needed. */
  discard() {
    this._ahead?.publisher.close();
    this._ahead?.subscriber.close();
    this._ahead = null;
  }

  /**
   * New transports, for a new or a lost Room.
   * @param {RTCIceServer[]} iceServers
   */
  async rebuild(iceServers) {
    this._closeTransports();
    const { publisher, subscriber } = this._take();
    for (const { pc } of [publisher, subscriber]) pc.setConfiguration({ ...PLAN, iceServers });
    this.subscriber = this._watchSubscriber(subscriber);
    this.publisher = publisher;
    this._watchLink(publisher.link);
    try {
      await publisher.open(this.local);
      for (const [source, { muted }] of this.local) if (muted) await this.setMuted(source, true);
    } catch (error) {
      this.close(); // They have no path, and are not to be taken for ones that may have it again.
      throw error;
    }
  }

  /**
   * @param {Source} source
   * @param {MediaStreamTrack} track
   * @param {import("./publisher.js").PublishOptions} [options]
   */
  async publish(source, track, options = {}) {
    track.contentHint = hintFor(source);
    const wasMuted = this.local.get(source)?.muted;
    this.local.set(source, { track, muted: false, options });
    await this.publisher?.publish(source, track, options);
    if (wasMuted) await this._tellMuted(source, false);
  }

  /** @param {Source} source */
  async unpublish(source) {
    this.local.delete(source);
    await this.publisher?.unpublish(source);
  }

  /**
   * Muted audio sends silence, muted video nothing; the others are told.
   * @param {Source} source
   * @param {boolean} muted
   */
  async setMuted(source, muted) {
    const local = this.local.get(source);
    if (!local) return;
    local.muted = muted;
    local.track.enabled = !muted;
    if (muted && local.track.kind === "video") await this.publisher?.pause(source);
    await this._tellMuted(source, muted);
  }

  /** @param {{offer_id: string, sdp: string, tracks: import("./types.js").OfferedTrack[]}} offer */
  answer(offer) {
    return this.subscriber?.answer(offer);
  }

  close() {
    this.discard();
    this._closeTransports();
    this.publisher = null;
    this.subscriber = null;
  }

  _take() {
    this.prepare();
    const made = /** @type {NonNullable<Media["_ahead"]>} */ (this._ahead);
    this._ahead = null;
    return made;
  }

  _closeTransports() {
    this.publisher?.close();
    this.subscriber?.close();
  }

  /**
   * @param {Source} source
   * @param {boolean} muted
   */
  async _tellMuted(source, muted) {
    const track = this.publisher?.sent.get(source)?.id;
    if (!track) return;
    this.telling++;
    try {
      await this._options.request("track:update", { room: this._options.room, track, muted });
    } finally {
      this.telling--;
    }
  }

  /** @param {Subscriber} subscriber */
  _watchSubscriber(subscriber) {
    subscriber.on("track", (track) => this.emit("track", track));
    subscriber.on("ended", (track) => this.emit("ended", track));
    subscriber.on("channel", (channel) => this._channel(channel));
    this._watchLink(subscriber.link);
    return subscriber;
  }

  /** @param {import("./link.js").Link} link */
  _watchLink(link) {
    link.on("up", () => this.emit("link", this.up));
    link.on("restart", () => this.emit("link", false));
    link.on("lost", () => this.emit("lost", undefined));
  }

  /** @param {RTCDataChannel} channel */
  _channel(channel) {
    if (channel.label !== "data" && channel.label !== "data-lossy") return this.emit("channel", channel);
    channel.addEventListener("message", (event) => this.emit("data", { payload: event.data }));
  }
}

/** @param {Source} source */
function hintFor(source) {
  return { camera: "motion", screen: "detail", microphone: "speech", screen_audio: "music" }[source];
}
