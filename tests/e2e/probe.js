// What the tests ask of a page in a call; loaded before the page's own scripts.
globalThis.probe = {
  /** Texts that have been in a place, by its selector: what is shown for a moment is kept here. */
  shown: { ".toast": new Set(), ".typing": new Set() },

  /** Whether `text` has been shown in `where`. */
  wasShown([where, text]) {
    return [...probe.shown[where]].some((one) => one.includes(text));
  },

  /** Whether packets can go both ways. */
  linked() {
    const { publisher, subscriber } = tokenim.room.media;
    return Boolean(publisher?.link.up && subscriber?.link.up);
  },

  /** Frames decoded of each remote video, by track: who comes again starts anew. */
  async frames() {
    const stats = await tokenim.room.stats();
    const videos = [...(tokenim.room.media.subscriber?.tracks ?? [])].filter(([, one]) => one.kind === "video");
    return Object.fromEntries(videos.map(([id]) => [id, stats.get(id)?.frames ?? 0]));
  },

  /** Whether frames of exactly `count` remote videos are decoded, beyond those of `before`. */
  async framesGrow([count, before]) {
    const now = Object.entries(await probe.frames());
    return now.length === count && now.every(([id, frames]) => frames > (before[id] ?? 0) + 3);
  },

  /** Whether exactly `count` remote voices have energy. */
  async voices(count) {
    const stats = await tokenim.room.stats();
    const voices = [...(tokenim.room.media.subscriber?.tracks ?? [])].filter(([, one]) => one.kind === "audio");
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
    return now() !== one.ufragBefore && ["connected", "completed"].includes(one.pc.iceConnectionState);
  },

  /** Wait for channels of files for as long as it takes, before going by HTTP. */
  awaitChannels() {
    const { files } = tokenim.client;
    const next = files._next.bind(files);
    files._next = (file) => next(file, 300_000);
  },

  /** Scores of connections are what a test says, and not what the server finds meanwhile. */
  scoreOnly(score) {
    const { room, client } = tokenim;
    probe.scored ??= room._scored.bind(room);
    room._scored = (data) => data.told && probe.scored(data);
    const data = { room: room.id, participant: room.participant, score, told: true };
    client.emit("wire", { event: "room:quality", data });
  },

  /** As soon as `bytes` of the next upload have left, cut the connection and its transport. */
  cutNextUpload(bytes) {
    const { uploads } = tokenim.client.files;
    uploads.add = (upload) => {
      upload.on("changed", () => probe._watch(upload, bytes));
      return Set.prototype.add.call(uploads, upload);
    };
  },

  _watch(upload, bytes) {
    if (probe.cutAt === undefined && upload.done_bytes >= bytes) {
      probe.cutAt = upload.done_bytes;
      tokenim.client._socket.io.engine.close();
      tokenim.room.media.publisher.pc.close();
    }
    probe.waited ||= probe.cutAt !== undefined && upload.state === "waiting";
    if (probe.waited && upload.state === "moving") probe.resumedAt ??= upload.done_bytes;
  },
};

new MutationObserver(() => {
  for (const [where, texts] of Object.entries(probe.shown)) {
    for (const one of document.querySelectorAll(where)) texts.add(one.textContent);
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
