#!/usr/bin/env node
// Shows the output of a deploy, or of any other command, as it happens, and exits with the command's status:
//   deploy-log.js ps:rebuild python-app
// Like ssh, it exits with 255 if the daemon cannot be reached or ends before the command.
const net = require('net')
const readline = require('readline')

const connection = net.connect(process.env.DOKKU_SOCK_PATH || '/var/run/dokku-daemon/dokku-daemon.sock')
// Without this handler, an error would end the program with 1. The line reader passes errors on to its handler below.
connection.on('error', () => {})
connection.write(JSON.stringify({ command: process.argv.slice(2), stream: true }) + '\n')
let isAnswered = false

function parse(line) {
  try {
    return JSON.parse(line)
  } catch {
    // The daemon died in the middle of a line.
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
  console.error('The daemon ended without an answer: the command may or may not have run')
  process.exitCode = 255
})
