/**
 * How loud a track is, 0 to 1, each animation frame.
 */
export class Meter {
  /** @param {(level: number) => void} onLevel */
  constructor(onLevel) {
    this._onLevel = onLevel;
    /** @type {AudioContext | null} */
    this._context = null;
    /** @type {MediaStreamAudioSourceNode | null} */
    this._source = null;
    /** @type {MediaStreamTrack | null} */
    this._track = null;
    this._frame = 0;
  }

  /** @param {MediaStreamTrack | null} track */
  use(track) {
    if (track === this._track) return;
    this._track = track;
    this._source?.disconnect();
    cancelAnimationFrame(this._frame);
    this._onLevel(0);
    if (track) this._start(track);
  }

  close() {
    this.use(null);
    void this._context?.close();
    this._context = null;
  }

  /** @param {MediaStreamTrack} track */
  _start(track) {
    this._context ??= new AudioContext();
    void this._context.resume();
    const analyser = this._context.createAnalyser();
    analyser.fftSize = 512;
    this._source = this._context.createMediaStreamSource(new MediaStream([track]));
    this._source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const measure = () => {
      analyser.getFloatTimeDomainData(samples);
      this._onLevel(track.enabled ? loudness(samples) : 0);
      this._frame = requestAnimationFrame(measure);
    };
    measure();
  }
}

/**
 * RMS in decibels, -55 dB as 0 and -10 dB as 1.
 * @param {Float32Array} samples
 */
function loudness(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const decibels = 10 * Math.log10(power + 1e-12);
  return Math.min(1, Math.max(0, (decibels + 55) / 45));
}
