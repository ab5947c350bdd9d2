import { mark, t } from "../i18n/index.js";
import { avatar, changeIcon, h, ht, iconButton } from "./dom.js";
import { bitrateText, percentText } from "./figures.js";
import { icon } from "./icons.js";

/** @typedef {import("../sdk/stats.js").TrackStats} TrackStats */
/** @typedef {import("./grid.js").Box} Box */

/**
 * @typedef {object} TileState what a tile shows
 * @property {string} name
 * @property {boolean} self
 * @property {boolean} screen
 * @property {boolean} muted no sound comes from it
 * @property {boolean} hand
 * @property {boolean} pinned
 * @property {number} [score] of the connection, 1 to 5; unknown while nothing was wrong with it
 * @property {MediaStreamTrack | null} video null: the avatar
 */

const BARS = 3;

/** One participant's picture, or one screen. */
export class Tile {
  /** @param {{onPin: () => void}} options */
  constructor({ onPin }) {
    this._video = h("video", { autoplay: true, playsinline: true, "aria-hidden": "true" });
    this._video.muted = true; // Sound is played apart; a muted video may always start.
    this._face = h("div", { class: "face" });
    this._mic = icon("micOff");
    this._hand = h("span", { class: "hand" }, icon("hand"));
    this._name = h("span", { class: "truncate" });
    this._bars = h("span", { class: "bars", "aria-hidden": "true", hidden: true }, h("i"), h("i"), h("i"));
    this._figures = h("dl", { class: "figures", hidden: true });
    this._pin = iconButton("pin", "tile.pin", onPin, { class: "pin small" });
    const plate = h("div", { class: "plate", "aria-hidden": "true" }, this._hand, this._mic, this._name, this._bars);
    this.element = h("div", { class: "tile", role: "group" }, this._video, this._face, plate, this._figures, this._pin);
    /** @type {TileState | null} */
    this.state = null;
    this._speaking = false;
  }

  /** @param {TileState} state */
  show(state) {
    const renamed = this.state?.name !== state.name;
    this.state = state;
    this._showVideo(state.video);
    if (renamed) this._face.replaceChildren(avatar(state.name));
    this._face.hidden = Boolean(state.video);
    this._mic.toggleAttribute("hidden", !state.muted || state.screen);
    this._hand.hidden = !state.hand;
    this._showQuality(state);
    this.element.classList.toggle("mirror", state.self && !state.screen);
    this.element.classList.toggle("screen", state.screen);
    this._label();
  }

  /** @param {boolean} speaking */
  setSpeaking(speaking) {
    if (this._speaking === speaking) return;
    this._speaking = speaking;
    this.element.classList.toggle("speaking", speaking);
    this._label();
  }

  /** @param {Box} box */
  place({ left, top, width, height }) {
    Object.assign(this.element.style, {
      left: `${Math.round(left)}px`,
      top: `${Math.round(top)}px`,
      width: `${Math.round(width)}px`,
      height: `${Math.round(height)}px`,
    });
  }

  /**
   * @param {TrackStats | undefined} video
   * @param {TrackStats | undefined} audio
   */
  showStats(video, audio) {
    this._figures.hidden = !video && !audio;
    const rtt = video?.rtt_ms ?? audio?.rtt_ms;
    const loss = Math.max(video?.loss ?? 0, audio?.loss ?? 0);
    /** @type {[import("../i18n/index.js").Key, string][]} */
    const rows = [];
    if (video) rows.push(["stats.codec", video.codec || "–"]);
    if (video?.width) rows.push(["stats.size", `${video.width} × ${video.height}`], ["stats.fps", `${video.fps} fps`]);
    if (video) rows.push(["stats.bitrate", bitrateText(video.bitrate_bps)]);
    if (audio) rows.push(["stats.audio", `${audio.codec} ${bitrateText(audio.bitrate_bps)}`]);
    rows.push(["stats.loss", percentText(loss)]);
    rows.push(["stats.rtt", rtt === null || rtt === undefined ? "–" : `${rtt} ms`]);
    this._figures.replaceChildren(...rows.flatMap(([key, value]) => [ht("dt", key), h("dd", {}, value)]));
  }

  hideStats() {
    this._figures.hidden = true;
  }

  relabel() {
    this._label();
  }

  remove() {
    this._video.srcObject = null;
    this.element.remove();
  }

  /** @param {TileState} state */
  _showQuality({ score, screen }) {
    const bars = barsOf(score);
    this._bars.hidden = screen || bars === BARS; // A good connection is nothing to look at.
    this._bars.dataset.score = String(bars);
  }

  /** @param {MediaStreamTrack | null} track */
  _showVideo(track) {
    const stream = /** @type {MediaStream | null} */ (this._video.srcObject);
    if (stream?.getTracks()[0] === (track ?? undefined)) return;
    this._video.srcObject = track && new MediaStream([track]);
    this._video.hidden = !track;
  }

  _label() {
    if (!this.state) return;
    const { name, self, screen, muted, hand, pinned, score } = this.state;
    const title = screen
      ? self ? t("room.yourScreen") : t("room.screenOf", { name })
      : self ? t("room.you", { name }) : name;
    const facts = [
      muted && !screen && t("tile.muted"),
      this._speaking && t("tile.speaking"),
      hand && t("tile.hand"),
      barsOf(score) < BARS && !screen && t("tile.quality", { score: barsOf(score) }),
    ].filter(Boolean);
    this._name.textContent = title;
    this.element.setAttribute("aria-label", [title, ...facts].join(", "));
    this._pin.setAttribute("aria-pressed", String(pinned));
    mark(this._pin, "label", pinned ? "tile.unpin" : "tile.pin", { name: title });
    changeIcon(this._pin, "pin");
  }
}

/**
 * So many bars a score is worth.
 * @param {number} [score]
 */
function barsOf(score = 5) {
  return score >= 4 ? BARS : score >= 3 ? 2 : 1;
}
