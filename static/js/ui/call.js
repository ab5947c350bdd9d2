import { errorText, mark, onLanguage, t } from "../i18n/index.js";
import { codeOf, patiently } from "../sdk/index.js";
import { announce, toast } from "./announcer.js";
import { Banner } from "./banner.js";
import { CaptureFeed } from "./capture.js";
import { Chat } from "./chat.js";
import { openImage, openSettings, openShortcuts } from "./dialogs.js";
import { h, iconButton } from "./dom.js";
import { Keys } from "./keys.js";
import { linkTo } from "./link.js";
import { Names } from "./names.js";
import { Panel } from "./panel.js";
import { People } from "./people.js";
import { Stage } from "./stage.js";
import { Toolbar } from "./toolbar.js";
import { Uploads } from "./uploads.js";

/** @typedef {import("./devices.js").Devices} Devices */

/**
 * @typedef {object} CallOptions
 * @property {import("../sdk/index.js").Client} client with a session
 * @property {import("../sdk/index.js").Conversation} conversation
 * @property {import("../sdk/index.js").Room | import("../sdk/index.js").DirectRoom} room new
 * @property {string} title
 * @property {boolean} direct a call; else the room of a link
 * @property {Devices} devices
 * @property {string} codec
 * @property {import("./recent.js").Recent} recent
 * @property {(user: string, name: string, media: "audio" | "video") => void} ring
 * @property {() => void} onLeft
 */

const WIDE = matchMedia("(min-width: 1080px)");

/** The page of a room or a call from joining to leaving: wires the SDK's objects to the views. */
export class Call {
  /** @param {CallOptions} options */
  constructor(options) {
    this._options = options;
    this.client = options.client;
    this.conversation = options.conversation;
    /** Rooms of both kinds are alike to their users. */
    this.room = /** @type {import("../sdk/index.js").Room} */ (options.room);
    /** @type {(() => void)[]} to be run at the end, last first */
    this._closers = [];
    this._unread = 0;
    this._hand = false;
    this._closed = false;
  }

  /** Read, show, join. Rejects with TokenIMError, and then nothing is left behind. */
  async start() {
    await patiently(() => this.conversation.open());
    if (this._closed) return;
    this._build(this.conversation);
    this._joinRoom();
  }

  /** Leave the room for good. */
  leave() {
    void this.room.leave();
    this.close();
  }

  close() {
    this._closed = true;
    for (const close of this._closers.splice(0).reverse()) close();
  }

  /** The list of calls is another. */
  recentChanged() {
    this._people?.update();
  }

  /** @param {import("../sdk/index.js").Conversation} conversation */
  _build(conversation) {
    const { client, _options: options } = this;
    const names = new Names(conversation);
    names.room = this.room;
    client.files.use(options.direct ? null : this.room);
    this._banner = new Banner();
    this._stage = new Stage(this.room, options.devices, { onBlocked: (blocked) => this._soundBlocked(blocked) });
    this._feed = new CaptureFeed(this.room, options.devices, { codec: options.codec, onScreen: (track) => this._screen(track) });
    this._uploads = new Uploads({
      send: (file) => client.files.upload({ conversation: conversation.id }, file),
      onStart: () => this._panel?.show("chat"),
    });
    this._chat = this._makeChat(conversation, names, this._uploads);
    this._people = new People(client, conversation, names, { recent: options.recent, ring: options.direct ? null : options.ring });
    this._people.use(this.room);
    this._panel = new Panel(
      { chat: this._chat.element, people: this._people.element },
      { onChange: (tab) => this._panelChanged(tab), onFocusLost: (tab) => this._toolbar?.focus(tab) },
    );
    this._toolbar = new Toolbar(this._actions());
    this.element = this._layout();
    this._closers.push(
      () => this._banner?.remove(),
      () => this._stage?.close(),
      () => this._feed?.close(),
      () => this._uploads?.close(),
      () => this._chat?.close(),
      () => this._people?.close(),
    );
    this._listen(this.room);
    this._panel.show(WIDE.matches ? "chat" : null);
  }

  /**
   * @param {import("../sdk/index.js").Conversation} conversation
   * @param {Names} names
   * @param {Uploads} uploads
   */
  _makeChat(conversation, names, uploads) {
    return new Chat(conversation, {
      user: this.client.user,
      names,
      uploads,
      openImage,
      find: (query) => this.client.search(query, { conversation: conversation.id }),
      fetch: (body, preview) => this.client.files.download(body, { preferHttp: preview }),
      onUnread: (count) => {
        this._unread = count;
        this._update();
      },
    });
  }

  _layout() {
    this._count = h("p", {});
    const title = h("div", { class: "room-title" }, h("h1", { class: "truncate" }, this._options.title), this._count);
    const header = h(
      "header",
      { class: "room-header" },
      h("img", { class: "mark", src: "favicon.svg", alt: "TokenIM" }),
      title,
      !this._options.direct && iconButton("link", "room.copyLink", () => void this._copyLink()),
      iconButton("stats", "call.stats", () => this._toggleStats(), { class: "wide" }),
      iconButton("help", "call.shortcuts", openShortcuts, { class: "wide" }),
      iconButton("settings", "call.settings", () => this._openSettings()),
    );
    this._hint = this._makeHint();
    this._stage?.element.append(this._hint);
    const children = [header, this._stage?.element, this._toolbar?.element, this._panel?.element];
    return h("main", { class: "room" }, ...children);
  }

  _makeHint() {
    const copy = h("button", { type: "button", class: "button primary small", onclick: () => void this._copyLink() });
    return h("div", { class: "stage-hint", hidden: true }, mark(h("p"), "text", "room.alone"), mark(copy, "text", "room.copyLink"));
  }

  /** @returns {import("./toolbar.js").ToolbarActions} */
  _actions() {
    return {
      microphone: () => void this._flip("microphone"),
      camera: () => void this._flip("camera"),
      screen: () => void (this._feed?.screen ? this._feed.stopScreen() : this._feed?.shareScreen()),
      hand: () => this._flipHand(),
      chat: () => this._panel?.toggle("chat"),
      people: () => this._panel?.toggle("people"),
      leave: () => this._goodbye(),
    };
  }

  _goodbye() {
    this.leave();
    this._options.onLeft();
  }

  /** @param {import("../sdk/index.js").Room} room */
  _listen(room) {
    const { devices } = this._options;
    const actions = this._actions();
    const keys = new Keys({
      m: actions.microphone,
      v: actions.camera,
      s: actions.screen,
      h: actions.hand,
      c: () => this._openChat(),
      p: actions.people,
      i: () => this._toggleStats(),
      "?": openShortcuts,
      escape: () => this._panel?.show(null),
    });
    this._known = new Map();
    this._closers.push(
      () => keys.close(),
      this.client.on("state", () => this._linkChanged()),
      this.client.on("session", () => this._linkChanged()),
      room.on("state", () => this._linkChanged()),
      room.on("link", () => this._linkChanged()),
      room.on("participants", () => this._participantsChanged(room)),
      room.on("removed", ({ reason }) => this._removed(reason)),
      room.on("muted", (source) => this._muted(source)),
      devices.on("changed", () => this._update()),
      devices.on("lost", () => toast(t("device.lost"))),
      onLanguage(() => this._update()),
    );
  }

  _joinRoom() {
    void this._feed?.sync(); // What is there already goes into the first offer.
    this.room
      ?.join()
      .then(() => this._feed?.sync())
      .catch((error) => {
        if (this._closed) return;
        toast(t("join.failed", { reason: errorText(codeOf(error)) }));
        this._failed();
      });
  }

  /** @param {"microphone" | "camera"} capture */
  async _flip(capture) {
    const { devices } = this._options;
    const done = await devices.set(capture, !devices.isOn(capture));
    if (!done) toast(t(capture === "camera" ? "call.noCamera" : "call.noMicrophone"));
  }

  _flipHand() {
    this._hand = !this._hand;
    this.room?.setAttributes({ hand: this._hand }).catch((error) => toast(errorText(codeOf(error))));
    this._update();
  }

  /** @param {MediaStreamTrack | null} track */
  _screen(track) {
    if (this._stage) this._stage.ownScreen = track;
    this._stage?.update();
    this._update();
  }

  _openChat() {
    this._panel?.show("chat");
    this._chat?.composer.focus();
  }

  /** @param {"chat" | "people" | null} tab */
  _panelChanged(tab) {
    this._chat?.setVisible(tab === "chat");
    this._update();
  }

  _toggleStats() {
    this._stage?.toggleStats();
  }

  _openSettings() {
    openSettings(this._options.devices, {
      onSpeaker: (id) => this._stage?.sound.useSpeaker(id),
      onStats: () => this._toggleStats(),
      client: this.client,
    });
  }

  async _copyLink() {
    try {
      await navigator.clipboard.writeText(linkTo(this._options.title));
      toast(t("room.copied"));
    } catch {
      toast(linkTo(this._options.title)); // No clipboard here: show it instead.
    }
  }

  /** Say who came and went, once the own join is through. */
  _participantsChanged(/** @type {import("../sdk/index.js").Room} */ room) {
    const now = new Map([...room.participants].map(([id, one]) => [id, { name: one.name || one.user, hand: Boolean(one.attributes?.hand) }]));
    const before = this._known ?? new Map();
    this._known = now;
    if (before.size) this._tellChanges(before, now, room.participant);
    this._update();
  }

  /**
   * @param {Map<string, {name: string, hand: boolean}>} before
   * @param {Map<string, {name: string, hand: boolean}>} now
   * @param {string} self
   */
  _tellChanges(before, now, self) {
    for (const [id, { name, hand }] of now) {
      if (id === self) continue;
      if (!before.has(id)) announce(t("room.joined", { name }));
      else if (hand && !before.get(id)?.hand) toast(t("room.handUp", { name }));
    }
    for (const [id, { name }] of before) if (!now.has(id)) announce(t("room.left", { name }));
  }

  /** What the connection is up to, in one banner; the most serious thing wins. */
  _linkChanged() {
    const state = this.room?.state;
    if (this.client.state === "reconnecting") this._banner?.show("link.reconnecting");
    else if (state === "failed") this._failed();
    else if (state === "rejoining" || (state === "joined" && this._mediaLost())) this._banner?.show("link.media");
    else this._banner?.hide();
    document.body.dataset.link = `${this.client.state} ${state}`;
  }

  _mediaLost() {
    const states = [this.room?.media.publisher?.pc, this.room?.media.subscriber?.pc].map((pc) => pc?.connectionState);
    return states.some((one) => one === "failed" || one === "disconnected");
  }

  _failed() {
    this._banner?.show("room.ended", { label: "room.rejoin", run: () => (this._banner?.hide(), this._joinRoom()) });
  }

  /** @param {string} reason */
  _removed(reason) {
    toast(t(reason === "replaced" ? "room.replaced" : "room.removed"));
    this._goodbye();
  }

  /** @param {import("../sdk/types.js").Source} source */
  _muted(source) {
    toast(t("room.muted"));
    if (source === "microphone" || source === "camera") void this._options.devices.set(source, false);
    else void this._feed?.stopScreen();
  }

  /** @param {boolean} blocked */
  _soundBlocked(blocked) {
    if (blocked) this._banner?.show("call.sound", { label: "call.turnOnSound", run: () => this._stage?.sound.resume() });
    else this._linkChanged();
  }

  _update() {
    const { devices, title, direct } = this._options;
    this._toolbar?.show({
      microphone: devices.isOn("microphone"),
      camera: devices.isOn("camera"),
      screen: Boolean(this._feed?.screen),
      hand: this._hand,
      panel: this._panel?.tab ?? null,
      unread: this._unread,
    });
    const count = this.room?.participants.size ?? 0;
    if (this._count && count) mark(this._count, "text", "room.count", { count });
    if (this._hint) this._hint.hidden = direct || count !== 1;
    document.title = `${this._unread ? `(${this._unread}) ` : ""}${title} · TokenIM`;
  }
}
