#!/usr/bin/env node
// Shows a deploy, or any other command, as it happens, and exits with its status:
//   deploy-log.js ps:rebuild python-app
// It exits with 255, as ssh does, where the daemon cannot be reached or ends before the command.
const net = require('net')
const readline = require('readline')

const connection = net.connect(process.env.DOKKU_SOCK_PATH || '/var/run/dokku-daemon/dokku-daemon.sock')
// Without one of its own an error ends the program with 1; what reads the lines passes it on to the one below.
connection.on('error', () => {})
connection.write(JSON.stringify({ command: process.argv.slice(2), stream: true }) + '\n')
let isAnswered = false

function parse(line) {
  try {
    return JSON.parse(line)
  } catch {
    // What a daemon that died has left.
    return {}
  }
}

readline.createInterface({ input: connection }).on('line', line => {
  const event = parse(line)
  if (event.event === 'queued') {
    console.error(`Waiting, number ${event.position} in the queue`)
  } else if (event.event === 'output') {
    process[event.stream].write(event.data)
  } else if ('ok' in event) {
    const said = [event.error, event.output].filter(Boolean).join(': ')
    if (said) console.error(said)
    isAnswered = true
    process.exitCode = event.ok ? 0 : event.exit_status || 1
    connection.end()
  }
}).on('error', error => console.error(error.message))
connection.on('close', () => {
  if (isAnswered) return
  console.error('The daemon ended without an answer: the command may have run, or not')
  process.exitCode = 255
})
