/**
 * @typedef {object} TrackStats
 * @property {string} codec `VP8`, `opus`, ...
 * @property {number} width of the largest layer; 0 for audio
 * @property {number} height
 * @property {number} fps
 * @property {number} bitrate_bps since the last reading
 * @property {number} loss fraction since the last reading, 0 to 1
 * @property {number | null} rtt_ms
 * @property {number} frames decoded or encoded, ever
 * @property {number} audio_energy ever; 0 for video
 *
 * @typedef {{bytes: number, packets: number, lost: number, at: number}} Sample
 */

/** The samples of the last reading: rates are differences. */
export class StatsHistory {
  constructor() {
    /** @type {Map<string, Sample>} */
    this._samples = new Map();
  }

  /**
   * @param {string} key
   * @param {Sample} sample
   */
  rates(key, sample) {
    const before = this._samples.get(key) ?? sample;
    this._samples.set(key, sample);
    const seconds = (sample.at - before.at) / 1000;
    const packets = Math.max(0, sample.packets - before.packets);
    const lost = Math.max(0, sample.lost - before.lost);
    return {
      bitrate_bps: seconds > 0 ? Math.max(0, ((sample.bytes - before.bytes) * 8) / seconds) : 0,
      loss: lost ? lost / (packets + lost) : 0,
    };
  }
}

/**
 * @param {import("./publisher.js").Publisher | null} publisher
 * @param {import("./subscriber.js").Subscriber | null} subscriber
 * @param {StatsHistory} history
 * @returns {Promise<Map<string, TrackStats>>}
 */
export async function readStats(publisher, subscriber, history) {
  /** @type {Map<string, TrackStats>} */
  const result = new Map();
  for (const [source, { transceiver }] of publisher?.sent ?? []) {
    const report = [...(await transceiver.sender.getStats()).values()];
    result.set(source, combine(source, report, "outbound-rtp", history));
  }
  for (const [id, { receiver }] of subscriber?.tracks ?? []) {
    const report = [...(await receiver.getStats()).values()];
    result.set(id, combine(id, report, "inbound-rtp", history));
  }
  return result;
}

/**
 * Streams of one track (simulcast layers) as one set of figures.
 * @param {string} key
 * @param {any[]} report
 * @param {"inbound-rtp" | "outbound-rtp"} type
 * @param {StatsHistory} history
 * @returns {TrackStats}
 */
function combine(key, report, type, history) {
  const streams = report.filter((one) => one.type === type);
  const remote = report.filter((one) => one.type === "remote-inbound-rtp");
  const pair = report.find((one) => one.type === "candidate-pair" && one.nominated);
  const lossy = type === "inbound-rtp" ? streams : remote;
  const largest = streams.reduce((best, one) => ((one.frameHeight ?? 0) > (best?.frameHeight ?? 0) ? one : best), streams[0]);
  const sample = {
    bytes: sum(streams, type === "inbound-rtp" ? "bytesReceived" : "bytesSent"),
    packets: sum(streams, type === "inbound-rtp" ? "packetsReceived" : "packetsSent"),
    lost: sum(lossy, "packetsLost"),
    at: streams[0]?.timestamp ?? 0,
  };
  return {
    codec: codecOf(report, largest?.codecId),
    width: largest?.frameWidth ?? 0,
    height: largest?.frameHeight ?? 0,
    fps: Math.round(largest?.framesPerSecond ?? 0),
    rtt_ms: roundTrip(remote, pair),
    frames: sum(streams, type === "inbound-rtp" ? "framesDecoded" : "framesEncoded"),
    audio_energy: sum(streams, "totalAudioEnergy"),
    ...history.rates(key, sample),
  };
}

/**
 * @param {any[]} stats
 * @param {string} field
 * @returns {number}
 */
function sum(stats, field) {
  return stats.reduce((total, one) => total + (one[field] ?? 0), 0);
}

/**
 * @param {any[]} report
 * @param {string | undefined} id
 * @returns {string}
 */
function codecOf(report, id) {
  const codec = report.find((one) => one.type === "codec" && (!id || one.id === id));
  return codec?.mimeType?.split("/")[1] ?? "";
}

/**
 * @param {any[]} remote
 * @param {any} pair
 * @returns {number | null}
 */
function roundTrip(remote, pair) {
  const seconds = remote.find((one) => one.roundTripTime)?.roundTripTime ?? pair?.currentRoundTripTime;
  return seconds === undefined ? null : Math.round(seconds * 1000);
}
