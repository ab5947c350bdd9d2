import { FileChannel, unpackChunk } from "./channel.js";
import { TokenIMError } from "./errors.js";
import { httpError } from "./http.js";
import { Sha256 } from "./sha256.js";
import { Transfer, untilOnline } from "./transfer.js";
import { backoff, delay } from "./wait.js";

const ATTEMPTS_WITHOUT_PROGRESS = 6;
const CHANNEL_WAIT_MS = 5000;
/** Pieces are folded into Blobs of this size, which the browser may keep on disk. */
const FOLD_BYTES = 8 << 20;

/**
 * @typedef {object} ChannelSource where the server's `file:` channels appear
 * @property {() => boolean} usable
 * @property {(file: string, wait_ms: number) => Promise<RTCDataChannel | null>} next
 */

/**
 * One file coming down, in order from the first byte to the last; a dropped channel or connection
 * continues at the offset reached. The hash is checked before `done`.
 */
export class Download extends Transfer {
  /**
   * @param {import("./client.js").Client} client
   * @param {import("./types.js").FileBody} body of the message
   * @param {ChannelSource} channels
   * @param {{preferHttp?: boolean}} [options]
   */
  constructor(client, body, channels, { preferHttp = false } = {}) {
    super(body.name, body.size);
    this._client = client;
    this._body = body;
    this._channels = channels;
    this._useHttp = preferHttp;
    this._hash = new Sha256();
    /** @type {BlobPart[]} */
    this._parts = [];
    this._unfolded_bytes = 0;
    /** @type {Blob | null} set when done */
    this.blob = null;
  }

  /** Never rejects: the outcome is `state`, `blob` and `error`. */
  async run() {
    try {
      await this._untilReceived();
      if (this._hash.hex() !== this._body.sha256) throw new TokenIMError("conflict", "sha256 differs");
      this.blob = new Blob(this._parts, { type: this._body.type });
      this.setState("done");
    } catch (error) {
      this.fail(error);
    }
  }

  async _untilReceived() {
    for (let attempts = 0; this.done_bytes < this.size; ) {
      const before = this.done_bytes;
      try {
        await untilOnline(this._client, this.signal);
        await this._attempt();
      } catch (error) {
        attempts = this.done_bytes > before ? 0 : attempts + 1;
        const retryable = error instanceof TokenIMError && error.retryable;
        if (!retryable || this.signal.aborted || attempts >= ATTEMPTS_WITHOUT_PROGRESS) throw error;
        this.setState("waiting");
        await delay(error.retry_after_ms ?? backoff(attempts));
      }
    }
  }

  async _attempt() {
    const byChannel = !this._useHttp && this._channels.usable();
    const coming = byChannel ? this._channels.next(this._body.file, CHANNEL_WAIT_MS) : null;
    const { download_url, channel: promised } = await this._client.request("file:fetch", {
      file: this._body.file,
      offset: this.done_bytes,
      channel: byChannel,
    });
    this.setState("moving");
    const channel = promised ? await coming : null;
    if (channel) await this._byChannel(channel);
    else await this._byHttp(new URL(download_url, this._client.url));
  }

  /** @param {RTCDataChannel} channel */
  async _byChannel(channel) {
    this.via = "channel";
    const frames = new FileChannel(channel, this.signal);
    frames.onFrame = (frame) => {
      const { offset, bytes } = unpackChunk(frame);
      if (offset === this.done_bytes) this._take(bytes);
    };
    try {
      await frames.ended;
    } catch (error) {
      this._useHttp = true;
      throw error;
    } finally {
      frames.close();
    }
  }

  /** @param {URL} url */
  async _byHttp(url) {
    this.via = "http";
    // The link is signed and may be a CDN's: the token is not for whoever that is.
    const headers = { Range: `bytes=${this.done_bytes}-` };
    const response = await fetch(url, { headers, signal: this.signal }).catch(() => null);
    if (!response?.ok || !response.body) throw await httpError(response);
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read().catch(() => {
        throw new TokenIMError("unavailable", "download broke", { retryable: true });
      });
      if (done) return;
      this._take(value);
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  _take(bytes) {
    this._hash.update(bytes);
    this._parts.push(bytes);
    this._unfolded_bytes += bytes.length;
    if (this._unfolded_bytes >= FOLD_BYTES) {
      this._parts = [new Blob(this._parts)];
      this._unfolded_bytes = 0;
    }
    this.progress(this.done_bytes + bytes.length);
  }
}
