// npm's socket.io-client against a gateway: `node feature_round.mjs URL CASE`. Exits 0 when it holds.
import assert from "node:assert/strict";
import { io } from "socket.io-client";

const [url, name] = process.argv.slice(2);
const auth = { token: "ann", device: "node" };

/** @param {object} [options] */
function connect(options = {}, path = "") {
  return io(url + path, { auth, reconnectionDelay: 20, reconnectionDelayMax: 50, forceNew: true, ...options });
}

/** @param {any} emitter @param {string} event @returns {Promise<any>} */
function once(emitter, event) {
  return new Promise((resolve) => emitter.once(event, resolve));
}

const cases = {
  async upgrade() {
    const socket = connect();
    const ready = once(socket, "session:ready");
    const first = await once(socket, "connect").then(() => socket.io.engine.transport.name);
    if (first === "polling") await once(socket.io.engine, "upgrade");
    assert.equal(socket.io.engine.transport.name, "websocket");
    assert.equal((await ready).user, "ann");
    assert.deepEqual(await socket.emitWithAck("x", { a: 1 }), { ok: true, echo: { a: 1 } });
    return socket;
  },
  async polling() {
    const socket = connect({ transports: ["polling"] });
    await once(socket, "session:ready");
    const answers = await Promise.all([1, 2, 3].map((n) => socket.emitWithAck("x", { n })));
    assert.deepEqual(answers.map((a) => a.echo.n), [1, 2, 3]);
    return socket;
  },
  async websocket() {
    const socket = connect({ transports: ["websocket"] });
    await once(socket, "session:ready");
    const text = "你好 \u{1f600} ".repeat(2000);
    assert.equal((await socket.emitWithAck("x", { text })).echo.text, text);
    return socket;
  },
  async "ack timeout"() {
    const socket = connect();
    await assert.rejects(socket.timeout(100).emitWithAck("late", {}), /timed out/);
    assert.equal((await socket.timeout(40_000).emitWithAck("x", {})).ok, true);
    return socket;
  },
  async retries() {
    const socket = connect({ retries: 60, ackTimeout: 1000 });
    const answer = await new Promise((resolve, reject) =>
      socket.emit("late once", { n: 7 }, (error, value) => (error ? reject(error) : resolve(value))),
    );
    assert.deepEqual(answer, { ok: true, echo: { n: 7 } });
    return socket;
  },
  async reconnect() {
    const socket = connect();
    const first = await once(socket, "session:ready");
    socket.auth = { ...auth, cursor: "c1" };
    socket.emit("drop", {});
    const second = await once(socket, "session:ready");
    assert.notEqual(second.connection, first.connection);
    assert.equal(second.cursor, "c1");
    return socket;
  },
  async "told to stay away"() {
    const socket = connect();
    await once(socket, "session:ready");
    socket.emit("expel", {});
    assert.equal(await once(socket, "disconnect"), "io server disconnect");
    assert.equal(socket.active, false);
    return socket;
  },
  async volatile() {
    // By WebSocket: what is volatile is dropped while a POST of polling is under way, too.
    const socket = connect({ transports: ["websocket"] });
    socket.volatile.emit("lost", {});
    await once(socket, "session:ready");
    socket.volatile.emit("kept", {});
    const seen = (await socket.emitWithAck("seen", {})).events;
    assert.deepEqual(seen, ["kept", "seen"]);
    return socket;
  },
  async connect_error() {
    const socket = connect({ auth: {} });
    const error = await once(socket, "connect_error");
    assert.equal(error.message, "no token");
    assert.deepEqual(error.data, { code: "unauthorized", message: "no token" });
    assert.equal(socket.active, false);
    socket.auth = auth;
    socket.connect();
    await once(socket, "session:ready");
    return socket;
  },
  async binary() {
    const socket = connect();
    for (const transport of ["polling", "websocket"]) {
      const one = connect({ transports: [transport] });
      one.emit("message", Buffer.from([1, 2]), { deep: [Buffer.from([3])] }, "text");
      const back = await new Promise((resolve) => one.on("message-back", (...all) => resolve(all)));
      assert.deepEqual([...back[0]], [1, 2]);
      assert.deepEqual([...back[1].deep[0]], [3]);
      const [acked] = [await one.emitWithAck("message-with-ack", Buffer.from([9]))];
      assert.deepEqual([...acked], [9]);
      one.disconnect();
    }
    return socket;
  },
  async namespaces() {
    const main = io(url, { auth });
    const custom = main.io.socket("/custom", { auth: { token: "other" } });
    assert.deepEqual(await once(custom, "auth"), { token: "other" });
    const unknown = main.io.socket("/unknown");
    assert.equal((await once(unknown, "connect_error")).message, "Invalid namespace");
    custom.disconnect();
    main.emit("message", 1);
    assert.equal(await once(main, "message-back"), 1);
    return main;
  },
};

const socket = await cases[name]();
socket.disconnect();
