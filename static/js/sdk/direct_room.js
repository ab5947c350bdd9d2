import { Emitter } from "./emitter.js";
import { Peer } from "./peer.js";
import { readStats, StatsHistory } from "./stats.js";

/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./types.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("./media.js").Local} Local */

/**
 * @typedef {object} DirectOptions
 * @property {import("./calls.js").CallInfo} call of a direct conversation, answered
 * @property {string} [name] own
 * @property {number} [patience_ms] how long the direct way may take; 0 goes to the Room at once
 * @property {RTCConfiguration} [rtc]
 */

const PATIENCE_MS = 6_000;

/**
 * The live media of a call between two: device to device if that connects, else by the Room of the
 * conversation. To its user it is a Room.
 * @extends {Emitter<import("./room.js").RoomEvents>}
 */
export class DirectRoom extends Emitter {
  /**
   * @param {import("./client.js").Client} client
   * @param {DirectOptions} options
   */
  constructor(client, { call, name = "", patience_ms = PATIENCE_MS, rtc = {} }) {
    super();
    this._client = client;
    this._call = call;
    this._name = name;
    this._patience_ms = patience_ms;
    this.id = call.room;
    /** @type {import("./room.js").RoomState} */
    this.state = "new";
    this._them = call.participants.find(({ user }) => user !== client.user) ?? call.participants[0];
    this._self = { participant: "self", user: client.user, device: client.device, name, attributes: {}, tracks: [] };
    /** @type {Map<string, ParticipantInfo>} */
    this._two = new Map([["self", /** @type {ParticipantInfo} */ (this._self)]]);
    this._peer = new Peer({ iceServers: client.session?.ice_servers ?? [], ...rtc });
    this._history = new StatsHistory();
    this._media = new DirectMedia(this._peer, () => this._tell());
    /** @type {import("./room.js").Room | null} once the direct way is given up */
    this.relayed = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._timer = undefined;
    this._offs = [
      this._peer.on("signal", (what) => client.calls.signal(call.id, this._them, what)),
      this._peer.on("up", () => this._up()),
      this._peer.on("lost", () => void this._relay()),
      this._peer.on("state", (state) => this._theirs(state)),
    ];
  }

  get participant() {
    return this.relayed?.participant ?? "self";
  }

  get participants() {
    return this.relayed?.participants ?? this._two;
  }

  /** Scores are the server's: there are none from device to device. */
  get quality() {
    return this.relayed?.quality ?? NO_SCORES;
  }

  get media() {
    return this.relayed?.media ?? this._media;
  }

  /**
   * Connect. What the other side has signalled meanwhile is taken now, not before: up to here there
   * is nothing that could be up, or given up. Rejects with TokenIMError when neither way is open.
   */
  async join() {
    if (this.relayed) return this.relayed.join();
    this._setState("joining");
    this.emit("participants", undefined);
    if (!this._patience_ms) return this._relay();
    this._timer = setTimeout(() => void this._relay(), this._patience_ms);
    const { calls, user } = this._client;
    this._offs.push(calls.listen(this._call.id, (signal) => void this._signalled(signal)));
    if (this._call.caller === user) await this._offer();
  }

  async leave() {
    this._end();
    const relayed = this.relayed;
    this._setState("left");
    await relayed?.leave();
  }

  /** @param {Record<string, any>} attributes */
  async setAttributes(attributes) {
    Object.assign(this._self.attributes, attributes);
    if (this.relayed) await this.relayed.setAttributes(attributes);
    else this._tell();
    this.emit("participants", undefined);
  }

  /**
   * @param {string} track
   * @param {import("./room.js").Wish} wish
   */
  wish(track, wish) {
    this.relayed?.wish(track, wish);
  }

  stats() {
    if (this.relayed) return this.relayed.stats();
    return readStats(/** @type {any} */ (this._peer), /** @type {any} */ (this._peer), this._history);
  }

  async _offer() {
    try {
      await this._peer.offer();
    } catch (error) {
      if (!this.relayed && this.state !== "left") throw error; // Else the other side gave this way up.
    }
  }

  /** @param {import("./calls.js").Signal} signal */
  async _signalled(signal) {
    if (signal.description?.type === "relay") return this._relay({ tell: false });
    try {
      await this._peer.take(signal);
      await this._media.send();
    } catch {
      await this._relay(); // What the other side sent makes no sense here.
    }
  }

  _up() {
    clearTimeout(this._timer);
    this._tell();
    this._setState("joined");
    this.emit("link", true);
  }

  _tell() {
    const sources = Object.fromEntries([...this._media.local].map(([source, { muted }]) => [source, { muted }]));
    this._peer.tell({ name: this._name, attributes: this._self.attributes, sources });
  }

  /** @param {import("./peer.js").PeerState} state */
  _theirs({ name, attributes, sources }) {
    const entries = /** @type {[Source, {muted: boolean}][]} */ (Object.entries(sources));
    const tracks = entries.map(([source, { muted }]) => ({ track: source, kind: kindOf(source), source, muted }));
    const { user, device } = this._them;
    this._two.set("them", { participant: "them", user, device: device ?? "", name, attributes, tracks });
    const now = new Set(Object.keys(sources));
    for (const [id, track] of this._peer.tracks) if (!now.has(id)) this._ended(id, track);
    for (const { track, source } of tracks) if (!this._peer.tracks.has(track)) this._began(source);
    this.emit("participants", undefined);
  }

  /** @param {Source} source */
  _began(source) {
    const receiver = this._peer.received(source);
    if (!receiver) return;
    const base = { mid: source, track: source, participant: "them", kind: kindOf(source), source };
    const track = { ...base, receiver, media: receiver.track };
    this._peer.tracks.set(source, track);
    this.emit("track", track);
  }

  /**
   * @param {string} id
   * @param {import("./subscriber.js").ReceivedTrack} track
   */
  _ended(id, track) {
    this._peer.tracks.delete(id);
    this.emit("ended", track);
  }

  /** Both go to the Room: one of them says so. */
  async _relay({ tell = true } = {}) {
    if (this.relayed || this.state === "left") return;
    if (tell) this._client.calls.signal(this._call.id, this._them, { description: { type: "relay" } });
    this._end();
    for (const [id, track] of this._peer.tracks) this._ended(id, track);
    const room = this._client.room(this.id, { name: this._name, attributes: this._self.attributes });
    for (const [source, local] of this._media.local) room.media.local.set(source, local);
    this.relayed = room;
    for (const event of FORWARDED) room.on(event, (detail) => this.emit(event, detail));
    room.on("state", (state) => this._setState(state));
    await room.join().catch(() => this._setState("failed"));
  }

  _end() {
    clearTimeout(this._timer);
    this._offs.splice(0).forEach((off) => off());
    this._peer.close();
  }

  /** @param {import("./room.js").RoomState} state */
  _setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit("state", state);
  }
}

/** @type {Map<string, number>} */
const NO_SCORES = new Map();

const FORWARDED = /** @type {const} */ (["participants", "track", "ended", "speakers", "quality", "link", "removed", "muted", "data", "channel"]);

/** What is sent straight to the other device; the part of Media that pages use. */
class DirectMedia {
  /**
   * @param {Peer} peer
   * @param {() => void} changed
   */
  constructor(peer, changed) {
    this._peer = peer;
    this._changed = changed;
    this.publisher = peer;
    this.subscriber = peer;
    /** @type {Map<Source, Local>} */
    this.local = new Map();
  }

  /** Put on the m-lines what there is, once there are m-lines. */
  async send() {
    for (const [source, { track, muted }] of this.local) {
      if (!this._peer.sent.has(source) && !(muted && track.kind === "video")) await this._peer.send(source, track);
    }
  }

  /**
   * @param {Source} source
   * @param {MediaStreamTrack} track
   * @param {import("./publisher.js").PublishOptions} [options]
   */
  async publish(source, track, options = {}) {
    this.local.set(source, { track, muted: false, options });
    await this._peer.send(source, track);
    this._changed();
  }

  /** @param {Source} source */
  async unpublish(source) {
    this.local.delete(source);
    await this._peer.send(source, null);
    this._changed();
  }

  /**
   * @param {Source} source
   * @param {boolean} muted
   */
  async setMuted(source, muted) {
    const local = this.local.get(source);
    if (!local) return;
    local.muted = muted;
    local.track.enabled = !muted;
    if (local.track.kind === "video") await this._peer.send(source, muted ? null : local.track);
    this._changed();
  }
}

/**
 * @param {Source} source
 * @returns {"audio" | "video"}
 */
function kindOf(source) {
  return source === "camera" || source === "screen" ? "video" : "audio";
}
