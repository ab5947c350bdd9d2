/**
 * The TokenIM client for browsers: messages, presence, files and calls over one connection.
 *
 *     const client = new Client({ token: async () => (await (await fetch("/token")).json()).token });
 *     await client.connect();
 *     const conversation = await client.joinConversation({ alias: "lobby", create: true });
 *     await conversation.open();
 *     conversation.on("changed", () => render(conversation.messages));
 *     conversation.send({ body: { text: "hello" } });
 *
 *     const room = client.room(conversation.id, { name: "Ann" });
 *     room.on("track", ({ media }) => play(media));
 *     await room.join();
 *     await room.media.publish("camera", cameraTrack);
 *
 *     const { id } = await client.direct("bob");
 *     await client.calls.invite(id, "video");
 *     client.calls.on("changed", (call) => call.state === "active" && client.directRoom({ call }).join());
 */
export { Calls } from "./calls.js";
export { Client } from "./client.js";
export { Conversation } from "./conversation.js";
export { DirectRoom } from "./direct_room.js";
export { Download } from "./download.js";
export { Emitter } from "./emitter.js";
export { codeOf, TokenIMError } from "./errors.js";
export { Media } from "./media.js";
export { Push } from "./push.js";
export { Room } from "./room.js";
export { IndexedStore, MemoryStore } from "./store.js";
export { Upload } from "./upload.js";
export { inTime, patiently, uniqueId } from "./wait.js";
