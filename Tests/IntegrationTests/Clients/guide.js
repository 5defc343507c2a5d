// Follows the JavaScript of "Writing a client" in docs/protocol.md, which the test puts above these lines. The arguments are
// the socket, and a FIFO that holds the first command until this program writes to it.
const assert = require("assert");
const fs = require("fs");
const [path, fifo] = process.argv.slice(2);
const connection = require("net").connect(path);
const answers = [];
require("readline").createInterface({ input: connection }).on("line", receive);
send(connection, ["test:block", fifo], (answer) => answers.push(["first", answer]));
send(connection, ["nonsense"], (answer) => {
  answers.push(["second", answer]);
  fs.writeFileSync(fifo, "\n");
});
send(connection, ["test:exit", "3"], (answer) => {
  answers.push(["third", answer]);
  assert.deepEqual(answers.map(([name]) => name), ["second", "first", "third"]);
  assert.deepEqual(answers.map(([, answer]) => describe(answer)), ["invalid_command", "done", "exit status 3"]);
  assert.equal(open.size, 0);
  assert.equal(describe({ event: "brand_new" }), "");
  assert.equal(describe({ event: "queued", position: 2 }), "number 2 in the queue");
  connection.end();
});
