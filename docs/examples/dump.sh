#!/bin/sh
# As dump.py, with jq and socat:
#   dump.sh out db.dump postgres:export db
#   dump.sh in db.dump postgres:import db
set -eu

socket=${DOKKU_SOCK_PATH:-/var/run/dokku-daemon/dokku-daemon.sock}
way=$1 file=$2
shift 2
reply=$(mktemp)
trap 'rm -f "$reply"' EXIT

# Sends its input, and leaves the reply where the lines below look for it.
converse() {
    socat -t 86400 - "UNIX-CONNECT:$socket" >"$reply"
    if jq -e .error "$reply" >/dev/null; then jq -r .output "$reply" >&2 && exit 1; fi
}

# shellcheck disable=SC2016
case $way in
    out)
        jq -cn '{command: $ARGS.positional, encoding: "base64"}' --args -- "$@" | converse
        jq -r .output "$reply" | base64 -d >"$file"
        jq -j '.stderr | @base64d' "$reply" >&2
        ;;
    in)
        length=$(stat -c %s "$file")
        {
            jq -cn '{command: $ARGS.positional, stdin_length: $length}' --argjson length "$length" --args -- "$@"
            cat "$file"
        } | converse
        jq -r .output "$reply" >&2
        ;;
esac
jq -e .ok "$reply" >/dev/null
