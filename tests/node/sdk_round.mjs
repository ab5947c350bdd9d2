// The browser's SDK in Node: `node sdk_round.mjs URL CASE`. Exits 0 when it holds.
import assert from "node:assert/strict";
import ws from "ws";

globalThis.WebSocket ??= ws; // Before socket.io-client looks for it.
const { Client, MemoryStore } = await import("../../static/js/sdk/index.js");

const [url, name] = process.argv.slice(2);

// Back-off is the only wait that is no whole number of milliseconds; here it is twenty times shorter.
// Deadlines are of ten seconds and more; here they are ten times longer, for a machine that is busy.
const plain = globalThis.setTimeout;
let deadlines = 10;
const paced = (ms) => (Number.isInteger(ms) ? (ms >= 10_000 ? ms * deadlines : ms) : ms / 20);
/** A wait of this length ends when a case says so, by `held()`. */
const HELD_MS = 12_345;
let held = () => {};
globalThis.setTimeout = (run, ms, ...more) => {
  if (ms !== HELD_MS) return plain(run, paced(ms), ...more);
  held = run;
  return undefined;
};

/** @param {object} [options] */
async function arrive(user = "ann", options = {}) {
  const client = new Client({ url, token: async () => user, device: "node", ...options });
  await client.connect();
  return client;
}

/** A guest of a whole server. */
async function guest(name) {
  const body = JSON.stringify({ name });
  const headers = { "Content-Type": "application/json" };
  const { token } = await (await fetch(`${url}/demo/token`, { method: "POST", headers, body })).json();
  return arrive("", { token: async () => token, store: new MemoryStore(), device: name });
}

/** Resolves once `holds` is true, looked at whenever `emitter` tells of `event`. */
function until(emitter, event, holds) {
  return new Promise((resolve) => {
    const look = () => holds() && (off(), resolve());
    const off = emitter.on(event, look);
    look();
  });
}

/** Refuse an event so often, then answer as given. */
const plan = (client, event, refusals, answer = {}) => client.request("plan", { event, refusals, answer });
const say = (client, event, data) => client.request("say", { event, data });
const seen = async (client, event) => (await client.request("seen", { event })).payloads;

const texts = (conversation) => conversation.messages.map(({ body }) => body?.text);

let numbers = 0;
/** An event of the log of conversation `c`. */
function logged(seq, type, more) {
  return { conversation: "c", seq, id: `e${seq}`, type, sender: "bob", at: 1, ...more };
}

/** A conversation `c` that is open, with these events as its history. */
async function opened(client, events = []) {
  await plan(client, "history:get", 0, { events, head: events.length });
  const conversation = client.conversation({ id: "c", members: [{ user: "ann" }] });
  await conversation.open();
  return conversation;
}

const cases = {
  async "coming again to what one may not read"() {
    const [ann, bob] = [await guest("Ann"), await guest("Bob")];
    const wanted = { type: "group", members: [bob.user], history: "joining", client_id: "g" };
    const { conversation: info } = await ann.request("conversation:create", wanted);
    const place = await bob.conversationById(info.id);
    await place.open();
    const say = (text) => ann.request("message:send", { conversation: info.id, client_id: text, type: "text", body: { text } });
    await say("before");
    await until(place, "changed", () => texts(place).includes("before"));
    await ann.request("member:remove", { conversation: info.id, user: bob.user });
    for (const text of ["hidden 1", "hidden 2", "hidden 3"]) await say(text);
    await ann.request("member:add", { conversation: info.id, user: bob.user });
    await say("after");
    await until(place, "changed", () => texts(place).includes("after"));
    await say("later");
    await until(place, "changed", () => texts(place).includes("later"));
    assert.deepEqual(texts(place), ["after", "later"]);
    const kept = await bob.store.load(info.id);
    assert.deepEqual(kept.map(({ seq }) => seq), place.log.events.map(({ seq }) => seq));
    assert.equal(await place.loadOlder(), 0);
    assert.equal(place.log.hasOlder, false);
    return [ann, bob];
  },
  async "a history that ends before its head"() {
    const client = await arrive();
    const page = [logged(1, "message:created", { body: { text: "old" } })];
    await plan(client, "history:get", 0, { events: page, head: 5000 });
    const conversation = client.conversation({ id: "c" });
    await conversation.open();
    assert.deepEqual(texts(conversation), ["old"]);
    assert.ok((await seen(client, "history:get")).length < 5);
    return [client];
  },
  async "a search goes on after pages without a hit, and ends"() {
    const client = await arrive();
    await plan(client, "message:search", 0, { events: [], next: "further" });
    assert.deepEqual(await client.search("qz", { conversation: "c" }), []);
    const asked = await seen(client, "message:search");
    assert.equal(asked.length, 10);
    assert.deepEqual(asked[1], { query: "qz", conversation: "c", before: "further", limit: 20 });
    await plan(client, "message:search", 0, { events: [logged(1, "message:created"), logged(2, "message:created")], next: "further" });
    assert.equal((await client.search("qz", { limit: 3 })).length, 4);
    return [client];
  },
  async "the ack says what was changed"() {
    const client = await arrive();
    const conversation = await opened(client);
    await plan(client, "message:send", 0, { id: "e1", seq: 1, at: 5, body: { text: "***" } });
    conversation.send({ body: { text: "bad" } });
    await until(conversation, "changed", () => conversation.messages[0]?.state === "sent");
    assert.deepEqual(texts(conversation), ["***"]);
    return [client];
  },
  async "the log's form takes the place of one's own"() {
    const store = new MemoryStore();
    const client = await arrive("ann", { store });
    const conversation = await opened(client);
    await plan(client, "message:send", 0, { id: "e1", seq: 1, at: 5 });
    conversation.send({ body: { text: "bad" } });
    await until(conversation, "changed", () => conversation.messages[0]?.state === "sent");
    const [{ client_id }] = conversation.messages;
    const own = logged(1, "message:created", { sender: "ann", client_id, body: { text: "***" } });
    await say(client, "message:created", own);
    await until(conversation, "changed", () => texts(conversation)[0] === "***");
    assert.equal(conversation.messages.length, 1);
    assert.deepEqual((await store.load("c")).map(({ body }) => body.text), ["***"]);
    return [client];
  },
  async "the log's form comes before the ack"() {
    const client = await arrive();
    const conversation = await opened(client);
    await plan(client, "history:get", 1e9); // The gap stays: seq 1 is never read.
    const own = logged(2, "message:created", { sender: "ann", client_id: "x", body: { text: "***" } });
    await say(client, "message:created", own);
    await plan(client, "message:send", 0, { id: "e2", seq: 2, at: 5 });
    const acked = new Promise((resolve) => client.outbox.onSettled(resolve));
    client.outbox.add({ conversation: "c", client_id: "x", type: "text", body: { text: "bad" } });
    await acked;
    await say(client, "message:created", logged(1, "message:created", { body: { text: "first" } }));
    await until(conversation, "changed", () => conversation.log.head === 2);
    assert.deepEqual(texts(conversation), ["first", "***"]);
    return [client];
  },
  async "a server that is away for long"() {
    const client = await arrive();
    await plan(client, "authenticate", 12);
    const back = until(client, "state", () => client.state === "reconnecting").then(() =>
      until(client, "state", () => client.online),
    );
    client.on("refused", (error) => assert.fail(error));
    await client.request("drop", {});
    await back;
    return [client];
  },
  async "a token that is refused for good"() {
    const client = await arrive();
    await plan(client, "authenticate", 1e9, { code: "unauthorized" });
    const refused = new Promise((resolve) => client.on("refused", resolve));
    await client.request("drop", {});
    assert.equal((await refused).code, "unauthorized");
    return [client];
  },
  async "a token that does not come"() {
    let asked = 0;
    const told = [];
    const token = async (signal) => {
      if ((asked += 1) > 1) return "ann";
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      told.push("too late");
      return new Promise(() => {});
    };
    const client = new Client({ url, token, device: "node" });
    const connected = client.connect(); // With the long deadline.
    deadlines = 0.01;
    await connected;
    assert.deepEqual([client.user, asked, told], ["ann", 2, ["too late"]]);
    return [client];
  },
  async "a token that cannot be had is what the connecting fails with"() {
    let asked = 0;
    const token = async () => {
      if ((asked += 1) === 10) plain(held, 0); // More often than a refused token would be asked for.
      throw new Error("the app's own server is away");
    };
    const client = new Client({ url, token, device: "node" });
    client.on("refused", (error) => assert.fail(error));
    const failure = await client.connect({ timeout_ms: HELD_MS }).catch((error) => error);
    assert.equal(failure.code, "unavailable");
    assert.match(failure.message, /no token.*is away/);
    return [client];
  },
  async "a message that is put off again and again"() {
    const client = await arrive();
    const conversation = await opened(client);
    await plan(client, "message:send", 9, { id: "e1", seq: 1, at: 5 });
    conversation.send({ body: { text: "patience" } });
    await until(conversation, "changed", () => conversation.messages[0]?.state === "sent");
    const ids = new Set((await seen(client, "message:send")).map(({ client_id }) => client_id));
    assert.equal(ids.size, 1);
    return [client];
  },
  async "a receipt that was not heard"() {
    const client = await arrive();
    const page = [logged(1, "message:created", { body: { text: "hi" } })];
    const conversation = await opened(client, page);
    await plan(client, "receipt:read", 1);
    conversation.markRead();
    while (!(await seen(client, "receipt:read")).length);
    await client.request("drop", {});
    await until(client, "session", () => (numbers += 1) > 1);
    while ((await seen(client, "receipt:read")).length < 2);
    assert.deepEqual((await seen(client, "receipt:read"))[1], { conversation: "c", seq: 1 });
    return [client];
  },
  async "many who come"() {
    const client = await arrive();
    const conversation = await opened(client);
    const joined = (n, more) => logged(n, "member:joined", { user: `user${n}`, role: "member", ...more });
    const told = Array.from({ length: 50 }, (_, n) => joined(n + 1, { name: `User ${n + 1}` }));
    for (const event of told) await say(client, "member:joined", event);
    await until(conversation, "changed", () => conversation.log.head === 50);
    assert.equal(conversation.members.get("user7")?.name, "User 7");
    assert.equal((await seen(client, "conversation:get")).length, 0);
    // Without names; read as a page, because the last of them leaves a gap.
    const page = Array.from({ length: 50 }, (_, n) => joined(n + 51));
    await plan(client, "history:get", 0, { events: page, head: 100 });
    await plan(client, "conversation:get", 0, { conversation: { id: "c", members: [{ user: "user99", name: "Ninety" }] } });
    await say(client, "member:joined", page[49]);
    await until(conversation, "members", () => conversation.members.get("user99")?.name === "Ninety");
    assert.equal((await seen(client, "conversation:get")).length, 1);
    return [client];
  },
  async "a room's scores"() {
    const client = await arrive();
    const room = client.room("r");
    await say(client, "room:quality", { room: "r", participant: "p1", score: 2 });
    await until(room, "quality", () => room.quality.get("p1") === 2);
    return [client];
  },
  async "a wish that was refused"() {
    const client = await arrive();
    const room = client.room("r");
    const wish = { enabled: true, width: 320, height: 180 };
    await plan(client, "subscription:update", 1);
    room.wish("t", wish);
    room.wish("t", { ...wish });
    assert.equal((await seen(client, "subscription:update")).length, 1);
    room.wish("t", wish);
    assert.equal((await seen(client, "subscription:update")).length, 2);
    room.wish("t", wish);
    assert.equal((await seen(client, "subscription:update")).length, 2);
    return [client];
  },
  async "a file by HTTP"() {
    const client = await arrive();
    const file = { file: "f", name: "a", size: 3, type: "x/y", sha256: "" };
    await plan(client, "file:fetch", 1, { code: "not_found" });
    const download = client.files.download(file, { preferHttp: true });
    await until(download, "changed", () => download.state === "failed");
    assert.deepEqual(await seen(client, "file:fetch"), [{ file: "f", offset: 0, channel: false }]);
    return [client];
  },
};

if (!cases[name]) throw new Error(`no case ${name}`);
for (const client of await cases[name]()) client.close();
process.exit(0);
