import { errorText, t } from "../i18n/index.js";
import { Client, codeOf, IndexedStore, patiently } from "../sdk/index.js";
import { toast } from "./announcer.js";
import { Call } from "./call.js";
import { showRoom } from "./link.js";
import { Recent } from "./recent.js";
import { Ringing } from "./ringing.js";
import { deviceName } from "./signed_in.js";

/** @typedef {import("../sdk/calls.js").CallInfo} CallInfo */

/**
 * @typedef {object} VisitOptions
 * @property {string} name own
 * @property {string} room alias of the conversation
 * @property {import("./devices.js").Devices} devices
 * @property {import("./link.js").PageLink} link
 * @property {import("./identity.js").Identity} identity
 * @property {(view: HTMLElement) => void} show
 * @property {() => void} onLeft
 */

/** One stay: a connection, the room one is in, and the calls that come in between. */
export class Visit {
  /** @param {VisitOptions} options */
  constructor(options) {
    this._options = options;
    this.client = new Client({
      token: (signal) => options.identity.token(options.name, signal),
      device: options.identity.device,
      deviceName: deviceName(),
      storage: sessionStorage,
      store: new IndexedStore(options.identity.slot),
    });
    this._ringing = new Ringing();
    this.recent = new Recent(this.client, () => this.view?.recentChanged());
    /** @type {Call | null} what is shown */
    this.view = null;
    /** The answered call that is shown; empty in the room. */
    this._call = "";
    /** @type {Map<string, string>} user -> name, of people called or calling */
    this._names = new Map();
    /** Whether the camera comes back on after a call without pictures. */
    this._cameraBack = false;
    this.client.calls.on("changed", (call) => void this._changed(call));
  }

  /** Connect and join the room. Rejects with TokenIMError, and then nothing is left behind. */
  async start() {
    try {
      await this.client.connect();
      await this._enterRoom();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Go, whatever is going on. */
  leave() {
    if (this._call) this.client.calls.hangup(this._call).catch(() => undefined);
    this.view?.leave();
    this.close();
  }

  close() {
    this._ringing.hide();
    this.recent.close();
    this.view?.close();
    this.client.close();
  }

  /**
   * Ring somebody.
   * @param {string} user
   * @param {string} name
   * @param {"audio" | "video"} media
   */
  async ring(user, name, media) {
    this._names.set(user, name);
    try {
      const conversation = await this.client.direct(user);
      const call = await this.client.calls.invite(conversation.id, media);
      if (call.state !== "ringing") return;
      this._ringing.outgoing(call, name, { cancel: () => this._try(this.client.calls.cancel(call.id)) });
    } catch (error) {
      toast(t("calls.failed", { reason: errorText(codeOf(error)) }));
    }
  }

  /** @param {CallInfo} call */
  async _changed(call) {
    const self = this._self(call);
    if (call.state === "ended") return this._ended(call);
    if (self?.state === "ringing") return this._rung(call);
    const calling = call.state === "ringing" && call.caller === this.client.user;
    if (this._ringing.call === call.id && !calling) this._ringing.hide();
    if (call.state !== "active") return;
    if (self?.state === "accepted" && self.device === this.client.device) await this._enterCall(call);
    else if (this._call === call.id) await this._backToRoom(); // Others of the group go on.
  }

  /** @param {CallInfo} call */
  _self(call) {
    return call.participants.find(({ user }) => user === this.client.user);
  }

  /** @param {CallInfo} call */
  async _rung(call) {
    if (this._ringing.call === call.id) return; // It goes on ringing.
    if (this._call || this._ringing.call) return this._try(this.client.calls.decline(call.id, "busy"));
    const name = await this._nameOf(call);
    const now = this.client.calls.known.get(call.id);
    if (!now || this._self(now)?.state !== "ringing") return;
    this._ringing.incoming(call, name, {
      accept: (video) => void this._accept(call, video),
      decline: () => this._try(this.client.calls.decline(call.id)),
    });
  }

  /**
   * @param {CallInfo} call
   * @param {boolean} video
   */
  async _accept(call, video) {
    if (!video) await this._cameraOff();
    await this._try(this.client.calls.accept(call.id));
  }

  /** @param {CallInfo} call */
  _ended(call) {
    if (this._ringing.call === call.id) {
      this._ringing.hide();
      if (call.caller === this.client.user && call.outcome !== "cancelled") toast(this._why(call));
    }
    if (this._call === call.id) void this._backToRoom();
  }

  /** @param {CallInfo} call */
  _why(call) {
    const name = this._names.get(this._other(call)) ?? "";
    if (call.outcome === "busy") return t("calls.isBusy", { name });
    return t(call.outcome === "declined" ? "calls.hasDeclined" : "calls.didNotAnswer", { name });
  }

  /** @param {CallInfo} call */
  async _enterCall(call) {
    if (this._call === call.id) return;
    this._call = call.id;
    if (call.media === "audio" && call.caller === this.client.user) await this._cameraOff();
    const onLeft = () => this._try(this.client.calls.hangup(call.id));
    try {
      const conversation = await this.client.conversationById(call.conversation);
      const title = await this._nameOf(call);
      if (this._call !== call.id) return; // It is over already.
      await this._show({ conversation, room: this._roomOf(call, conversation), title, direct: true, onLeft });
    } catch (error) {
      toast(t("calls.failed", { reason: errorText(codeOf(error)) }));
      await onLeft();
    }
  }

  /**
   * Two of a direct conversation go from device to device; more meet in the Room.
   * @param {CallInfo} call
   * @param {import("../sdk/index.js").Conversation} conversation
   */
  _roomOf(call, conversation) {
    const { name, link } = this._options;
    if (conversation.info.type !== "direct") return this.client.room(call.room, { name });
    const rtc = /** @type {RTCConfiguration} */ (link.relay ? { iceTransportPolicy: "relay" } : {});
    return this.client.directRoom({ call, name, rtc, patience_ms: link.patience_ms });
  }

  async _cameraOff() {
    const { devices } = this._options;
    this._cameraBack = devices.isOn("camera");
    await devices.set("camera", false);
  }

  async _backToRoom() {
    this._call = "";
    this.view?.leave();
    if (this._cameraBack) await this._options.devices.set("camera", true);
    this._cameraBack = false;
    toast(t("calls.over"));
    try {
      await this._enterRoom();
    } catch (error) {
      toast(t("join.failed", { reason: errorText(codeOf(error)) }));
      this.leave();
      this._options.onLeft();
    }
  }

  async _enterRoom() {
    const { room: alias, name } = this._options;
    const wanted = { alias, create: true, title: alias };
    const conversation = await patiently(() => this.client.joinConversation(wanted));
    if (this._call) return; // The next call was answered meanwhile.
    const room = this.client.room(conversation.id, { name });
    await this._show({
      conversation,
      room,
      title: alias,
      direct: false,
      onLeft: () => (this.close(), this._options.onLeft()),
    });
    showRoom(alias);
  }

  /** @param {Pick<import("./call.js").CallOptions, "conversation" | "room" | "title" | "direct" | "onLeft">} what */
  async _show(what) {
    const { devices, link, show } = this._options;
    this.view?.leave();
    const view = new Call({
      ...what,
      client: this.client,
      devices,
      codec: link.codec,
      recent: this.recent,
      ring: (user, name, media) => void this.ring(user, name, media),
    });
    this.view = view;
    await view.start();
    if (this.view !== view || !view.element) return; // It was left meanwhile.
    show(view.element);
    Object.assign(globalThis, { tokenim: view }); // For the console.
  }

  /**
   * The title of a group, else whoever the other is.
   * @param {CallInfo} call
   */
  async _nameOf(call) {
    const user = this._other(call);
    const known = call.participants.length === 2 && this._names.get(user);
    if (known) return known;
    try {
      const { info, members } = await this.client.conversationById(call.conversation);
      if (info.type !== "direct" && info.title) return info.title;
      this._names.set(user, members.get(user)?.name ?? user);
    } catch {
      return user; // A name is not worth missing the call.
    }
    return this._names.get(user) ?? user;
  }

  /** @param {CallInfo} call */
  _other(call) {
    return call.participants.find(({ user }) => user !== this.client.user)?.user ?? call.caller;
  }

  /** @param {Promise<unknown>} request */
  async _try(request) {
    try {
      await request;
    } catch (error) {
      if (codeOf(error) !== "not_found" && codeOf(error) !== "conflict") toast(errorText(codeOf(error)));
      this._ringing.hide(); // Somebody else ended it a moment ago.
    }
  }
}
