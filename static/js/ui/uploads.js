import { mark, t } from "../i18n/index.js";
import { announce } from "./announcer.js";
import { h, ht, iconButton } from "./dom.js";
import { transferText } from "./file_card.js";
import { icon } from "./icons.js";

/** @typedef {import("../sdk/index.js").Upload} Upload */

const DONE_SHOWN_MS = 1500;

/** Files on their way up: cards above the composer, and the whole window as a place to drop them. */
export class Uploads {
  /** @param {{send: (file: File) => Upload, onStart: () => void}} options */
  constructor({ send, onStart }) {
    this._send = send;
    this._onStart = onStart;
    this.element = h("div", { class: "uploads" });
    this._target = h("div", { class: "drop", hidden: true }, icon("upload"), ht("p", "file.drop"));
    document.getElementById("overlays")?.append(this._target);
    this._depth = 0;
    this._abort = new AbortController();
    this._listen();
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      const upload = this._send(file);
      this.element.append(this._card(upload));
      this._onStart();
    }
  }

  close() {
    this._abort.abort();
    this._target.remove();
  }

  _listen() {
    const { signal } = this._abort;
    addEventListener("dragenter", (event) => this._drag(event, 1), { signal });
    addEventListener("dragleave", (event) => this._drag(event, -1), { signal });
    addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault(), { signal });
    addEventListener("drop", (event) => this._drop(event), { signal });
    addEventListener("paste", (event) => this._paste(event), { signal });
  }

  /**
   * @param {DragEvent} event
   * @param {number} change
   */
  _drag(event, change) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this._depth = Math.max(0, this._depth + change);
    this._target.hidden = this._depth === 0;
  }

  /** @param {DragEvent} event */
  _drop(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this._depth = 0;
    this._target.hidden = true;
    this.add(event.dataTransfer?.files ?? []);
  }

  /** @param {ClipboardEvent} event */
  _paste(event) {
    const files = event.clipboardData?.files;
    if (!files?.length) return;
    event.preventDefault();
    this.add(files);
  }

  /** @param {Upload} upload */
  _card(upload) {
    const name = h("span", { class: "name truncate" }, upload.name);
    const detail = h("span", { class: "detail" });
    const bar = h("div", { class: "progress" }, h("div"));
    const cancel = iconButton("close", "file.cancel", () => (upload.ended ? card.remove() : upload.cancel()), { class: "small" });
    const card = h("div", { class: "file" }, h("span", { class: "kind" }, icon("upload")), name, detail, cancel, bar);
    const update = () => {
      detail.textContent = transferText(upload, "file.done");
      card.dataset.state = upload.state;
      card.dataset.via = upload.via;
      bar.hidden = upload.ended;
      bar.style.setProperty("--done", String(upload.size ? upload.done_bytes / upload.size : 1));
      mark(cancel, "label", upload.ended ? "file.dismiss" : "file.cancel", { name: upload.name });
      if (upload.state === "cancelled") card.remove();
      if (upload.state === "failed") announce(`${upload.name}: ${detail.textContent}`);
      if (upload.state === "done") {
        announce(`${upload.name}: ${t("file.done")}`);
        setTimeout(() => card.remove(), DONE_SHOWN_MS);
      }
    };
    upload.on("changed", update);
    update();
    return card;
  }
}

/** @param {DragEvent} event */
function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}
