// npm's socket.io with the same behaviour as socketio_server.py. Prints the port it listens on.
import { createRequire } from "node:module";
import { createServer } from "node:http";

const require = createRequire(process.argv[2] + "/");
const { Server } = require("socket.io");

const http = createServer();
const io = new Server(http, { serveClient: false, cors: { origin: "*" }, pingInterval: 600_000 });
io.on("connection", (socket) => {
  const { token, room } = socket.handshake.auth;
  socket.join(room);
  socket.emit("session:ready", { user: token });
  socket.on("echo", (payload, ack) => ack({ ok: true, echo: payload }));
  socket.on("fan", (payload) => io.to(room).emit("m", payload));
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
