import { errorText, mark, t } from "../i18n/index.js";
import { h, iconButton } from "./dom.js";
import { bytesText } from "./figures.js";
import { icon } from "./icons.js";

/** @typedef {import("../sdk/types.js").FileBody} FileBody */
/** @typedef {import("../sdk/index.js").Download} Download */
/** @typedef {import("../sdk/index.js").Upload} Upload */

const PREVIEW_TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);
const PREVIEW_MAX_BYTES = 10_000_000;

/**
 * What is known of a moving file, in words.
 * @param {Download | Upload} transfer
 * @param {import("../i18n/index.js").Key} done
 */
export function transferText(transfer, done) {
  const { state, done_bytes, size, speed, error } = transfer;
  if (state === "done") return t(done);
  if (state === "failed") return t("file.failed", { reason: errorText(error?.code ?? "") });
  if (state === "hashing") return t("file.hashing");
  if (state === "waiting") return t("file.waiting");
  if (done_bytes >= size) return t("file.finishing");
  return t("file.moving", { done: bytesText(done_bytes), size: bytesText(size), speed: bytesText(speed) });
}

/** A file in the log: its name, a way to get it, and the picture if it is one. */
export class FileCard {
  /**
   * @param {FileBody} body
   * @param {{fetch: (body: FileBody, preview: boolean) => Download, open: (url: string, name: string) => void}} options
   */
  constructor(body, { fetch, open }) {
    this._body = body;
    this._fetch = fetch;
    this._open = open;
    this._detail = h("span", { class: "detail" }, bytesText(body.size));
    this._bar = h("div", { class: "progress", hidden: true }, h("div"));
    this._button = iconButton("download", "file.download", () => this._save(), { class: "small" });
    mark(this._button, "label", "file.download", { name: body.name });
    const name = h("span", { class: "name truncate", title: body.name }, body.name);
    const isPicture = PREVIEW_TYPES.has(body.type);
    const kind = h("span", { class: "kind" }, icon(isPicture ? "image" : "file"));
    this._card = h("div", { class: "file", "data-file": body.file }, kind, name, this._detail, this._button, this._bar);
    this.element = h("div", {}, this._card);
    if (isPicture && body.size <= PREVIEW_MAX_BYTES) this._preview();
  }

  _preview() {
    const image = h("img", { alt: this._body.name, decoding: "async" });
    const button = h("button", { type: "button", class: "picture", hidden: true }, image);
    mark(button, "label", "file.open", { name: this._body.name });
    button.addEventListener("click", () => this._open(image.src, this._body.name));
    this._card.before(button);
    const download = this._fetch(this._body, true);
    download.on("changed", () => {
      if (download.state !== "done" || !download.blob || button.hidden === false) return;
      image.src = URL.createObjectURL(download.blob);
      button.hidden = false;
    });
  }

  _save() {
    if (this._download && !this._download.ended) return;
    const download = this._fetch(this._body, false);
    this._download = download;
    download.on("changed", () => this._progress(download));
    this._progress(download);
  }

  /** @param {Download} download */
  _progress(download) {
    this._detail.textContent = transferText(download, "file.saved");
    this._card.dataset.state = download.state;
    this._card.dataset.via = download.via;
    this._bar.hidden = download.ended;
    this._bar.style.setProperty("--done", String(download.size ? download.done_bytes / download.size : 0));
    if (download.state === "done" && download.blob) saveBlob(download.blob, this._body.name);
  }
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function saveBlob(blob, name) {
  // Never opened in this page, whatever its type claims: an opaque type and `download` see to it.
  const url = URL.createObjectURL(new Blob([blob], { type: "application/octet-stream" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
