/**
 * @typedef {object} PageLink what the address after `#` asks for
 * @property {string} room
 * @property {string} name with a room: join at once
 * @property {boolean} low small video (slow machines, tests)
 * @property {boolean} camera
 * @property {boolean} microphone
 * @property {string} codec
 * @property {string} language
 * @property {boolean} relay calls between two go over a TURN server or the Room only
 * @property {number | undefined} patience_ms how long they may look for the direct way, if not as usual
 */

/** @returns {PageLink} */
export function readLink() {
  const params = new URLSearchParams(location.hash.slice(1));
  const text = (/** @type {string} */ name) => params.get(name)?.trim() ?? "";
  return {
    room: text("room").slice(0, 80),
    name: text("name").slice(0, 60),
    low: params.get("quality") === "low",
    camera: params.get("camera") !== "0",
    microphone: params.get("microphone") !== "0",
    codec: text("codec").toUpperCase(),
    language: text("lang"),
    relay: params.get("relay") === "1",
    patience_ms: Number(text("patience_ms")) || undefined,
  };
}

/**
 * The address to give to others.
 * @param {string} room
 */
export function linkTo(room) {
  return `${location.origin}${location.pathname}#${new URLSearchParams({ room })}`;
}

/**
 * Show the room in the address, so that a reload comes back to it.
 * @param {string} room
 */
export function showRoom(room) {
  if (readLink().room !== room) history.replaceState(null, "", linkTo(room));
}
