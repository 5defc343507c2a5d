// Sends a line, checks its one reply strictly, and prints the length of the output in bytes and its SHA-256.
const net = require("net");
const crypto = require("crypto");
const socket = net.connect(process.argv[2], () => socket.write(process.argv[3] + "\n"));
const pieces = [];
socket.on("data", (piece) => {
  pieces.push(piece);
  if (piece[piece.length - 1] !== 10) return;
  socket.end();
  const line = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(pieces));
  const reply = JSON.parse(line);
  if (Object.keys(reply).join() !== "ok,output" || reply.ok !== true) throw new Error(line.slice(0, 200));
  const output = Buffer.from(reply.output, "utf8");
  console.log(`${output.length} ${crypto.createHash("sha256").update(output).digest("hex")}`);
});
