import { mark, onLanguage, t } from "../i18n/index.js";
import { avatar, h, ht } from "./dom.js";
import { icon } from "./icons.js";
import { outcomeText } from "./recent.js";

/** @typedef {import("../sdk/index.js").Client} Client */
/** @typedef {import("../sdk/index.js").Conversation} Conversation */
/** @typedef {import("../sdk/types.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("../i18n/index.js").Key} Key */

/** Who is here: in the call, and in the conversation with their presence. */
export class People {
  /**
   * @param {Client} client
   * @param {Conversation} conversation
   * @param {import("./names.js").Names} names
   * @param {{recent: import("./recent.js").Recent, ring: ((user: string, name: string, media: "audio" | "video") => void) | null}} calls
   */
  constructor(client, conversation, names, { recent, ring }) {
    this._recent = recent;
    this._ring = ring;
    this._client = client;
    this._conversation = conversation;
    this._names = names;
    /** @type {import("../sdk/index.js").Room | null} */
    this._room = null;
    /** @type {Map<string, string>} user -> status */
    this._presence = new Map();
    /** @type {Set<string>} */
    this._watched = new Set();
    /** @type {Set<string>} */
    this._speakers = new Set();
    this.element = h("div", { class: "people" });
    this._offs = [
      conversation.on("members", () => this.update()),
      conversation.on("changed", ({ added }) => added.some(({ type }) => type.startsWith("member:")) && this.update()),
      client.on("wire", ({ event, data }) => event === "presence:changed" && this._presenceChanged(data)),
      client.on("session", () => (this._watched.clear(), this.update())),
      onLanguage(() => this.update()),
    ];
    this.update();
  }

  /** @param {import("../sdk/index.js").Room} room */
  use(room) {
    this._room = room;
    this._offs.push(
      room.on("participants", () => this.update()),
      room.on("speakers", (ids) => {
        this._speakers = new Set(ids);
        this.update();
      }),
    );
    this.update();
  }

  update() {
    const inCall = [...(this._room?.participants.values() ?? [])];
    const users = new Set(inCall.map((one) => one.user));
    const members = [...this._conversation.members.keys()].filter((user) => !users.has(user));
    void this._watch(members);
    this.element.replaceChildren(
      ...this._group("people.inCall", inCall.map((one) => this._participant(one))),
      ...this._group("people.members", members.sort((a, b) => this._rank(b) - this._rank(a)).map((user) => this._member(user))),
      ...this._group("people.recent", this._ring ? this._recent.calls.map((one) => this._recentCall(one)) : []),
    );
  }

  close() {
    this._offs.forEach((off) => off());
  }

  /** @param {string} user */
  _rank(user) {
    return this._status(user) === "offline" ? 0 : 1;
  }

  /**
   * @param {Key} title
   * @param {HTMLElement[]} items
   */
  _group(title, items) {
    if (!items.length) return [];
    const list = mark(h("ul", {}, ...items), "label", title);
    return [ht("h2", title), list];
  }

  /** @param {ParticipantInfo} one */
  _participant(one) {
    const self = one.participant === this._room?.participant;
    const name = one.name || this._names.of(one.user);
    const has = (/** @type {string} */ source) => one.tracks?.some((track) => track.source === source && !track.muted);
    const speaking = this._speakers.has(one.participant);
    const facts = [speaking && t("tile.speaking"), one.attributes?.hand && t("tile.hand"), !has("microphone") && t("tile.muted")];
    return h(
      "li",
      { class: `person ${speaking ? "speaking" : ""}` },
      avatar(name),
      h("span", { class: "name truncate" }, self ? t("room.you", { name }) : name),
      h("span", { class: "visually-hidden" }, facts.filter(Boolean).join(", ")),
      Boolean(one.attributes?.hand) && icon("hand"),
      has("screen") && icon("screen"),
      icon(has("camera") ? "camera" : "cameraOff"),
      icon(has("microphone") ? "mic" : "micOff"),
      ...(self ? [] : this._ringButtons(one.user, name)),
    );
  }

  /** @param {string} user */
  _member(user) {
    const name = this._names.of(user);
    const status = this._status(user);
    const key = /** @type {Key} */ (`people.${status}`);
    const face = avatar(name);
    face.append(h("span", { class: "dot", "data-status": status }));
    return h("li", { class: "person" }, face, h("span", { class: "name truncate" }, name), ht("span", key, { class: "muted" }), ...this._ringButtons(user, name));
  }

  /** @param {import("./recent.js").RecentCall} recent */
  _recentCall({ call, user, at }) {
    const name = this._names.of(user);
    const time = new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    const missed = call.outcome !== "answered" && call.caller !== this._client.user;
    const what = h("span", { class: `muted truncate ${missed ? "missed" : ""}` }, `${outcomeText(call, this._client.user)} · ${time}`);
    return h("li", { class: "person" }, avatar(name), h("span", { class: "name two-lines" }, h("span", { class: "truncate" }, name), what), ...this._ringButtons(user, name));
  }

  /**
   * @param {string} user
   * @param {string} name
   */
  _ringButtons(user, name) {
    const ring = this._ring;
    if (!ring || user === this._client.user) return [];
    return [ringButton("phone", "calls.callAudio", name, () => ring(user, name, "audio")), ringButton("camera", "calls.callVideo", name, () => ring(user, name, "video"))];
  }

  /** @param {string} user */
  _status(user) {
    if (user === this._client.user) return "online";
    const status = this._presence.get(user) ?? "offline";
    return ["online", "away", "busy"].includes(status) ? status : "offline";
  }

  /** @param {string[]} members */
  async _watch(members) {
    const users = members.filter((user) => !this._watched.has(user) && user !== this._client.user).slice(0, 100);
    if (!users.length || !this._client.online) return;
    users.forEach((user) => this._watched.add(user));
    try {
      const answer = await this._client.request("presence:watch", { users });
      for (const one of answer.users) this._presence.set(one.user, one.status);
      this.update();
    } catch {
      users.forEach((user) => this._watched.delete(user)); // Asked again with the next change.
    }
  }

  /** @param {{user: string, status: string}} change */
  _presenceChanged({ user, status }) {
    this._presence.set(user, status);
    this.update();
  }
}

/**
 * @param {"phone" | "camera"} name
 * @param {"calls.callAudio" | "calls.callVideo"} label
 * @param {string} who
 * @param {() => void} run
 */
function ringButton(name, label, who, run) {
  return mark(h("button", { type: "button", class: "icon-button ring", onclick: run }, icon(name)), "label", label, { name: who });
}
