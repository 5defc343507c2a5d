#!/bin/sh
# Runs a dokku command through the daemon as if dokku were here: its output as it comes, and its exit status.
#   run.sh apps:exists python-app || echo "no such app"
# Needs jq and socat. Ends with 255, as ssh does, where the daemon cannot be reached or ends before the command.
set -eu

socket=${DOKKU_SOCK_PATH:-/var/run/dokku-daemon/dokku-daemon.sock}

# Arguments become JSON strings, whatever they hold. The end of its input ends socat only after a day. The last value
# that jq makes is reached only where no line was the last one. A command may end with 0 and its output be cut.
# shellcheck disable=SC2016
jq --compact-output --null-input '{command: $ARGS.positional, stream: true}' --args -- "$@" |
    socat -t 86400 - "UNIX-CONNECT:$socket" |
    jq --raw-input --null-input --unbuffered --join-output '
        def lost: "The daemon ended without an answer: the command may have run, or not\n" | halt_error(255);
        (inputs | (try fromjson catch lost)
            | if .event == "output" then .data
              elif has("ok") then
                (if .ok then 0 else [.exit_status // 1, 1] | max end) as $status
                | (if .ok then "" else "\(.error // "")\(if .output then ": \(.output)\n" else "\n" end)" end)
                | if . == "\n" then "" else . end
                | halt_error($status)
              else empty end),
        lost'
