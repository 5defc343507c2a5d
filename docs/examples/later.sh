#!/bin/sh
# Starts a deploy, or any other command, that outlives this program, and tells on another day how it ended:
#   later.sh submit ps:rebuild python-app      prints the number of the job, such as 12
#   later.sh wait 12                           shows its output when it has ended, and exits with the command's status
# `wait` goes on if the daemon restarts meanwhile; `timeout 3600 later.sh wait 12` waits for an hour at most. Both exit with
# 255 if they cannot know what became of the command. It needs jq and socat.
set -eu

if [ $# -lt 2 ]; then echo "Usage: later.sh submit COMMAND... | later.sh wait JOB" >&2 && exit 64; fi
socket=${DOKKU_SOCK_PATH:-/var/run/dokku-daemon/dokku-daemon.sock}
way=$1
shift

# Sends its input, and prints the reply. `-t 86400`: after the end of its input, socat waits a day for the reply.
converse() { socat -t 86400 - "UNIX-CONNECT:$socket"; }

# Prints what $reply means: the status to exit with, or `again`: nothing has happened, and the next daemon, or the next
# minute, has another answer. It prints nothing if the daemon ended before the end of its reply.
judge() {
    # With a status, `shutting_down` is how the job itself has ended: it ran when its daemon stopped, and its grace was
    # over. After the errors with 255, nobody knows any more how the command ended. If a command exits with 0 but its
    # output was cut, the status is 1.
    printf '%s' "$reply" | jq -r '
        if (.error | IN("shutting_down", "too_many_connections", "buffer_full")) and (has("exit_status") | not) then "again"
        elif .error | IN("interrupted", "unknown_job", "storage_failed") then 255
        elif .ok then 0
        else [.exit_status // 1, 1] | max end' 2>/dev/null || true
}

submit() {
    # shellcheck disable=SC2016
    reply=$(jq -cn '{command: $ARGS.positional, detach: true}' --args -- "$@" | converse) || exit 255
    case $(judge) in
        0) printf '%s' "$reply" | jq .job ;;
        again) sleep 1 && submit "$@" ;;
        '')
            # Not sent again: it might run twice.
            echo "The daemon ended without an answer: the job may or may not be there. daemon:jobs lists all jobs" >&2
            exit 255
            ;;
        *) printf '%s' "$reply" | jq -r '"\(.error): \(.output)"' >&2 && exit 1 ;;
    esac
}

wait_for() {
    # shellcheck disable=SC2016
    reply=$(jq -cn '{command: ["daemon:wait", $ARGS.positional[]]}' --args -- "$@" | converse) || true
    status=$(judge)
    case $status in
        '' | again) echo "Asking again in a second" >&2 && sleep 1 && wait_for "$@" ;;
        *)
            # Without a job, the output is a text about the error.
            printf '%s' "$reply" | jq -r 'select(has("job")) | .output | select(. != "")'
            printf '%s' "$reply" | jq -r 'select(has("error")) | if has("job") then .error else "\(.error): \(.output)" end' >&2
            if [ "$status" = 255 ]; then echo "What has become of the command is not known: ask dokku" >&2; fi
            exit "$status"
            ;;
    esac
}

case $way in
    submit) submit "$@" ;;
    wait) wait_for "$@" ;;
    *) echo "Usage: later.sh submit COMMAND... | later.sh wait JOB" >&2 && exit 64 ;;
esac
