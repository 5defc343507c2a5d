#!/usr/bin/env node
// Starts a deploy, or any other command, that outlives this program, and tells on another day how it ended:
//   later.js submit ps:rebuild python-app      prints the number of the job, such as 12
//   later.js wait 12                           shows its output, as it comes, and exits with the command's status
// `wait` goes on if the daemon restarts meanwhile; `timeout 3600 later.js wait 12` waits for an hour at most. Both exit with
// 255 if they cannot know what became of the command.
const net = require('net')
const { setTimeout: pause } = require('timers/promises')

// With these, nothing has happened, and the next daemon, or the next minute, has another answer.
const again = ['shutting_down', 'too_many_connections', 'buffer_full']
// With these, nobody knows any more how the command ended.
const unknown = ['interrupted', 'unknown_job', 'storage_failed']

// Sends a request, and yields each line of the answer. If the daemon ends, there is no last line.
async function* converse(request) {
  const connection = net.connect(process.env.DOKKU_SOCK_PATH || '/var/run/dokku-daemon/dokku-daemon.sock')
  connection.setEncoding('utf8')
  connection.write(JSON.stringify(request) + '\n')
  let rest = ''
  for await (const part of connection) {
    const lines = (rest + part).split('\n')
    // Without its newline a line is not complete. It stays so if the daemon died in the middle of it.
    rest = lines.pop()
    for (const line of lines) yield JSON.parse(line)
  }
}

// With a status, the job itself has ended so: it ran when its daemon stopped, and its grace was over.
const comesAgain = answer => again.includes(answer.error) && !('exit_status' in answer)

async function submit(command) {
  for await (const answer of converse({ command, detach: true })) {
    if (answer.ok) {
      console.log(answer.job)
      return 0
    }
    console.error(`${answer.error}: ${answer.output}`)
    if (!comesAgain(answer)) return 1
    await pause(1000)
    return submit(command)
  }
  // Not sent again: it might run twice.
  console.error('The daemon ended without an answer: the job may or may not be there. daemon:jobs lists all jobs')
  return 255
}

async function wait(number) {
  const shown = { stdout: 0, stderr: 0 }
  let told
  for (;;) {
    // Each answer has the whole output, from its beginning.
    const skipped = { ...shown }
    let reason = 'the connection ended'
    try {
      for await (const line of converse({ command: ['daemon:wait', number], stream: true })) {
        if (line.event === 'output') {
          const fresh = line.data.slice(skipped[line.stream])
          skipped[line.stream] -= line.data.length - fresh.length
          shown[line.stream] += fresh.length
          process[line.stream].write(fresh)
        } else if ('ok' in line) {
          if (!comesAgain(line)) return judge(line)
          reason = line.output
        }
      }
    } catch (error) {
      reason = error.message
    }
    if (reason !== told) console.error(`Asking again each second: ${reason}`)
    told = reason
    await pause(1000)
  }
}

function judge(answer) {
  if (answer.error) console.error([answer.error, answer.output].filter(Boolean).join(': '))
  if (answer.error === 'interrupted') {
    console.error('The daemon ended while the command ran. It is not run again: ask dokku what has become of it')
  }
  if (unknown.includes(answer.error)) return 255
  return answer.ok ? 0 : answer.exit_status || 1
}

async function main(way, ...words) {
  if (way === 'submit' && words.length > 0) return submit(words)
  if (way === 'wait' && words.length === 1) return wait(words[0])
  console.error('Usage: later.js submit COMMAND... | later.js wait JOB')
  return 1
}

main(...process.argv.slice(2)).then(
  status => { process.exitCode = status },
  error => {
    console.error(error.message)
    process.exitCode = 255
  })
