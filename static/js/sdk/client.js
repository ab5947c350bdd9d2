import { io } from "../../vendor/socket.io.esm.min.js";
import { Calls } from "./calls.js";
import { Conversation } from "./conversation.js";
import { DirectRoom } from "./direct_room.js";
import { Emitter } from "./emitter.js";
import { TokenIMError } from "./errors.js";
import { Files } from "./files.js";
import { Outbox } from "./outbox.js";
import { Push } from "./push.js";
import { Room } from "./room.js";
import { backoff, inTime, uniqueId } from "./wait.js";

/** @typedef {import("./types.js").Session} Session */
/** @typedef {import("./types.js").ConnectionState} ConnectionState */

/**
 * @typedef {object} ClientOptions
 * @property {string} [url] origin of the server; the page's own by default
 * @property {(signal: AbortSignal) => Promise<string>} token a user token, asked for before each
 *   attempt to connect; the signal ends a question that takes more than ten seconds
 * @property {string} [device] names this installation; keep it between visits
 * @property {string} [deviceName] what its user reads in the list of devices
 * @property {Storage} [storage] where unacked sends outlive a reload
 * @property {import("./store.js").LogStore} [store] where logs outlive a reload
 *
 * @typedef {{event: string, data: any}} WireEvent
 * @typedef {{state: ConnectionState, session: Session, wire: WireEvent, refused: TokenIMError,
 *   drain: {retry_after_ms?: number}}} ClientEvents
 */

const REQUEST_TIMEOUT_MS = 10_000;
const TOKEN_TIMEOUT_MS = 10_000;
/** Pages a search looks at: those for short words may have nothing on them. */
const LOOKS = 10;

/** Refusals that pass by themselves: one tries again for as long as it takes. */
const PASSING = new Set(["unavailable", "rate_limited", "timeout", "internal"]);
/** A new token may heal `unauthorized`; after so many the Client ends, as after any other refusal. */
const UNAUTHORIZED_MAX = 6;

/**
 * One connection to TokenIM for one User's Device: it owns the socket, reconnects by itself, and
 * hands wire events to Conversations and Rooms. Nothing acked is lost and nothing is sent twice:
 * sends wait in the Outbox, and what was missed is read from the log by cursor.
 *
 * @extends {Emitter<ClientEvents>}
 */
export class Client extends Emitter {
  /** @param {ClientOptions} options */
  constructor(options) {
    super();
    this._options = options;
    this.url = options.url ?? location.origin;
    this.device = options.device ?? uniqueId();
    /** @type {ConnectionState} */
    this.state = "connecting";
    /** @type {Session | null} */
    this.session = null;
    /** The token in use; `Files` sends it with HTTP requests. */
    this.token = "";
    /** @type {TokenIMError | null} why the last question for a token brought none */
    this._tokenless = null;
    /** @type {Promise<void> | undefined} that question, while it is open */
    this._asking = undefined;
    /** How many sockets have been opened. */
    this._sockets = 0;
    /** @type {Map<string, Conversation>} */
    this._conversations = new Map();
    /** Attempts since the last session, and how many of them had a token that was refused. */
    this._attempts = 0;
    this._unauthorized = 0;
    this._closed = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._retryTimer = undefined;
    this.outbox = new Outbox(this, options.storage);
    this.files = new Files(this);
    this.store = options.store ?? null;
    this.calls = new Calls(this);
    this.push = new Push(this);
    /** When the server is going away: how long to stay away, for the next attempt. */
    this._drain_ms = 0;
    this._socket = io(this.url, {
      autoConnect: false,
      transports: ["websocket", "polling"],
      auth: (/** @type {(auth: object) => void} */ send) => void this._authenticate(send),
      reconnectionDelay: 400,
      reconnectionDelayMax: 4000,
      forceNew: true,
    });
    this._listen();
  }

  /** The signed-in User; empty before the first session. */
  get user() {
    return this.session?.user ?? "";
  }

  get online() {
    return this.state === "online";
  }

  /**
   * Connect and wait for the first session.
   * @param {{timeout_ms?: number}} [options]
   * @returns {Promise<Session>} rejects with a TokenIMError when refused for good or on timeout,
   *   which says so where it was the token that did not come
   */
  connect(options = {}) {
    this._socket.connect();
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        offs.forEach((off) => off());
      };
      const fail = (/** @type {TokenIMError} */ error) => (finish(), reject(error));
      const offs = [
        this.on("session", (session) => (finish(), resolve(session))),
        this.on("refused", fail),
      ];
      const timer = setTimeout(
        () => fail(this._tokenless ?? new TokenIMError("timeout", "no session in time", { retryable: true })),
        options.timeout_ms ?? 20_000,
      );
    });
  }

  /** End the connection for good. */
  close() {
    this._closed = true;
    clearTimeout(this._retryTimer);
    this._socket.disconnect();
    this._setState("closed");
  }

  /**
   * One request; resolves with the ack's fields.
   * @param {string} event
   * @param {object} payload
   * @param {{timeout_ms?: number}} [options]
   * @returns {Promise<any>} rejects with TokenIMError: the server's code, `timeout`, or
   *   `unavailable` when there is no session
   */
  request(event, payload, options = {}) {
    if (!this.online) {
      return Promise.reject(new TokenIMError("unavailable", "not connected", { retryable: true }));
    }
    return new Promise((resolve, reject) => {
      const onAck = (/** @type {Error | null} */ error, /** @type {any} */ ack) => {
        if (error) reject(new TokenIMError("timeout", event, { retryable: true }));
        else if (ack?.ok) resolve(ack);
        else reject(TokenIMError.fromWire(ack?.error ?? {}));
      };
      this._socket.timeout(options.timeout_ms ?? REQUEST_TIMEOUT_MS).emit(event, payload, onAck);
    });
  }

  /**
   * A request whose loss does not matter (typing, receipts): failures are dropped on purpose.
   * @param {string} event
   * @param {object} payload
   */
  hint(event, payload) {
    this.request(event, payload).catch(() => undefined);
  }

  /**
   * Join an open conversation by alias, creating it if asked.
   * @param {{alias?: string, conversation?: string, create?: boolean, title?: string}} target
   * @returns {Promise<Conversation>}
   */
  async joinConversation(target) {
    const { conversation } = await this.request("conversation:join", target);
    return this.conversation(conversation);
  }

  /**
   * The conversation with one other user; made if there is none.
   * @param {string} user
   * @returns {Promise<Conversation>}
   */
  async direct(user) {
    const wanted = { type: "direct", members: [user], client_id: `direct.${user}` };
    const { conversation } = await this.request("conversation:create", wanted);
    return this.conversation(conversation);
  }

  /**
   * One of this user's conversations.
   * @param {string} id
   * @returns {Promise<Conversation>}
   */
  async conversationById(id) {
    const { conversation } = await this.request("conversation:get", { conversation: id });
    return this.conversation(conversation);
  }

  /**
   * This user's conversations, the latest active first.
   * @param {{limit?: number}} [options]
   * @returns {Promise<import("./types.js").ConversationInfo[]>}
   */
  async conversations({ limit = 50 } = {}) {
    return (await this.request("conversation:list", { limit })).conversations;
  }

  /**
   * Messages with these words in them, the newest first; for words of one or two letters not from
   * so far back as for longer ones.
   * @param {string} query
   * @param {{conversation?: string, limit?: number}} [options]
   * @returns {Promise<import("./types.js").LogEvent[]>}
   */
  async search(query, { conversation, limit = 20 } = {}) {
    const found = [];
    let before;
    for (let look = 0; look < LOOKS && found.length < limit; look += 1) {
      const asked = { query, conversation, before, limit: limit - found.length };
      const { events, next } = await this.request("message:search", asked);
      found.push(...events);
      if (!next) break;
      before = next;
    }
    return found;
  }

  /**
   * The live view of a conversation; the same object for the same id.
   * @param {import("./types.js").ConversationInfo} info
   */
  conversation(info) {
    let found = this._conversations.get(info.id);
    if (!found) {
      found = new Conversation(this, info);
      this._conversations.set(info.id, found);
    }
    return found;
  }

  /**
   * A Room of live media; nothing happens before `room.join()`.
   * @param {string} room a conversation's id, or the name of a standalone room
   * @param {import("./room.js").RoomOptions} [options]
   */
  room(room, options) {
    return new Room(this, room, options);
  }

  /**
   * The live media of an answered call between two, device to device where that works.
   * @param {import("./direct_room.js").DirectOptions} options
   */
  directRoom(options) {
    return new DirectRoom(this, options);
  }

  _listen() {
    this._socket.on("session:ready", (session) => this._ready(session));
    this._socket.on("disconnect", (reason) => this._disconnected(String(reason)));
    this._socket.on("connect_error", (error) => void this._connectError(error));
    this._socket.onAny((event, data) => this._receive(event, data));
  }

  /** @param {(auth: object) => void} send */
  async _authenticate(send) {
    const socket = ++this._sockets;
    await this._askToken();
    if (socket !== this._sockets) return; // Another one has been opened meanwhile: it answers.
    // Without a new token the last one is refused or accepted by the server, which decides anyway.
    send({ token: this.token || undefined, device: this.device, device_name: this._options.deviceName, cursor: this.session?.cursor });
  }

  /** One question at a time, however often the socket comes and goes. Never rejects. */
  _askToken() {
    this._asking ??= this._newToken().finally(() => (this._asking = undefined));
    return this._asking;
  }

  async _newToken() {
    try {
      this.token = await inTime(async (signal) => this._options.token(signal), TOKEN_TIMEOUT_MS, "token");
      this._tokenless = null;
    } catch (error) {
      const known = error instanceof TokenIMError;
      this._tokenless = known ? error : new TokenIMError("unavailable", `no token: ${error}`, { retryable: true });
    }
  }

  /** @param {Session} session */
  _ready(session) {
    this.session = session;
    this.device = session.device ?? this.device;
    this._attempts = this._unauthorized = 0;
    this._setState("online");
    this._catchUp(session.missed);
    this.emit("session", session);
    this.outbox.flush();
  }

  /** @param {any} missed */
  _catchUp(missed) {
    const entries = new Map();
    for (const entry of missed?.conversations ?? []) entries.set(entry.id, entry);
    for (const [id, conversation] of this._conversations) conversation.resumed(entries.get(id));
  }

  /** @param {string} reason */
  _disconnected(reason) {
    if (this._closed) return;
    this._setState("reconnecting");
    // socket.io does not come back by itself when the server closed the socket.
    if (reason === "io server disconnect") this._retry(this._drain_ms);
    this._drain_ms = 0;
  }

  /** @param {any} error */
  async _connectError(error) {
    if (this._closed) return;
    if (this.session) this._setState("reconnecting");
    if (this._socket.active) return;
    const code = error?.data?.code ?? "unavailable";
    const again = code === "unauthorized" ? this._mayHeal() : PASSING.has(code);
    if (again) this._retry(error?.data?.retry_after_ms);
    else this.emit("refused", new TokenIMError(code, error?.message ?? ""));
  }

  /** Whether another token may be accepted: that there was none says nothing about the next. */
  _mayHeal() {
    return this._tokenless !== null || ++this._unauthorized < UNAUTHORIZED_MAX;
  }

  /** @param {number} [after_ms] at least so long */
  _retry(after_ms = 0) {
    clearTimeout(this._retryTimer);
    const wait_ms = Math.max(after_ms, backoff(this._attempts++));
    this._retryTimer = setTimeout(() => this._closed || this._socket.connect(), wait_ms);
  }

  /**
   * @param {string} event
   * @param {any} data
   */
  _receive(event, data) {
    if (event === "session:ready" || !data) return;
    if (event === "session:expiring") void this._refresh();
    if (event === "server:drain") {
      this._drain_ms = data.retry_after_ms ?? 0;
      this.emit("drain", data);
    }
    if (data.conversation) this._conversations.get(data.conversation)?.receive(event, data);
    this.emit("wire", { event, data });
  }

  async _refresh() {
    try {
      await this._askToken();
      if (!this._tokenless) await this.request("session:refresh", { token: this.token });
    } catch {
      // The server will close the socket when the token ends; reconnecting asks for a new one.
    }
  }

  /** @param {ConnectionState} state */
  _setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit("state", state);
  }
}
