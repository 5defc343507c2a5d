#!/bin/sh
# Runs a dokku command through the daemon. It shows the output as it comes, and exits with the command's status:
#   run.sh apps:exists python-app || echo "no such app"
# It needs jq and socat. Like ssh, it exits with 255 if the daemon cannot be reached or ends before the command.
set -eu

socket=${DOKKU_SOCK_PATH:-/var/run/dokku-daemon/dokku-daemon.sock}

# jq turns any argument into a JSON string. `-t 86400`: after the end of its input, socat waits a day for the reply. The
# `lost` at the end is reached only if there was no last line. If a command exits with 0 but its output was cut, run.sh
# exits with 1.
# shellcheck disable=SC2016
jq --compact-output --null-input '{command: $ARGS.positional, stream: true}' --args -- "$@" |
    socat -t 86400 - "UNIX-CONNECT:$socket" |
    jq --raw-input --null-input --unbuffered --join-output '
        def lost: "The daemon ended without an answer: the command may or may not have run\n" | halt_error(255);
        (inputs | (try fromjson catch lost)
            | if .event == "output" then .data
              elif has("ok") then
                (if .ok then 0 else [.exit_status // 1, 1] | max end) as $status
                | (if .ok then "" else "\(.error // "")\(if .output then ": \(.output)\n" else "\n" end)" end)
                | if . == "\n" then "" else . end
                | halt_error($status)
              else empty end),
        lost'
