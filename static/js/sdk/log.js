/** @typedef {import("./types.js").LogEvent} LogEvent */
/** @typedef {import("./types.js").Message} Message */

/**
 * The part of a Conversation's log that this device has read: one run of Events without gaps, from
 * `first` to `head`. Later events (edits, recalls, reactions) are folded into their Message.
 *
 * Events may come twice and in any order; those beyond a gap are held until it is filled.
 */
export class Log {
  constructor() {
    this.first = 0;
    /** Whether the newest page was read; events before that are held. */
    this.started = false;
    /** An older page had nothing: what is before `first` is not for this user. */
    this._begun = false;
    /** Highest seq read without a gap; 0 when nothing was read. */
    this.head = 0;
    /** @type {LogEvent[]} in order of seq */
    this.events = [];
    /** @type {Map<number, Message>} by seq */
    this.messages = new Map();
    /** @type {Map<string, string>} names that senders had; they may be gone by now */
    this.names = new Map();
    /** @type {Map<number, LogEvent>} */
    this._held = new Map();
  }

  get hasOlder() {
    return this.first > 1 && !this._begun;
  }

  /** Highest seq that must be read from the server to close the gap; 0 when there is none. */
  get gapEnd() {
    return this._held.size ? Math.max(...this._held.keys()) : 0;
  }

  /**
   * One event, from the socket or from history.
   * @param {LogEvent} event
   * @returns {LogEvent[]} events that this one made part of the log, in order
   */
  add(event) {
    if (event.seq <= this.head) return [];
    if (event.local && this._held.has(event.seq)) return [];
    this._held.set(event.seq, event);
    return this.started ? this._take() : [];
  }

  /**
   * Put an event in the place of the one that was made of its ack.
   * @param {LogEvent} event
   * @returns {boolean} whether there was one
   */
  confirm(event) {
    const index = event.seq - this.first;
    if (event.local || !this.events[index]?.local) return false;
    this.events[index] = event;
    this._confirmMessage(event);
    return true;
  }

  /**
   * The newest page of history: where the log starts. Held events continue it.
   * @param {LogEvent[]} events in order
   * @param {number} head
   * @returns {LogEvent[]}
   */
  start(events, head) {
    this.started = true;
    this._begun = false;
    this.first = events.length ? events[0].seq : head + 1;
    this.head = this.first - 1;
    for (const event of events) this._held.set(event.seq, event);
    return this._take();
  }

  /**
   * A page that does not continue the log: what is between was taken from this user's view. The log
   * starts again there; events held beyond it stay.
   * @param {LogEvent[]} events in order
   * @param {number} head
   * @returns {LogEvent[]}
   */
  startAgain(events, head) {
    this.events = [];
    this.messages.clear();
    return this.start(events, head);
  }

  /**
   * An older page of history.
   * @param {LogEvent[]} events in order, all before `first`
   */
  prepend(events) {
    const older = events.filter((event) => event.seq < this.first);
    this._begun = !older.length;
    if (this._begun) return;
    this.first = older[0].seq;
    this.events.unshift(...older);
    // What is behind them is folded already; only their own state counts.
    for (const event of older) {
      this._create(event);
      if (event.sender_name && !this.names.has(event.sender)) this.names.set(event.sender, event.sender_name);
    }
  }

  /** Forget everything: the gap is too long to be worth reading. */
  reset() {
    this.first = this.head = 0;
    this.started = false;
    this.events = [];
    this.messages.clear();
    this._held.clear();
  }

  /** @returns {LogEvent[]} */
  _take() {
    const taken = [];
    for (let seq = this.head + 1; this._held.has(seq); seq++) {
      const event = /** @type {LogEvent} */ (this._held.get(seq));
      this._held.delete(seq);
      this.head = seq;
      this.events.push(event);
      this._fold(event);
      taken.push(event);
    }
    for (const seq of this._held.keys()) if (seq <= this.head) this._held.delete(seq);
    return taken;
  }

  /** @param {LogEvent} event */
  _fold(event) {
    this._create(event);
    if (event.sender_name) this.names.set(event.sender, event.sender_name);
    const target = this.messages.get(event.target ?? 0);
    if (!target) return;
    if (event.type === "message:edited") edit(target, event);
    if (event.type === "message:recalled") recall(target);
    if (event.type === "reaction:changed") react(target, event);
    if (event.type === "message:pinned") target.pinned = event.on !== false;
  }

  /** @param {LogEvent} event the log's form of an own message; later events were folded already */
  _confirmMessage(event) {
    const message = this.messages.get(event.seq);
    if (!message || message.edited || message.recalled) return;
    const { body, mentions, at } = messageOf(event);
    Object.assign(message, { body, mentions, at });
  }

  /** @param {LogEvent} event */
  _create(event) {
    if (event.type === "message:created") this.messages.set(event.seq, messageOf(event));
  }
}

/**
 * @param {LogEvent} event
 * @returns {Message}
 */
function messageOf(event) {
  return {
    key: event.client_id ?? event.id,
    client_id: event.client_id ?? "",
    seq: event.seq,
    sender: event.sender,
    at: event.at,
    kind: event.kind ?? "text",
    body: event.recalled ? null : event.body,
    reply_to: event.reply_to ?? null,
    mentions: event.mentions ?? [],
    edited: Boolean(event.edited_at),
    recalled: Boolean(event.recalled),
    pinned: Boolean(event.pinned),
    reactions: reactionsOf(event.reactions),
    state: "sent",
  };
}

/**
 * @param {Message} message
 * @param {LogEvent} event
 */
function edit(message, event) {
  if (message.recalled) return;
  message.body = event.body;
  message.edited = true;
}

/** @param {Message} message */
function recall(message) {
  message.body = null;
  message.recalled = true;
  message.reactions.clear();
}

/**
 * @param {Message} message
 * @param {LogEvent} event
 */
function react(message, event) {
  const emoji = event.emoji ?? "";
  const users = message.reactions.get(emoji) ?? new Set();
  const user = event.user ?? event.sender;
  if (event.on) users.add(user);
  else users.delete(user);
  if (users.size) message.reactions.set(emoji, users);
  else message.reactions.delete(emoji);
}

/**
 * @param {any} reactions `{emoji: [user]}`, or a list of `{emoji, users}`
 * @returns {Map<string, Set<string>>}
 */
function reactionsOf(reactions) {
  const entries = Array.isArray(reactions)
    ? reactions.map((entry) => [entry.emoji, entry.users])
    : Object.entries(reactions ?? {});
  return new Map(entries.map(([emoji, users]) => [emoji, new Set(users)]));
}
