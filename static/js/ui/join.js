import { errorText, mark, t } from "../i18n/index.js";
import { codeOf } from "../sdk/index.js";
import { changeIcon, h, ht, iconButton, nextId } from "./dom.js";
import { icon } from "./icons.js";
import { languageButton, themeButton } from "./looks.js";
import { Meter } from "./meter.js";
import { Pickers } from "./pickers.js";
import { pref, setPref } from "./prefs.js";

/** @typedef {import("./devices.js").Devices} Devices */
/** @typedef {import("./devices.js").Capture} Capture */
/** @typedef {import("../i18n/index.js").Key} Key */

/** @type {Record<string, Key>} */
const TROUBLE = {
  denied: "join.denied",
  missing: "join.noDevices",
  insecure: "join.insecure",
  failed: "device.failed",
};

/** The page before a call: look at yourself, say who you are and where to. */
export class JoinView {
  /**
   * @param {Devices} devices
   * @param {{room: string, onJoin: (choice: {name: string, room: string, media: boolean}) => Promise<void>}} options
   */
  constructor(devices, { room, onJoin }) {
    this._devices = devices;
    this._onJoin = onJoin;
    this._asking = true;
    this._level = h("div", { class: "progress" }, h("div"));
    this._meter = new Meter((level) => this._level.style.setProperty("--done", String(level)));
    this._video = h("video", { autoplay: true, muted: true, playsinline: true });
    this._video.muted = true;
    this._note = ht("p", "join.asking");
    this._noteBox = h("div", { class: "preview-note", role: "status" }, icon("cameraOff"), this._note);
    this._camera = this._toggle("camera");
    this._microphone = this._toggle("microphone");
    this._error = h("p", { class: "join-error", role: "alert", hidden: true });
    this._name = this._input("name", pref("name"), "name");
    this._room = this._input("room", room || "lobby", "off");
    this._buttons = this._actions();
    this.element = this._layout();
    this._off = [devices.on("changed", () => this._update()), devices.on("trouble", () => this._update())];
    this._update();
  }

  /** The devices answered. */
  asked() {
    this._asking = false;
    this._update();
  }

  focus() {
    (this._name.value ? this._buttons.join : this._name).focus();
  }

  close() {
    this._meter.close();
    this._off.forEach((off) => off());
    this._video.srcObject = null;
  }

  _layout() {
    const brand = h("div", { class: "brand" }, h("img", { src: "favicon.svg", alt: "" }), "TokenIM");
    const header = h("header", { class: "join-header" }, brand, languageButton(), themeButton());
    const buttons = h("div", { class: "preview-buttons" }, this._microphone, this._camera);
    const preview = h("div", { class: "preview" }, this._video, this._noteBox, buttons);
    const meter = h("div", { class: "meter" }, icon("mic"), this._level);
    const left = mark(h("section", {}, preview, meter), "label", "join.preview");
    return h("div", { class: "join" }, header, h("main", { class: "join-main" }, left, this._form()));
  }

  _form() {
    const form = h(
      "form",
      { class: "join-form", novalidate: true },
      h("div", {}, ht("h1", "join.title"), ht("p", "brand.tagline", { class: "muted" })),
      this._field("join.name", this._name),
      this._field("join.room", this._room),
      new Pickers(this._devices).element,
      this._error,
      h("div", { class: "actions" }, this._buttons.join, this._buttons.chat),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this._submit(true);
    });
    return form;
  }

  _actions() {
    const join = ht("button", "join.button", { class: "button primary", type: "submit" });
    const chat = ht("button", "join.chatOnly", { class: "button quiet", type: "button" });
    chat.addEventListener("click", () => void this._submit(false));
    return { join, chat };
  }

  /**
   * @param {Key} label
   * @param {HTMLInputElement} input
   */
  _field(label, input) {
    return h("div", { class: "field" }, ht("label", label, { for: input.id }), input);
  }

  /**
   * @param {"name" | "room"} name
   * @param {string} value
   * @param {string} autocomplete
   */
  _input(name, value, autocomplete) {
    const props = { id: nextId(), class: "input", name, autocomplete, maxlength: 60, required: true };
    const input = mark(h("input", props), "placeholder", /** @type {Key} */ (`join.${name}.placeholder`));
    input.value = value;
    return input;
  }

  /** @param {Capture} capture */
  _toggle(capture) {
    const flip = () => void this._devices.set(capture, !this._devices.isOn(capture));
    return iconButton(capture === "camera" ? "camera" : "mic", "call.mute", flip, { class: "round" });
  }

  /** @param {boolean} media */
  async _submit(media) {
    const empty = [this._name, this._room].find((input) => !input.value.trim());
    if (empty) {
      empty.focus();
      return;
    }
    setPref("name", this._name.value.trim());
    this._busy(true);
    try {
      await this._onJoin({ name: this._name.value.trim(), room: this._room.value.trim(), media });
    } catch (error) {
      this.fail(error);
    }
  }

  /** @param {unknown} error */
  fail(error) {
    this._busy(false);
    this._error.textContent = t("join.failed", { reason: errorText(codeOf(error)) });
    this._error.hidden = false;
  }

  /** @param {boolean} busy */
  _busy(busy) {
    this._error.hidden = true;
    this._buttons.join.disabled = this._buttons.chat.disabled = busy;
    mark(this._buttons.join, "text", busy ? "join.joining" : "join.button");
  }

  _update() {
    const { camera, microphone } = this._devices.tracks;
    const cameraOn = this._devices.isOn("camera");
    if (camera && !sameTrack(this._video.srcObject, camera)) this._video.srcObject = new MediaStream([camera]);
    if (!camera) this._video.srcObject = null;
    this._video.hidden = !cameraOn;
    this._noteBox.hidden = cameraOn;
    this._meter.use(microphone);
    mark(this._note, "text", this._noteKey());
    show(this._camera, cameraOn, ["camera", "cameraOff"], ["call.cameraOff", "call.cameraOn"]);
    show(this._microphone, this._devices.isOn("microphone"), ["mic", "micOff"], ["call.mute", "call.unmute"]);
  }

  /** @returns {Key} */
  _noteKey() {
    if (this._devices.trouble) return TROUBLE[this._devices.trouble];
    return this._asking ? "join.asking" : "join.cameraOff";
  }
}

/**
 * @param {MediaProvider | null} source
 * @param {MediaStreamTrack} track
 */
function sameTrack(source, track) {
  return source instanceof MediaStream && source.getTracks()[0] === track;
}

/**
 * @param {HTMLElement} button
 * @param {boolean} on
 * @param {[import("./icons.js").IconName, import("./icons.js").IconName]} icons
 * @param {[Key, Key]} labels
 */
function show(button, on, icons, labels) {
  button.dataset.state = on ? "" : "off";
  changeIcon(button, icons[on ? 0 : 1]);
  mark(button, "label", labels[on ? 0 : 1]);
}
