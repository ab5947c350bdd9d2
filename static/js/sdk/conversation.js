import { Emitter } from "./emitter.js";
import { Log } from "./log.js";
import { Members } from "./members.js";
import { Receipts } from "./receipts.js";
import { Seldom, Serial } from "./wait.js";

/** @typedef {import("./types.js").LogEvent} LogEvent */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Member} Member */

/**
 * @typedef {{changed: {added: LogEvent[]}, receipts: Member, typing: {user: string, on: boolean},
 *   members: void, progress: any}} ConversationEvents
 */

const PAGE = 50;
const GAP_PAGE = 200;
/** Longer gaps are not read: the log starts again at the newest page. */
const GAP_MAX = 1000;
/** Of one filling; more than the longest gap that is read needs, as the log may grow meanwhile. */
const GAP_PAGES = 10;
const MEMBERS_EVERY_MS = 1000;
const TYPING_EVERY_MS = 3000;

/**
 * One Conversation as this device sees it: its log, its members' receipts, who is typing.
 * @extends {Emitter<ConversationEvents>}
 */
export class Conversation extends Emitter {
  /**
   * @param {import("./client.js").Client} client
   * @param {import("./types.js").ConversationInfo} info
   */
  constructor(client, info) {
    super();
    this._client = client;
    this.id = info.id;
    this.info = info;
    this.log = new Log();
    this._members = new Members(info.members ?? []);
    this._refreshing = new Seldom(() => this._refresh(), MEMBERS_EVERY_MS);
    this._receipts = new Receipts(client, info.id);
    /** @type {Message[]} refused for good, kept to be shown */
    this._failed = [];
    this._reading = new Serial();
    this._typedAt = 0;
    /** @type {Promise<void> | undefined} */
    this._opening = undefined;
    client.outbox.onSettled((outgoing, result) => this._settled(outgoing, result));
  }

  /** @returns {Map<string, Member>} by user */
  get members() {
    return this._members.all;
  }

  /** Read what the store kept and what came since, or the newest page of history; again is nothing. */
  async open() {
    this._opening ??= this._reading.run(() => this._begin());
    try {
      await this._opening;
    } catch (error) {
      this._opening = undefined;
      throw error;
    }
  }

  /** @returns {Message[]} sent ones by seq, then those on their way */
  get messages() {
    const sent = this.log.events
      .map((event) => this.log.messages.get(event.seq))
      .filter((message) => message !== undefined);
    const known = new Set(sent.map((message) => message.client_id));
    const waiting = this._client.outbox
      .pending(this.id)
      .filter((outgoing) => !known.has(outgoing.client_id))
      .map((outgoing) => this._pending(outgoing));
    return [...sent, ...this._failed, ...waiting];
  }

  /**
   * Send a message. It is shown at once with state `sending`, and resent until it is acked.
   * @param {{type?: string, body: any, reply_to?: number | null, mentions?: string[]}} message
   */
  send({ type = "text", body, reply_to, mentions }) {
    this._typedAt = 0;
    const more = { ...(reply_to ? { reply_to } : {}), ...(mentions?.length ? { mentions } : {}) };
    this._client.outbox.add({ conversation: this.id, type, body, ...more });
    this.emit("changed", { added: [] });
  }

  /**
   * Try a refused message again.
   * @param {string} client_id
   */
  retry(client_id) {
    const failed = this._failed.find((message) => message.client_id === client_id);
    if (!failed) return;
    this._failed = this._failed.filter((message) => message !== failed);
    const { kind: type, body, reply_to, mentions } = failed;
    this.send({ type, body, reply_to, mentions });
  }

  /**
   * @param {number} seq
   * @param {any} body
   */
  edit(seq, body) {
    return this._client.request("message:edit", { conversation: this.id, seq, body });
  }

  /** @param {number} seq */
  recall(seq) {
    return this._client.request("message:recall", { conversation: this.id, seq });
  }

  /**
   * @param {number} seq
   * @param {string} emoji
   * @param {boolean} on
   */
  react(seq, emoji, on) {
    return this._client.request("reaction:set", { conversation: this.id, seq, emoji, on });
  }

  /**
   * @param {number} seq
   * @param {boolean} on
   */
  pin(seq, on) {
    return this._client.request("message:pin", { conversation: this.id, seq, on });
  }

  /** Tell others that this user writes; call at every key. */
  typing() {
    if (Date.now() - this._typedAt < TYPING_EVERY_MS) return;
    this._typedAt = Date.now();
    this._client.hint("typing:set", { conversation: this.id, on: true });
  }

  /** Everything up to the head has been seen. */
  markRead() {
    this._receipts.reach("receipt:read", this.log.head);
  }

  /** One more page of older events. @returns {Promise<number>} how many came */
  loadOlder() {
    return this._reading.run(async () => {
      if (!this.log.hasOlder) return 0;
      const page = { conversation: this.id, before: this.log.first, limit: PAGE };
      const { events } = await this._client.request("history:get", page);
      this.log.prepend(events);
      this.emit("changed", { added: [] });
      return events.length;
    });
  }

  /**
   * Read older pages until a message is there.
   * @param {number} seq
   */
  async readBackTo(seq) {
    while (this.log.first > seq && (await this.loadOlder()));
  }

  /**
   * How far the others are with a message.
   * @param {Message} message
   * @returns {{read: number, delivered: number, others: number}}
   */
  reach(message) {
    return this._members.reach(message);
  }

  /**
   * A wire event about this conversation.
   * @param {string} event
   * @param {any} data
   */
  receive(event, data) {
    if (typeof data.seq === "number" && data.type === event) this._logEvent(data);
    else if (event === "receipt:updated") this._receiptUpdated(data);
    else if (event === "typing:changed") this.emit("typing", data);
    else if (event === "file:progress") this.emit("progress", data);
  }

  /**
   * A new session: read what was missed.
   * @param {{events?: LogEvent[], head?: number} | undefined} missed
   */
  resumed(missed) {
    if (!this.log.started) return;
    for (const event of missed?.events ?? []) this._apply(event);
    void this._reading.run(() => this._fill()).catch(() => undefined);
    this._receipts.resumed();
    this._refreshing.ask();
  }

  /** @param {LogEvent} event */
  _logEvent(event) {
    this._apply(event);
    if (!this.log.gapEnd || !this.log.started) return;
    this._reading.run(() => this._fill()).catch(() => undefined); // The next event or session tries again.
  }

  /** @param {LogEvent} event */
  _apply(event) {
    if (this.log.confirm(event)) return this._confirmed(event);
    const added = this.log.add(event);
    if (added.length) this._added(added);
  }

  /** @param {LogEvent} event that took the place of what its ack told */
  _confirmed(event) {
    void this._client.store?.put(this.id, [event]);
    this.emit("changed", { added: [] });
  }

  /** @param {LogEvent[]} added */
  _added(added) {
    for (const event of added) this._membership(event);
    void this._client.store?.put(this.id, [...added, ...this._blanked(added)]);
    const foreign = added.some((event) => event.sender !== this._client.user);
    if (foreign) this._receipts.reach("receipt:delivered", this.log.head);
    this.emit("changed", { added });
  }

  /**
   * What was taken back is not kept either.
   * @param {LogEvent[]} added
   */
  _blanked(added) {
    const targets = new Set(added.filter(({ type }) => type === "message:recalled").map(({ target }) => target));
    const taken = targets.size ? this.log.events.filter(({ seq }) => targets.has(seq)) : [];
    return taken.map((event) => ({ ...event, body: null, recalled: true }));
  }

  /** @param {LogEvent} event */
  _membership(event) {
    const own = (event.user ?? event.sender) === this._client.user;
    const lacking = this._members.take(event);
    if (lacking || (own && event.type.startsWith("member:"))) this._refreshing.ask();
  }

  async _refresh() {
    try {
      const { conversation } = await this._client.request("conversation:get", { conversation: this.id });
      this.info = conversation;
      for (const member of conversation.members ?? []) this._members.merge(member);
      this.emit("members", undefined);
    } catch {
      // The list we have stays; the next session asks again.
    }
  }

  /** @param {Member} receipt */
  _receiptUpdated({ user, read, delivered }) {
    this.emit("receipts", this._members.merge({ user, read, delivered }));
  }

  async _begin() {
    const kept = (await this._client.store?.load(this.id)) ?? [];
    if (!kept.length) return this._start();
    this.log.start(kept, kept[kept.length - 1].seq);
    this.emit("changed", { added: [] });
    return this._fill();
  }

  async _start() {
    const { events, head } = await this._client.request("history:get", {
      conversation: this.id,
      limit: PAGE,
    });
    const added = this.log.start(events, head);
    await this._fill({ again: false });
    this._added(added);
  }

  /**
   * Read until the log reaches the server's head, or a page brings it no further.
   * @param {{again?: boolean}} [options] whether the log may start again at the newest page
   */
  async _fill({ again = true } = {}) {
    for (let pages = 0; pages < GAP_PAGES; pages++) {
      const before = this.log.head;
      const page = { conversation: this.id, after: before, limit: GAP_PAGE };
      const { events, head } = await this._client.request("history:get", page);
      if (again && (head - before > GAP_MAX || head < before)) return this._startAgain();
      if (events.length && events[0].seq > this.log.head + 1) await this._jump(events, head);
      else for (const event of events) this._apply(event);
      if (this.log.head >= head || this.log.head === before) return undefined;
    }
  }

  async _startAgain() {
    this.log.reset();
    await this._client.store?.clear(this.id);
    return this._start();
  }

  /**
   * The log goes on further up: this user left and came again, and may not see what was between.
   * @param {LogEvent[]} events
   * @param {number} head
   */
  async _jump(events, head) {
    await this._client.store?.clear(this.id);
    this._added(this.log.startAgain(events, head));
  }

  /**
   * @param {import("./outbox.js").Outgoing} outgoing
   * @param {{ack: any} | {error: import("./errors.js").TokenIMError}} result
   */
  _settled(outgoing, result) {
    if (outgoing.conversation !== this.id) return;
    if ("error" in result) {
      this._failed.push({ ...this._pending(outgoing), state: "failed", error: result.error.code });
    } else {
      this._acked(outgoing, result.ack);
    }
    this.emit("changed", { added: [] });
  }

  /**
   * The ack tells enough to show the message without waiting for its echo.
   * @param {import("./outbox.js").Outgoing} outgoing
   * @param {{id: string, seq: number, at: number, body?: any}} ack `body` where the server changed it
   */
  _acked(outgoing, { id, seq, at, body = outgoing.body }) {
    const { type: kind, at: _, ...message } = outgoing;
    const event = { ...message, id, seq, at, kind, body, type: "message:created", sender: this._client.user };
    this._logEvent({ ...event, local: true });
  }

  /**
   * @param {import("./outbox.js").Outgoing} outgoing
   * @returns {Message}
   */
  _pending(outgoing) {
    return {
      key: outgoing.client_id,
      client_id: outgoing.client_id,
      seq: null,
      sender: this._client.user,
      at: outgoing.at,
      kind: outgoing.type,
      body: outgoing.body,
      reply_to: outgoing.reply_to ?? null,
      mentions: outgoing.mentions ?? [],
      edited: false,
      recalled: false,
      pinned: false,
      reactions: new Map(),
      state: "sending",
    };
  }
}
