#!/usr/bin/env node
// Shows which commands run and wait, and how the last ones ended, live:
//   board.js
// A read-only socket is enough. If the connection ends, it connects again: what happened between is not on the board.
const net = require('net')

const jobs = new Map()
const ended = []
const notes = []

function note(text) {
  if (notes.at(-1)?.endsWith(` ${text}`)) return
  if (notes.push(`${new Date().toTimeString().slice(0, 8)} ${text}`) > 4) notes.shift()
}

// What a row says of a job.
function state(event) {
  const since = time => `${Math.max(0, Math.round(Date.now() / 1000 - time))} s`
  if (event.state === 'queued') return `waits for ${since(event.queued_at)}`
  if (event.state === 'started') return `runs for ${since(event.started_at)}`
  if (event.ok) return `ok after ${(event.run_ms / 1000).toFixed(1)} s`
  return event.error || event.signal || `exit status ${event.exit_status}`
}

function draw() {
  // A terminal is cleared first. Into a file or a pipe, one board follows another.
  const top = process.stdout.isTTY ? '\x1b[H\x1b[2J' : ''
  const running = [...jobs.values()].filter(job => job.state === 'started')
  const waiting = [...jobs.values()].filter(job => job.state === 'queued')
  const rows = [...running, ...waiting, ...ended].map(event =>
    `${String(event.job).padStart(6)}  ${state(event).padEnd(20)}  ${event.command}`.slice(0, process.stdout.columns))
  console.log([`${top}${running.length} running, ${waiting.length} waiting`, ...rows, '', ...notes, ''].join('\n'))
}

// Puts an event on the board. An event of a job says all that is known of it. Unknown events are passed over.
function take(event, connection) {
  if (event.event === 'job') {
    jobs.delete(event.job)
    if (event.state !== 'ended') jobs.set(event.job, event)
    else if (ended.unshift(event) > 10) ended.pop()
  } else if (event.event === 'live') {
    note('Live')
  } else if (event.event === 'lost') {
    // A new connection begins with all that runs and waits.
    connection.destroy(new Error(`${event.count} events were lost`))
  } else if (event.event === 'stopping') {
    note('The daemon is stopping')
  } else if ('ok' in event) {
    if (!['shutting_down', 'queue_full', 'too_many_connections'].includes(event.error)) {
      console.error(`${event.error}: ${event.output}`)
      process.exit(1)
    }
    connection.destroy(new Error(event.output))
  }
}

function follow() {
  const connection = net.connect(process.env.DOKKU_SOCK_PATH || '/var/run/dokku-daemon/dokku-daemon.sock', () => {
    jobs.clear()
    note('Asked the daemon')
  })
  connection.setEncoding('utf8')
  connection.write('{"command":["daemon:events"],"stream":true}\n')
  let rest = ''
  connection.on('data', part => {
    const lines = (rest + part).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      if (connection.destroyed) return
      take(JSON.parse(line), connection)
    }
    draw()
  })
  connection.on('end', () => connection.destroy(new Error('The daemon ended the connection')))
  connection.on('error', error => note(error.message))
  connection.on('close', () => setTimeout(follow, 1000))
}

follow()
// The seconds on the board go on without events, too.
setInterval(draw, 1000)
