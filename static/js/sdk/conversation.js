import { Emitter } from "./emitter.js";
import { Log } from "./log.js";
import { Serial } from "./wait.js";

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
const RECEIPT_DELAY_MS = 150;
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
    /** @type {Map<string, Member>} */
    this.members = new Map();
    for (const member of info.members ?? []) this.members.set(member.user, member);
    /** @type {Message[]} refused for good, kept to be shown */
    this._failed = [];
    this._reading = new Serial();
    this._sentReceipts = { "receipt:delivered": 0, "receipt:read": 0 };
    /** @type {Map<string, ReturnType<typeof setTimeout>>} */
    this._receiptTimers = new Map();
    this._typedAt = 0;
    /** @type {Promise<void> | undefined} */
    this._opening = undefined;
    client.outbox.onSettled((outgoing, result) => this._settled(outgoing, result));
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
    this._receipt("receipt:read");
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
    const others = [...this.members.values()].filter((member) => member.user !== message.sender);
    const seq = message.seq ?? Infinity;
    const read = others.filter((member) => (member.read ?? 0) >= seq).length;
    const delivered = others.filter((member) => (member.delivered ?? 0) >= seq).length;
    return { read, delivered: Math.max(read, delivered), others: others.length };
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
    void this._refreshMembers();
  }

  /** @param {LogEvent} event */
  _logEvent(event) {
    this._apply(event);
    if (!this.log.gapEnd || !this.log.started) return;
    this._reading.run(() => this._fill()).catch(() => undefined); // The next event or session tries again.
  }

  /** @param {LogEvent} event */
  _apply(event) {
    const added = this.log.add(event);
    if (added.length) this._added(added);
  }

  /** @param {LogEvent[]} added */
  _added(added) {
    for (const event of added) this._membership(event);
    void this._client.store?.put(this.id, [...added, ...this._blanked(added)]);
    if (added.some((event) => event.sender !== this._client.user)) this._receipt("receipt:delivered");
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
    const user = event.user ?? event.sender;
    if (event.type === "member:joined") {
      this.members.set(user, { ...this.members.get(user), user, name: event.name });
      void this._refreshMembers();
    }
    if (event.type === "member:left") this.members.delete(user);
  }

  async _refreshMembers() {
    try {
      const { conversation } = await this._client.request("conversation:get", { conversation: this.id });
      this.info = conversation;
      for (const member of conversation.members ?? []) this._mergeMember(member);
      this.emit("members", undefined);
    } catch {
      // The list we have stays; the next session asks again.
    }
  }

  /** @param {Member} member receipts never move back */
  _mergeMember(member) {
    const known = this.members.get(member.user);
    const read = Math.max(known?.read ?? 0, member.read ?? 0);
    const delivered = Math.max(known?.delivered ?? 0, member.delivered ?? 0, read);
    const merged = { ...known, ...member, read, delivered };
    this.members.set(member.user, merged);
    return merged;
  }

  /** @param {Member} receipt */
  _receiptUpdated({ user, read, delivered }) {
    this.emit("receipts", this._mergeMember({ user, read, delivered }));
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
    await this._fill();
    this._added(added);
  }

  /** Read until the log reaches the server's head. */
  async _fill() {
    for (;;) {
      const page = { conversation: this.id, after: this.log.head, limit: GAP_PAGE };
      const { events, head } = await this._client.request("history:get", page);
      if (head - this.log.head > GAP_MAX || head < this.log.head) {
        this.log.reset();
        await this._client.store?.clear(this.id);
        return this._start();
      }
      for (const event of events) this._apply(event);
      if (!events.length || this.log.head >= head) return undefined;
    }
  }

  /** @param {"receipt:delivered" | "receipt:read"} kind */
  _receipt(kind) {
    if (this._receiptTimers.has(kind)) return;
    const send = () => {
      this._receiptTimers.delete(kind);
      const seq = this.log.head;
      if (seq <= this._sentReceipts[kind] || !this._client.online) return;
      this._sentReceipts[kind] = seq;
      this._client.hint(kind, { conversation: this.id, seq });
    };
    this._receiptTimers.set(kind, setTimeout(send, RECEIPT_DELAY_MS));
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
   * @param {{id: string, seq: number, at: number}} ack
   */
  _acked(outgoing, { id, seq, at }) {
    const { type: kind, at: _, ...message } = outgoing;
    this._logEvent({ ...message, id, seq, at, kind, type: "message:created", sender: this._client.user });
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
