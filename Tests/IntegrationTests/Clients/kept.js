// Keeps one connection. After the socket's path, each argument is a line to send; each waits for the reply to the line
// before.
const net = require("net");
const [path, ...lines] = process.argv.slice(2);
const socket = net.connect(path, () => socket.write(lines.shift() + "\n"));
let rest = "";
socket.setEncoding("utf8");
socket.on("data", (piece) => {
  rest += piece;
  for (let end; (end = rest.indexOf("\n")) >= 0; rest = rest.slice(end + 1)) {
    console.log(JSON.stringify(JSON.parse(rest.slice(0, end)).output));
    if (lines.length) socket.write(lines.shift() + "\n");
    else socket.end();
  }
});
