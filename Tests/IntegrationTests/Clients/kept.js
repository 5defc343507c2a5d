// A Node program that keeps one connection and sends each of its arguments after the socket's path as a line,
// the next one when the reply to the last has come.
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
