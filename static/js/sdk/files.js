import { Download } from "./download.js";
import { Upload } from "./upload.js";

/**
 * Files of Conversations and Rooms: by data channel while a Room is joined, by HTTP otherwise.
 */
export class Files {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this._client = client;
    /** @type {import("./room.js").Room | null} */
    this._room = null;
    /** @type {Map<string, (channel: RTCDataChannel) => void>} waiting downloads, by file id */
    this._awaited = new Map();
    /** @type {Set<Upload>} under way */
    this.uploads = new Set();
  }

  /**
   * Use a Room's transports from now on; null for HTTP alone.
   * @param {import("./room.js").Room | null} room
   */
  use(room) {
    this._off?.();
    this._room = room;
    this._off = room?.on("channel", (channel) => this._arrived(channel));
  }

  /**
   * Start sending a file; its message appears in the conversation when it is complete.
   * @param {{conversation?: string, room?: string}} where
   * @param {File} file
   * @returns {Upload} already running
   */
  upload(where, file) {
    const transport = () => {
      const publisher = this._room?.media.publisher;
      return publisher?.link.up ? publisher.pc : null;
    };
    const upload = new Upload(this._client, where, file, transport);
    this.uploads.add(upload);
    void upload.run().finally(() => this.uploads.delete(upload));
    return upload;
  }

  /**
   * Start fetching a file.
   * @param {import("./types.js").FileBody} body of the message
   * @param {{preferHttp?: boolean}} [options]
   * @returns {Download} already running
   */
  download(body, options) {
    const channels = {
      usable: () => Boolean(this._room?.media.subscriber?.link.up),
      next: (/** @type {string} */ file, /** @type {number} */ wait_ms) => this._next(file, wait_ms),
    };
    const download = new Download(this._client, body, channels, options);
    void download.run();
    return download;
  }

  /**
   * @param {string} file
   * @param {number} wait_ms
   * @returns {Promise<RTCDataChannel | null>}
   */
  _next(file, wait_ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(null), wait_ms);
      const settle = (/** @type {RTCDataChannel | null} */ channel) => {
        clearTimeout(timer);
        this._awaited.delete(file);
        resolve(channel);
      };
      this._awaited.set(file, settle);
    });
  }

  /** @param {RTCDataChannel} channel */
  _arrived(channel) {
    const awaited = channel.label.startsWith("file:") && this._awaited.get(channel.label.slice(5));
    if (awaited) awaited(channel);
    else channel.close();
  }
}
