import { mark, t } from "../i18n/index.js";
import { h, nextId } from "./dom.js";
import { pref, setPref } from "./prefs.js";

/** @typedef {import("../i18n/index.js").Key} Key */

/** @type {{kind: MediaDeviceKind, name: "camera" | "microphone" | "speaker"}[]} */
const PICKERS = [
  { kind: "videoinput", name: "camera" },
  { kind: "audioinput", name: "microphone" },
  { kind: "audiooutput", name: "speaker" },
];

/** Whether audio can be sent to a chosen loudspeaker here. */
const SPEAKERS = "setSinkId" in HTMLMediaElement.prototype;

/** Selects for camera, microphone and speaker that follow the devices. */
export class Pickers {
  /**
   * @param {import("./devices.js").Devices} devices
   * @param {{onSpeaker?: (id: string) => void}} [options]
   */
  constructor(devices, { onSpeaker } = {}) {
    this._devices = devices;
    this._onSpeaker = onSpeaker;
    /** @type {Map<string, HTMLSelectElement>} */
    this._selects = new Map();
    this.element = h("div", { class: "device-pickers" });
    for (const picker of PICKERS) {
      if (picker.name !== "speaker" || SPEAKERS) this.element.append(this._field(picker.name));
    }
    devices.on("changed", () => this.update());
    this.update();
  }

  update() {
    for (const { kind, name } of PICKERS) {
      const select = this._selects.get(name);
      if (select) this._fill(select, kind, name);
    }
  }

  /** @param {"camera" | "microphone" | "speaker"} name */
  _field(name) {
    const id = nextId();
    const select = h("select", { id, class: "select", onchange: () => this._chosen(name, select.value) });
    this._selects.set(name, select);
    const label = mark(h("label", { for: id }), "text", /** @type {Key} */ (`join.${name}`));
    return h("div", { class: `field ${name}` }, label, select);
  }

  /**
   * @param {"camera" | "microphone" | "speaker"} name
   * @param {string} id
   */
  _chosen(name, id) {
    if (name === "speaker") {
      setPref("speaker", id);
      this._onSpeaker?.(id);
    } else {
      void this._devices.choose(name, id);
    }
  }

  /**
   * @param {HTMLSelectElement} select
   * @param {MediaDeviceKind} kind
   * @param {"camera" | "microphone" | "speaker"} name
   */
  _fill(select, kind, name) {
    const devices = this._devices.named(kind);
    select.disabled = devices.length === 0;
    const options = devices.map(({ deviceId, label }, n) =>
      h("option", { value: deviceId }, label || t(/** @type {Key} */ (`device.${name}`), { n: n + 1 })),
    );
    if (!options.length) options.push(mark(h("option", { value: "" }), "text", "device.none"));
    select.replaceChildren(...options);
    const current = name === "speaker" ? pref("speaker") : this._devices.tracks[name]?.getSettings().deviceId;
    if (devices.some(({ deviceId }) => deviceId === current)) select.value = current ?? "";
  }
}
