#!/usr/bin/env node
// Shows a deploy, or any other command, as it happens, and exits with its status:
//   deploy-log.js ps:rebuild python-app
const net = require('net')
const readline = require('readline')

const connection = net.connect(process.env.DOKKU_SOCK_PATH || '/var/run/dokku-daemon/dokku-daemon.sock')
connection.write(JSON.stringify({ command: process.argv.slice(2), stream: true }) + '\n')
let isAnswered = false

readline.createInterface({ input: connection }).on('line', line => {
  const event = JSON.parse(line)
  switch (event.event) {
    case 'queued':
      console.error(`Waiting, number ${event.position} in the queue`)
      break
    case 'output':
      process[event.stream].write(event.data)
      break
    case 'end':
      if (event.error) console.error(event.error, event.output ?? '')
      isAnswered = true
      process.exitCode = event.ok ? 0 : event.exit_status || 1
      connection.end()
  }
}).on('close', () => {
  if (isAnswered) return
  console.error('The daemon ended without an answer: the command may have run, or not')
  process.exitCode = 255
})
