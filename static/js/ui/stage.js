import { mark, onLanguage } from "../i18n/index.js";
import { h } from "./dom.js";
import { arrange, arrangeFeatured } from "./grid.js";
import { Sound } from "./sound.js";
import { Tile } from "./tile.js";

/** @typedef {import("../sdk/index.js").Room} Room */
/** @typedef {import("../sdk/subscriber.js").ReceivedTrack} ReceivedTrack */
/** @typedef {import("../sdk/types.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("./tile.js").TileState} TileState */

const WISH_DELAY_MS = 300;

/** The tiles of a Room: who has one, what is on it, where it is. */
export class Stage {
  /**
   * @param {Room} room
   * @param {import("./devices.js").Devices} devices
   * @param {{onBlocked: (blocked: boolean) => void}} options
   */
  constructor(room, devices, { onBlocked }) {
    this._room = room;
    this._devices = devices;
    this.sound = new Sound(onBlocked);
    /** @type {Map<string, Tile>} by participant, or participant + "/screen" */
    this._tiles = new Map();
    /** @type {Map<string, ReceivedTrack>} by track id */
    this._received = new Map();
    /** @type {string | null} */
    this._pinned = null;
    /** @type {string[]} tiles from first to last */
    this._order = [];
    /** @type {MediaStreamTrack | null} */
    this.ownScreen = null;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this._statsTimer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._wishTimer = undefined;
    this._statsOn = false;
    this.element = mark(h("section", { class: "stage" }), "label", "room.stage");
    this._resize = new ResizeObserver(() => this._layout());
    this._resize.observe(this.element);
    this._offs = this._listen();
    this.update();
  }

  /** Bring the tiles in line with the Room. */
  update() {
    const wanted = this._wanted();
    this._order = [...wanted.keys()];
    for (const [key, tile] of this._tiles) {
      if (wanted.has(key)) continue;
      tile.remove();
      this._tiles.delete(key);
      if (this._pinned === key) this._pinned = null;
    }
    for (const [key, state] of wanted) this._tile(key).show(state);
    this._layout();
  }

  toggleStats() {
    this._statsOn = !this._statsOn;
    clearInterval(this._statsTimer);
    if (this._statsOn) {
      this._statsTimer = setInterval(() => void this._showStats(), 1000);
      void this._showStats();
    } else {
      for (const tile of this._tiles.values()) tile.hideStats();
    }
    return this._statsOn;
  }

  close() {
    clearInterval(this._statsTimer);
    clearTimeout(this._wishTimer);
    this._resize.disconnect();
    this._offs.forEach((off) => off());
    this.sound.close();
    for (const tile of this._tiles.values()) tile.remove();
  }

  _listen() {
    const room = this._room;
    return [
      room.on("participants", () => this.update()),
      room.on("track", (track) => this._trackCame(track)),
      room.on("ended", (track) => this._trackWent(track)),
      room.on("speakers", ([loudest]) => this._speaker(loudest)),
      room.on("quality", () => this.update()),
      this._devices.on("changed", () => this.update()),
      onLanguage(() => this._tiles.forEach((tile) => tile.relabel())),
    ];
  }

  /** @param {ReceivedTrack} track */
  _trackCame(track) {
    this._received.set(track.track, track);
    if (track.kind === "audio") this.sound.add(track.track, track.media);
    this.update();
  }

  /** @param {ReceivedTrack} track */
  _trackWent(track) {
    this._received.delete(track.track);
    this.sound.remove(track.track);
    this.update();
  }

  /** @param {string | undefined} loudest */
  _speaker(loudest) {
    for (const [key, tile] of this._tiles) tile.setSpeaking(key === loudest);
  }

  /** @returns {Map<string, TileState>} self last, screens before their owners */
  _wanted() {
    /** @type {Map<string, TileState>} */
    const wanted = new Map();
    const others = [...this._room.participants.values()].filter((one) => one.participant !== this._room.participant);
    for (const one of others) {
      const screen = this._video(one.participant, "screen");
      if (screen) wanted.set(`${one.participant}/screen`, { ...this._base(one), screen: true, video: screen });
      wanted.set(one.participant, this._base(one));
    }
    const own = this._room.participants.get(this._room.participant);
    if (own) this._wantSelf(wanted, own);
    for (const [key, state] of wanted) state.pinned = key === this._pinned;
    return wanted;
  }

  /**
   * @param {Map<string, TileState>} wanted
   * @param {ParticipantInfo} own
   */
  _wantSelf(wanted, own) {
    const self = {
      ...this._base(own),
      self: true,
      muted: !this._devices.isOn("microphone"),
      video: this._devices.isOn("camera") ? this._devices.tracks.camera : null,
    };
    if (this.ownScreen) wanted.set(`${own.participant}/screen`, { ...self, screen: true, video: this.ownScreen });
    wanted.set(own.participant, self);
  }

  /**
   * @param {ParticipantInfo} one
   * @returns {TileState}
   */
  _base(one) {
    const microphone = one.tracks?.find((track) => track.source === "microphone");
    return {
      name: one.name || one.user,
      self: false,
      screen: false,
      muted: !microphone || Boolean(microphone.muted),
      hand: Boolean(one.attributes?.hand),
      score: this._room.quality.get(one.participant),
      pinned: false,
      video: this._video(one.participant, "camera"),
    };
  }

  /**
   * A track that is received and not muted.
   * @param {string} participant
   * @param {"camera" | "screen"} source
   */
  _video(participant, source) {
    const info = this._room.participants.get(participant);
    for (const track of this._received.values()) {
      if (track.participant !== participant || track.source !== source) continue;
      const known = info?.tracks?.find((one) => one.track === track.track);
      if (!known?.muted) return track.media;
    }
    return null;
  }

  /** @param {string} key */
  _tile(key) {
    let tile = this._tiles.get(key);
    if (!tile) {
      tile = new Tile({ onPin: () => this._pin(key) });
      this._tiles.set(key, tile);
      this.element.append(tile.element);
    }
    return tile;
  }

  /** @param {string} key */
  _pin(key) {
    this._pinned = this._pinned === key ? null : key;
    this.update();
  }

  _layout() {
    const { clientWidth: width, clientHeight: height } = this.element;
    const box = { left: 0, top: 0, width, height };
    const all = [...this._tiles].sort(([a], [b]) => this._order.indexOf(a) - this._order.indexOf(b));
    const prominent = (/** @type {[string, Tile]} */ [key, tile]) => (this._pinned ? key === this._pinned : tile.state?.screen);
    const featured = all.filter(prominent);
    const others = all.filter((entry) => !featured.includes(entry));
    const boxes = featured.length
      ? arrangeFeatured(featured.length, others.length, box)
      : { featured: [], others: arrange(others.length, box) };
    featured.forEach(([, tile], index) => tile.place(boxes.featured[index]));
    others.forEach(([, tile], index) => tile.place(boxes.others[index]));
    this._wishSoon();
  }

  /** Tell the server what sizes are of use, once the layout rests. */
  _wishSoon() {
    clearTimeout(this._wishTimer);
    this._wishTimer = setTimeout(() => this._wish(), WISH_DELAY_MS);
  }

  _wish() {
    for (const track of this._received.values()) {
      if (track.kind !== "video") continue;
      const key = track.source === "screen" ? `${track.participant}/screen` : track.participant;
      this._room.wish(track.track, wishOf(this._tiles.get(key)?.element));
    }
  }

  async _showStats() {
    const stats = await this._room.stats();
    if (!this._statsOn) return;
    for (const [key, tile] of this._tiles) {
      const own = key.startsWith(this._room.participant);
      const screen = Boolean(tile.state?.screen);
      const video = own ? stats.get(screen ? "screen" : "camera") : this._statsOf(stats, key, screen ? "screen" : "camera");
      const audio = own ? stats.get("microphone") : this._statsOf(stats, key, "microphone");
      tile.showStats(tile.state?.video ? video : undefined, screen ? undefined : audio);
    }
  }

  /**
   * @param {Map<string, import("../sdk/stats.js").TrackStats>} stats
   * @param {string} key
   * @param {string} source
   */
  _statsOf(stats, key, source) {
    const participant = key.split("/")[0];
    for (const track of this._received.values()) {
      if (track.participant === participant && track.source === source) return stats.get(track.track);
    }
    return undefined;
  }
}

/**
 * What is of use of a video that is shown in a tile.
 * @param {HTMLElement | undefined} element
 * @returns {import("../sdk/room.js").Wish}
 */
function wishOf(element) {
  const { clientWidth, clientHeight } = element ?? { clientWidth: 0, clientHeight: 0 };
  if (!clientWidth || !clientHeight) return { enabled: false };
  const scale = Math.min(2, devicePixelRatio);
  return { enabled: true, width: Math.ceil(clientWidth * scale), height: Math.ceil(clientHeight * scale) };
}
