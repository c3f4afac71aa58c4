// A guest on the official client: what it is told to do comes as JSON lines, what happens to it goes out as JSON lines.
//
// Argument: {"url": …, "options": …} for io(), and which "library". In: {"emit": [arguments of `msg`], "ask": true for its ack}, or
// {"cut": true} to lose the connection. Out: {"event": name, …}; it ends when its standard input does.
import { createInterface } from 'node:readline';

const { url, options, library } = JSON.parse(process.argv[2]);
const { default: io } = await import(library); // 3.0 names no other export to an ES module
const tell = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);

const socket = io(url, options);
socket.io.on('open', () => {
  const engine = socket.io.engine;
  tell('open', { transport: engine.transport.name });
  engine.on('upgrade', (transport) => tell('upgrade', { transport: transport.name }));
});
socket.on('connect', () => tell('connect', { sid: socket.id }));
socket.on('connect_error', (error) => tell('connect_error', { message: error.message, data: error.data ?? null }));
socket.on('disconnect', (reason) => tell('disconnect', { reason, comes_back: socket.active ?? null }));
socket.on('msg', (...frames) => tell('msg', { frames }));

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const order = JSON.parse(line);
  if (order.cut) socket.io.engine.close();
  else if (order.ask) socket.emit('msg', ...order.emit, (answer) => tell('answer', { answer }));
  else socket.emit('msg', ...order.emit);
});
lines.on('close', () => {
  socket.disconnect();
  process.exit(0);
});
