#!/bin/sh
# Does what dump.py does, with jq and socat:
#   dump.sh out db.dump postgres:export db
#   dump.sh in db.dump postgres:import db
# FILE may be a pipe, such as /dev/stdin. `out` replaces an existing FILE only when the output is complete; only its owner
# can read the new file.
set -eu

if [ $# -lt 3 ]; then echo "Usage: dump.sh out|in FILE COMMAND..." >&2 && exit 64; fi
socket=${DOKKU_SOCK_PATH:-/var/run/dokku-daemon/dokku-daemon.sock}
way=$1 file=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
reply=$folder/reply

# Sends its input to the daemon and writes the reply to $reply. If there is no reply, it exits with 255, as ssh does.
converse() {
    socat -t 86400 - "UNIX-CONNECT:$socket" >"$reply" || exit 255
    if [ "$(jq 'has("ok")' "$reply" 2>/dev/null)" != true ]; then
        echo "The daemon ended without an answer: the command may or may not have run" >&2
        exit 255
    fi
}

# Exits with the command's status, unless the command succeeded.
judge() {
    if jq -e .ok "$reply" >/dev/null; then return; fi
    # With `out`, standard output is data and is not shown.
    jq -r '"\(.error // .signal // "exit status \(.exit_status // "unknown")")\(if has("stderr") then "" else ": \(.output)" end)"' "$reply" >&2
    # The command may have exited with 0 although its output was cut.
    exit "$(jq '[.exit_status // 1, 1] | max' "$reply")"
}

# shellcheck disable=SC2016
case $way in
    out)
        jq -cn '{command: $ARGS.positional, encoding: "base64"}' --args -- "$@" | converse
        jq -j '.stderr // "" | @base64d' "$reply" >&2
        judge
        if [ -e "$file" ] && [ ! -f "$file" ]; then
            jq -r .output "$reply" | base64 -d >"$file"
        else
            # Written beside the file that it replaces, which stays complete until then. If FILE is a link, its target is
            # replaced.
            file=$(readlink -f -- "$file")
            written=$(mktemp -- "$file.XXXXXX")
            trap 'rm -rf "$folder" "$written"' EXIT
            jq -r .output "$reply" | base64 -d >"$written"
            mv -f -- "$written" "$file"
        fi
        ;;
    in)
        # The request needs the length of the input. The length of a pipe's content is known only at its end.
        if [ ! -f "$file" ] || [ ! -s "$file" ]; then
            cat -- "$file" >"$folder/input"
            file=$folder/input
        fi
        length=$(stat -L -c %s -- "$file")
        {
            jq -cn '{command: $ARGS.positional, stdin_length: $length}' --argjson length "$length" --args -- "$@"
            # Only this number of bytes, even if the file grows: the daemon would read any others as lines.
            head -c "$length" -- "$file"
        } | converse
        if jq -e .ok "$reply" >/dev/null; then jq -r .output "$reply" >&2; fi
        judge
        ;;
    *) echo "Usage: dump.sh out|in FILE COMMAND..." >&2 && exit 64 ;;
esac
