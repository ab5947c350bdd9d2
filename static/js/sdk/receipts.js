/** @typedef {"receipt:delivered" | "receipt:read"} Kind */

const DELAY_MS = 150;

/** How far this device has got in a Conversation, and how much of that the server knows. */
export class Receipts {
  /**
   * @param {import("./client.js").Client} client
   * @param {string} conversation
   */
  constructor(client, conversation) {
    this._client = client;
    this._conversation = conversation;
    this._reached = { "receipt:delivered": 0, "receipt:read": 0 };
    this._told = { "receipt:delivered": 0, "receipt:read": 0 };
    /** @type {Map<Kind, ReturnType<typeof setTimeout>>} */
    this._timers = new Map();
  }

  /**
   * @param {Kind} kind
   * @param {number} seq
   */
  reach(kind, seq) {
    this._reached[kind] = Math.max(this._reached[kind], seq);
    this._soon(kind);
  }

  /** A new session: tell what the server did not hear. */
  resumed() {
    this._soon("receipt:delivered");
    this._soon("receipt:read");
  }

  /** @param {Kind} kind */
  _soon(kind) {
    if (this._timers.has(kind) || this._reached[kind] <= this._told[kind]) return;
    this._timers.set(kind, setTimeout(() => void this._tell(kind), DELAY_MS));
  }

  /** @param {Kind} kind */
  async _tell(kind) {
    this._timers.delete(kind);
    if (!this._client.online) return; // The next session tells.
    const [before, seq] = [this._told[kind], this._reached[kind]];
    this._told[kind] = seq;
    try {
      await this._client.request(kind, { conversation: this._conversation, seq });
    } catch {
      // Told again with the next one, or with the next session.
      if (this._told[kind] === seq) this._told[kind] = before;
    }
  }
}
