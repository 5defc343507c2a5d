#!/bin/sh
# Runs a dokku command through the daemon as if dokku were here: its output as it comes, and its exit status.
#   run.sh apps:exists python-app || echo "no such app"
# Needs jq and socat.
set -eu

socket=${DOKKU_SOCK_PATH:-/var/run/dokku-daemon/dokku-daemon.sock}

# Arguments become JSON strings, whatever they hold. The end of its input ends socat only after a day.
# shellcheck disable=SC2016
jq --compact-output --null-input '{command: $ARGS.positional, stream: true}' --args -- "$@" |
    socat -t 86400 - "UNIX-CONNECT:$socket" |
    jq --unbuffered --join-output '
        if .event == "output" then .data
        elif .event == "end" then
            (if .ok then 0 else .exit_status // 1 end) as $status
            | (if .error then "\(.error): \(.output // "")\n" else "" end) | halt_error($status)
        else empty end'
