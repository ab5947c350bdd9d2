import { FileChannel } from "./channel.js";
import { TokenIMError } from "./errors.js";
import { httpError } from "./http.js";
import { sha256Of } from "./sha256.js";
import { Transfer, untilOnline } from "./transfer.js";
import { backoff, delay, uniqueId } from "./wait.js";

/** @typedef {{file: string, chunk_size: number, offset: number, upload_url: string}} FileOffer */

const ATTEMPTS_WITHOUT_PROGRESS = 6;
const HTTP_PIECE_BYTES = 2 << 20;

/**
 * One file going up: hash, offer, send from the offset the server has. A dropped channel or
 * connection continues where the server stopped; a second failure of the channel goes by HTTP.
 */
export class Upload extends Transfer {
  /**
   * @param {import("./client.js").Client} client
   * @param {{conversation?: string, room?: string}} where
   * @param {File} file
   * @param {() => RTCPeerConnection | null} transport the publish transport, when it is up
   */
  constructor(client, where, file, transport) {
    super(file.name, file.size);
    this._client = client;
    this._where = where;
    this._file = file;
    this._transport = transport;
    this._client_id = uniqueId();
    this._channelFailures = 0;
    /** @type {string | null} id on the wire, once offered */
    this.file = null;
  }

  /** Never rejects: the outcome is `state` and `error`. */
  async run() {
    try {
      this.setState("hashing");
      const sha256 = await sha256Of(this._file, undefined, this.signal);
      await this._untilSent(sha256);
      this.progress(this.size);
      this.setState("done");
    } catch (error) {
      this.fail(error);
    }
  }

  cancel() {
    super.cancel();
    if (this.file) this._client.hint("file:cancel", { file: this.file });
  }

  /** @param {string} sha256 */
  async _untilSent(sha256) {
    let attempts = 0;
    for (let best = 0; ; best = Math.max(best, this.done_bytes)) {
      try {
        await untilOnline(this._client, this.signal);
        return await this._attempt(sha256);
      } catch (error) {
        attempts = this.done_bytes > best ? 0 : attempts + 1;
        const retryable = error instanceof TokenIMError && error.retryable;
        if (!retryable || this.signal.aborted || attempts >= ATTEMPTS_WITHOUT_PROGRESS) throw error;
        this.setState("waiting");
        await delay(error.retry_after_ms ?? backoff(attempts));
      }
    }
  }

  /** @param {string} sha256 */
  async _attempt(sha256) {
    const { name, size, type } = this._file;
    /** @type {FileOffer} */
    const offer = await this._client.request("file:offer", {
      ...this._where,
      client_id: this._client_id,
      name,
      size,
      type: type || "application/octet-stream",
      sha256,
    });
    this.file = offer.file;
    this.progress(offer.offset);
    this.setState("moving");
    if (this.size && offer.offset === this.size) return; // The server knows these bytes already.
    const transport = this._channelFailures < 2 ? this._transport() : null;
    if (transport) await this._byChannel(offer, transport);
    else await this._byHttp(offer);
  }

  /**
   * @param {FileOffer} offer
   * @param {RTCPeerConnection} transport
   */
  async _byChannel(offer, transport) {
    this.via = "channel";
    const channel = new FileChannel(transport.createDataChannel(`file:${offer.file}`), this.signal);
    try {
      await channel.open();
      await this._pump(offer, channel);
      await channel.ended;
    } catch (error) {
      this._channelFailures++;
      throw error;
    } finally {
      channel.close();
    }
  }

  /**
   * @param {FileOffer} offer
   * @param {FileChannel} channel
   */
  async _pump({ offset, chunk_size }, channel) {
    while (offset < this.size) {
      const chunk = await this._file.slice(offset, offset + chunk_size).arrayBuffer();
      await channel.send(offset, new Uint8Array(chunk));
      offset += chunk.byteLength;
      this.progress(Math.max(this.done_bytes, offset - channel.buffered_bytes));
    }
  }

  /** @param {FileOffer} offer */
  async _byHttp({ offset, upload_url }) {
    this.via = "http";
    const url = new URL(upload_url, this._client.url);
    do {
      const end = Math.min(this.size, offset + HTTP_PIECE_BYTES);
      const range = this.size ? `bytes ${offset}-${end - 1}/${this.size}` : "bytes */0";
      const response = await fetch(url, {
        method: "PUT",
        headers: { Authorization: `Bearer ${this._client.token}`, "Content-Range": range },
        body: this._file.slice(offset, end),
        signal: this.signal,
      }).catch(() => null);
      if (!response?.ok && response?.status !== 308) throw await httpError(response);
      offset = end;
      this.progress(offset);
    } while (offset < this.size);
  }
}
