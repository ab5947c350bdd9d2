/**
 * SHA-256 (FIPS 180-4), fed in pieces: the browser's own digest needs the whole file in memory, and
 * is missing on pages without TLS.
 */
const K = roundConstants();
const START = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

export class Sha256 {
  constructor() {
    this._state = new Int32Array(START);
    this._words = new Int32Array(64);
    this._tail = new Uint8Array(64);
    this._tailLength = 0;
    this._length = 0;
  }

  /** @param {Uint8Array} bytes */
  update(bytes) {
    this._length += bytes.length;
    let offset = 0;
    if (this._tailLength) {
      offset = Math.min(64 - this._tailLength, bytes.length);
      this._tail.set(bytes.subarray(0, offset), this._tailLength);
      this._tailLength += offset;
      if (this._tailLength < 64) return;
      this._block(new DataView(this._tail.buffer), 0);
      this._tailLength = 0;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; offset + 64 <= bytes.length; offset += 64) this._block(view, offset);
    this._tail.set(bytes.subarray(offset));
    this._tailLength = bytes.length - offset;
  }

  /** @returns {string} the digest in hex; the object is used up */
  hex() {
    const length = this._length;
    const padding = new Uint8Array(((this._tailLength < 56 ? 56 : 120) - this._tailLength) + 8);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(length / 0x20000000));
    view.setUint32(padding.length - 4, (length << 3) >>> 0);
    this.update(padding);
    return Array.from(this._state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /**
   * @param {DataView} view
   * @param {number} offset
   */
  _block(view, offset) {
    const words = this._words;
    for (let t = 0; t < 16; t++) words[t] = view.getInt32(offset + 4 * t);
    for (let t = 16; t < 64; t++) {
      const x = words[t - 15];
      const y = words[t - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      words[t] = (words[t - 16] + s0 + words[t - 7] + s1) | 0;
    }
    this._rounds(words);
  }

  /** @param {Int32Array} words */
  _rounds(words) {
    let [a, b, c, d, e, f, g, h] = this._state;
    for (let t = 0; t < 64; t++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[t] + words[t]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    const next = [a, b, c, d, e, f, g, h];
    for (let i = 0; i < 8; i++) this._state[i] = (this._state[i] + next[i]) | 0;
  }
}

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
function roundConstants() {
  const constants = new Int32Array(64);
  for (let candidate = 2, found = 0; found < 64; candidate++) {
    let prime = true;
    for (let factor = 2; factor * factor <= candidate && prime; factor++) prime = candidate % factor !== 0;
    if (prime) constants[found++] = (Math.cbrt(candidate) % 1) * 0x100000000;
  }
  return constants;
}

const SLICE_BYTES = 1 << 20;

/**
 * Hash a file slice by slice; the page stays responsive in between.
 * @param {Blob} blob
 * @param {(done_bytes: number) => void} [onProgress]
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>} hex
 */
export async function sha256Of(blob, onProgress, signal) {
  const hash = new Sha256();
  for (let offset = 0; offset < blob.size; offset += SLICE_BYTES) {
    signal?.throwIfAborted();
    const slice = await blob.slice(offset, offset + SLICE_BYTES).arrayBuffer();
    hash.update(new Uint8Array(slice));
    onProgress?.(Math.min(blob.size, offset + SLICE_BYTES));
  }
  return hash.hex();
}
