#!/bin/sh
# As dump.py, with jq and socat:
#   dump.sh out db.dump postgres:export db
#   dump.sh in db.dump postgres:import db
set -eu

socket=${DOKKU_SOCK_PATH:-/var/run/dokku-daemon/dokku-daemon.sock}
way=$1 file=$2
shift 2

converse() { socat -t 86400 - "UNIX-CONNECT:$socket"; }

# shellcheck disable=SC2016
case $way in
    out)
        jq -cn '{command: $ARGS.positional, encoding: "base64"}' --args -- "$@" | converse >"$file.reply"
        jq -r .output "$file.reply" | base64 -d >"$file"
        jq -r '.stderr // "" | @base64d' "$file.reply" >&2
        jq -e .ok "$file.reply" >/dev/null
        rm "$file.reply"
        ;;
    in)
        length=$(stat -c %s "$file")
        {
            jq -cn '{command: $ARGS.positional, stdin_length: $length}' --argjson length "$length" --args -- "$@"
            cat "$file"
        } | converse >"$file.reply"
        jq -r .output "$file.reply" >&2
        jq -e .ok "$file.reply" >/dev/null
        rm "$file.reply"
        ;;
esac
