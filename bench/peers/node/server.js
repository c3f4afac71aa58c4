// The naive chatroom on Node's socket.io: what `../seed.py` does, line for line, so that the two can be compared.
//
// Usage: node server.js PORT [NAMES]. With NAMES (a file, a nickname a line) a full name list goes to everybody at each login.
import { readFileSync } from "node:fs";
import { Server } from "socket.io";

const [port, namesFile] = process.argv.slice(2);
const nicknames = namesFile ? readFileSync(namesFile, "utf8").trim().split("\n") : [];
const io = new Server(Number(port), { transports: ["websocket"], serveClient: false });
const names = new Map();

io.on("connection", (socket) => {
  const room = socket.handshake.auth.room;
  const audience = room ? io.to(room) : io;
  if (room) socket.join(room);
  if (nicknames.length > 0) {
    const username = nicknames[names.size % nicknames.length];
    names.set(socket.id, username);
    const name_list = Array.from(names, ([sid, name]) => [name, sid]);
    io.emit("msg", { action: "login", username, sid: socket.id, count: names.size, name_list });
  }
  socket.on("msg", (data, ack) => {
    audience.emit("msg", data);
    if (ack) ack({ ok: true });
  });
  socket.on("disconnect", () => names.delete(socket.id));
});
