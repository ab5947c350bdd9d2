/**
 * Ask the browser to send Opus with discontinuous transmission: the sender obeys the `fmtp` of the
 * description it received (RFC 7587, section 7.1).
 * @param {string} sdp an answer
 */
export function withOpusDtx(sdp) {
  const payload = /a=rtpmap:(\d+) opus\/48000\/2/i.exec(sdp)?.[1];
  if (!payload || /usedtx=1/.test(sdp)) return sdp;
  const fmtp = new RegExp(`(a=fmtp:${payload} [^\\r\\n]*)`);
  return sdp.replace(fmtp, "$1;usedtx=1");
}

/**
 * Every codec the browser has, the wanted one first.
 * @param {"audio" | "video"} kind
 * @param {string} name `VP8`, `H264`, ...
 * @returns {RTCRtpCodec[]}
 */
export function codecsPreferring(kind, name) {
  const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const wanted = `${kind}/${name}`.toLowerCase();
  const first = codecs.filter((codec) => codec.mimeType.toLowerCase() === wanted);
  return first.length ? [...first, ...codecs.filter((codec) => !first.includes(codec))] : codecs;
}

/**
 * Layers for a camera, small to large: the SFU forwards to each viewer the one that fits. Three from
 * 540 lines on, two from 270: browsers leave out the largest one of more than that.
 * @param {number} height of the capture
 * @returns {RTCRtpEncodingParameters[]}
 */
export function simulcastLayers(height) {
  if (height < 270) return [{ maxBitrate: 300_000 }];
  if (height < 540) {
    return [
      { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 180_000 },
      { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 700_000 },
    ];
  }
  return [
    { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 140_000 },
    { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 480_000 },
    { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
  ];
}
