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
 * Three layers for a camera, small to large: the SFU forwards to each viewer the one that fits.
 * @param {number} height of the capture
 * @returns {RTCRtpEncodingParameters[]}
 */
export function simulcastLayers(height) {
  const full_bps = height > 540 ? 1_700_000 : height > 270 ? 700_000 : 300_000;
  return [
    { rid: "q", scaleResolutionDownBy: 4, maxBitrate: Math.max(90_000, full_bps / 12) },
    { rid: "h", scaleResolutionDownBy: 2, maxBitrate: full_bps / 3.5 },
    { rid: "f", scaleResolutionDownBy: 1, maxBitrate: full_bps },
  ];
}
