// What the tests ask of a page in a call; loaded before the page's own scripts.
globalThis.probe = {
  /** Frames decoded of each remote video, by "participant source". */
  async frames() {
    const stats = await tokenim.room.stats();
    const videos = [...tokenim.room.media.subscriber.tracks].filter(([, one]) => one.kind === "video");
    return Object.fromEntries(videos.map(([id, one]) => [`${one.participant} ${one.source}`, stats.get(id)?.frames ?? 0]));
  },

  /** Whether frames of exactly `count` remote videos are decoded, beyond those of `before`. */
  async framesGrow([count, before]) {
    const now = Object.entries(await probe.frames());
    return now.length === count && now.every(([id, frames]) => frames > (before[id] ?? 0) + 3);
  },

  /** Whether exactly `count` remote voices have energy. */
  async voices(count) {
    const stats = await tokenim.room.stats();
    const voices = [...tokenim.room.media.subscriber.tracks].filter(([, one]) => one.kind === "audio");
    return voices.length === count && voices.every(([id]) => (stats.get(id)?.audio_energy ?? 0) > 0);
  },

  /** Restart ICE as after a lost path; true once both sides use new credentials. */
  async restartIce(transport) {
    const one = tokenim.room.media[transport];
    const ufrag = (description) => /a=ice-ufrag:(\S+)/.exec(description?.sdp)[1];
    const now = () => ufrag(one.pc.currentLocalDescription);
    if (!one.ufragBefore) {
      one.ufragBefore = now();
      one.link.emit("restart");
    }
    return now() !== one.ufragBefore && one.pc.iceConnectionState === "connected";
  },

  /** Once `bytes` of an upload have left, cut the connection and the transport it goes by. */
  cutUpload(bytes) {
    const [upload] = tokenim.client.files.uploads;
    if (!upload || upload.done_bytes < bytes) return false;
    probe.cutAt = upload.done_bytes;
    let waited = false;
    upload.on("changed", () => {
      waited ||= upload.state === "waiting";
      if (waited && upload.state === "moving") probe.resumedAt ??= upload.done_bytes;
    });
    tokenim.client._socket.io.engine.close();
    tokenim.room.media.publisher.pc.close();
    return true;
  },
};
