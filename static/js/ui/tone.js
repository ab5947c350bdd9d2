/** Ringing without a sound file: short notes from an oscillator, as long as it is not stopped. */

/** @typedef {{notes: [frequency_hz: number, at_s: number, length_s: number][], period_s: number, volume: number}} Pattern */

/** @type {Record<"incoming" | "outgoing", Pattern>} */
const PATTERNS = {
  incoming: { notes: [[659, 0, 0.18], [784, 0.2, 0.18], [988, 0.4, 0.34]], period_s: 2.4, volume: 0.18 },
  outgoing: { notes: [[440, 0, 0.9]], period_s: 4, volume: 0.05 },
};

export class Tone {
  constructor() {
    /** @type {AudioContext | null} */
    this._context = null;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this._timer = undefined;
  }

  /** @param {keyof typeof PATTERNS} name */
  play(name) {
    this.stop();
    const pattern = PATTERNS[name];
    const context = new AudioContext();
    this._context = context;
    const round = () => context.state === "running" && pattern.notes.forEach((note) => this._note(context, note, pattern.volume));
    // A page nobody has touched yet stays silent: the browser wants it so.
    void context.resume().then(round);
    this._timer = setInterval(round, pattern.period_s * 1000);
  }

  stop() {
    clearInterval(this._timer);
    void this._context?.close();
    this._context = null;
  }

  /**
   * @param {AudioContext} context
   * @param {[number, number, number]} note
   * @param {number} volume
   */
  _note(context, [frequency, at, length], volume) {
    const start = context.currentTime + at;
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.linearRampToValueAtTime(volume, start + 0.02);
    gain.gain.setValueAtTime(volume, start + length - 0.06);
    gain.gain.linearRampToValueAtTime(0, start + length);
    const tone = new OscillatorNode(context, { type: "sine", frequency });
    tone.connect(gain).connect(context.destination);
    tone.start(start);
    tone.stop(start + length);
  }
}
