// The naive chatroom on Node's socket.io: what `../seed.py` does, line for line, so that the two can be compared.
//
// Usage: node server.js PORT [--names FILE] [--database FILE]. With --names (a file, one nickname per line) a full name list goes to
// everyone at each login. With --database every message is in SQLite, and on the disk, before it is sent on and acked.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Server } from "socket.io";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { names: { type: "string" }, database: { type: "string" } },
});
const nicknames = options.names ? readFileSync(options.names, "utf8").trim().split("\n") : [];
const store = options.database ? await openStore(options.database) : null;
const io = new Server(Number(positionals[0]), { serveClient: false });
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
    if (store) store.run(room ?? "", Date.now(), data.msg);
    audience.emit("msg", data);
    if (ack) ack({ ok: true });
  });
  socket.on("disconnect", () => names.delete(socket.id));
});

// SQLite with the promise that this server gives: the write-ahead log is on the disk when the INSERT returns. One statement, prepared once;
// one table, and no index on it.
async function openStore(path) {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
  database.exec("CREATE TABLE message (id INTEGER PRIMARY KEY, room TEXT NOT NULL, at_ms INTEGER NOT NULL, text TEXT NOT NULL)");
  return database.prepare("INSERT INTO message (room, at_ms, text) VALUES (?, ?, ?)");
}
