import { Emitter } from "./emitter.js";
import { codeOf, TokenIMError } from "./errors.js";
import { Media } from "./media.js";
import { readStats, StatsHistory } from "./stats.js";
import { backoff, delay, patiently, Serial } from "./wait.js";

/** @typedef {import("./types.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("./types.js").TrackInfo} TrackInfo */
/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./subscriber.js").ReceivedTrack} ReceivedTrack */

/**
 * @typedef {"new" | "joining" | "joined" | "rejoining" | "failed" | "left"} RoomState
 *
 * @typedef {object} RoomOptions
 * @property {string} [name] shown to the others
 * @property {Record<string, any>} [attributes]
 *
 * @typedef {{enabled?: boolean, width?: number, height?: number, fps?: number, priority?: number}} Wish
 *
 * @typedef {{state: RoomState, participants: void, track: ReceivedTrack, ended: ReceivedTrack,
 *   speakers: string[], quality: Map<string, number>, link: boolean, removed: {reason: string},
 *   muted: Source,
 *   data: any, channel: RTCDataChannel}} RoomEvents
 */

const REJOIN_ATTEMPTS = 6;
/** Why the server may end a Participant that is welcome to come back. */
const REJOINABLE = new Set(["node_lost", "drain", "lost", ""]);

/**
 * Live media with others. Survives reconnects: after a new session the Room is joined again, and
 * the transports are kept when the server still has them, rebuilt when not.
 * @extends {Emitter<RoomEvents>}
 */
export class Room extends Emitter {
  /**
   * @param {import("./client.js").Client} client
   * @param {string} id
   * @param {RoomOptions} [options]
   */
  constructor(client, id, options = {}) {
    super();
    this._client = client;
    this._options = options;
    this.id = id;
    /** @type {RoomState} */
    this.state = "new";
    /** Own participant id. */
    this.participant = "";
    /** @type {Map<string, ParticipantInfo>} self included */
    this.participants = new Map();
    /** @type {Map<string, number>} participant -> 1 (bad) to 5; who is missing has never been below 5 */
    this.quality = new Map();
    this.media = new Media({ room: id, request: (event, payload, how) => client.request(event, payload, how) });
    this._history = new StatsHistory();
    /** @type {any[]} offers that came before the ack of `room:join` */
    this._earlyOffers = [];
    /** The transports that offers are for are there. */
    this._answering = false;
    this._joins = new Serial();
    /** @type {Map<string, string>} by track, those that the server has or is being told */
    this._wishes = new Map();
    this._offs = [
      client.on("session", () => void this._rejoin()),
      client.on("wire", ({ event, data }) => data.room === id && this._receive(event, data)),
    ];
    this._forwardMedia();
  }

  /** Join, and start both transports. Rejects with TokenIMError when refused, or put off for long. */
  async join() {
    this._setState("joining");
    await this._joins.run(() => patiently(() => this._join()));
  }

  /** Leave for good; the Room object is used up. */
  async leave() {
    this._offs.forEach((off) => off());
    this.media.close();
    this._setState("left");
    await this._client.request("room:leave", { room: this.id }).catch(() => undefined);
  }

  /** @param {Record<string, any>} attributes own ones; e.g. `{hand: true}` */
  async setAttributes(attributes) {
    this._options.attributes = { ...this._options.attributes, ...attributes };
    await this._client.request("participant:update", {
      room: this.id,
      attributes: this._options.attributes,
    });
  }

  /**
   * What the page can use of a track; the server sends no more than that.
   * @param {string} track
   * @param {Wish} wish sizes in device pixels, at least 1; `{enabled: false}` for what is not shown
   */
  wish(track, wish) {
    const wanted = JSON.stringify(wish);
    if (this._wishes.get(track) === wanted) return;
    this._wishes.set(track, wanted);
    this._client.request("subscription:update", { room: this.id, track, ...wish }).catch(() => {
      // The server did not take it: the same wish is sent again when it is made again.
      if (this._wishes.get(track) === wanted) this._wishes.delete(track);
    });
  }

  /**
   * Figures of every track, sent and received, since the last call.
   * @returns {Promise<Map<string, import("./stats.js").TrackStats>>} by track id; own ones by source
   */
  async stats() {
    const { publisher, subscriber } = this.media;
    return readStats(publisher, subscriber, this._history);
  }

  /**
   * Application data to everyone in the Room.
   * @param {string} payload
   * @param {{reliable?: boolean}} [options]
   * @returns {boolean} false when the channel is not open
   */
  sendData(payload, { reliable = true } = {}) {
    const channel = reliable ? this.media.publisher?.reliable : this.media.publisher?.lossy;
    if (channel?.readyState !== "open") return false;
    channel.send(payload);
    return true;
  }

  _forwardMedia() {
    const media = this.media;
    media.on("track", (track) => this.emit("track", track));
    media.on("ended", (track) => this._trackEnded(track));
    media.on("link", (up) => this.emit("link", up));
    media.on("channel", (channel) => this.emit("channel", channel));
    media.on("data", (data) => this.emit("data", data));
    media.on("lost", () => void this._restart());
  }

  /** @param {ReceivedTrack} track */
  _trackEnded(track) {
    this._wishes.delete(track.track);
    this.emit("ended", track);
  }

  get _isLeft() {
    return this.state === "left";
  }

  async _join() {
    if (this._isLeft) return;
    const { name, attributes } = this._options;
    // Naming the participant says "my transports still live": only then may the server keep its ends.
    const participant = this.media.alive ? this.participant : undefined;
    this._answering = false;
    const ack = await this._ask({ room: this.id, name, attributes, participant });
    if (this._isLeft) return this.media.discard();
    const kept = ack.resumed === true && participant && ack.participant === participant;
    this.participant = ack.participant;
    this.participants = new Map(
      ack.participants.map((/** @type {ParticipantInfo} */ info) => [info.participant, info]),
    );
    // An offer that came with the ack is answered before the page draws who is there.
    setTimeout(() => this.emit("participants", undefined));
    if (!kept) {
      this._wishes.clear();
      this.quality.clear();
      const rebuilt = this.media.rebuild(ack.ice_servers ?? this._client.session?.ice_servers ?? []);
      this._answerEarly(); // One sees the others before one's own offer is through.
      await rebuilt;
    }
    this._answerEarly();
    if (!this._isLeft) this._setState("joined");
  }

  /**
   * Ask for the Room; what a new one takes is made meanwhile.
   * @param {{room: string, name?: string, attributes?: object, participant?: string}} wanted
   */
  async _ask(wanted) {
    const asked = this._client.request("room:join", wanted);
    if (!wanted.participant) this.media.prepare();
    try {
      return await asked;
    } catch (error) {
      this.media.discard();
      throw error;
    }
  }

  async _rejoin() {
    if (this.state === "new" || this.state === "left") return;
    this._setState("rejoining");
    await this._joins.run(() => this._joinPatiently());
  }

  /** The transports are beyond repair: start again from nothing. */
  async _restart() {
    if (this.state !== "joined") return;
    this._setState("rejoining");
    await this._joins.run(async () => {
      await this._client.request("room:leave", { room: this.id }).catch(() => undefined);
      this.media.close();
      await this._joinPatiently();
    });
  }

  async _joinPatiently() {
    for (let attempt = 0; attempt < REJOIN_ATTEMPTS; attempt++) {
      if (this.state === "left" || !this._client.online) return; // The next session joins.
      try {
        return await this._join();
      } catch (error) {
        if (error instanceof TokenIMError && !error.retryable) break;
        await delay(backoff(attempt));
      }
    }
    this._setState("failed");
  }

  /**
   * @param {string} event
   * @param {any} data
   */
  _receive(event, data) {
    if (event === "participant:joined" || event === "participant:updated") this._put(data);
    else if (event === "participant:left") this._gone(data);
    else if (event.startsWith("track:")) this._trackEvent(event, data);
    else if (event === "media:offer") this._offered(data);
    else if (event === "room:speakers") this.emit("speakers", idsOf(data.speakers));
    else if (event === "room:quality") this._scored(data);
  }

  /** @param {{participant: string, score: number}} data */
  _scored({ participant, score }) {
    this.quality.set(participant, score);
    this.emit("quality", this.quality);
  }

  /** @param {any} data */
  _put(data) {
    const info = data.info ?? data;
    const known = this.participants.get(info.participant);
    this.participants.set(info.participant, { tracks: [], ...known, ...info });
    this.emit("participants", undefined);
  }

  /** @param {{participant: string, reason?: string}} data */
  _gone({ participant, reason }) {
    if (participant === this.participant) {
      if (this.state === "joined") this._expelled(reason ?? "");
      return;
    }
    this.participants.delete(participant);
    this.quality.delete(participant);
    this.emit("participants", undefined);
  }

  /** @param {string} reason */
  _expelled(reason) {
    if (REJOINABLE.has(reason)) void this._restart();
    else this.emit("removed", { reason });
  }

  /**
   * @param {string} event
   * @param {TrackInfo & {participant: string}} data
   */
  _trackEvent(event, data) {
    const participant = this.participants.get(data.participant);
    if (!participant) return;
    const tracks = participant.tracks ?? [];
    const known = tracks.find((track) => track.track === data.track);
    const others = tracks.filter((track) => track !== known);
    if (event === "track:updated" && data.muted) this._mutedBy(data);
    participant.tracks = event === "track:unpublished" ? others : [...others, { ...known, ...data }];
    this.emit("participants", undefined);
  }

  /**
   * A moderator may have muted an own track.
   * @param {TrackInfo & {participant: string}} data
   */
  _mutedBy({ participant, source }) {
    const local = this.media.local.get(source);
    if (participant === this.participant && local && !local.muted && !this.media.telling) {
      this.emit("muted", source);
    }
  }

  /** @param {any} offer */
  _offered(offer) {
    this._earlyOffers.push(offer);
    if (this._answering) this._answerEarly();
  }

  _answerEarly() {
    this._answering = true;
    for (const offer of this._earlyOffers.splice(0)) {
      this.media.answer(offer)?.catch((error) => {
        // An offer that is out of date is refused; the server sends the next one by itself.
        if (codeOf(error) === "not_found") void this._restart();
      });
    }
  }

  /** @param {RoomState} state */
  _setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit("state", state);
  }
}

/**
 * @param {any} speakers ids, or objects with `participant`
 * @returns {string[]}
 */
function idsOf(speakers) {
  return (speakers ?? []).map((/** @type {any} */ one) => one.participant ?? one);
}

