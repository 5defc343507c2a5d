#!/bin/sh
# As dump.py, with jq and socat:
#   dump.sh out db.dump postgres:export db
#   dump.sh in db.dump postgres:import db
# FILE may be a pipe, such as /dev/stdin. What `out` writes replaces FILE once all of it is there, for its owner alone.
set -eu

if [ $# -lt 3 ]; then echo "Usage: dump.sh out|in FILE COMMAND..." >&2 && exit 64; fi
socket=${DOKKU_SOCK_PATH:-/var/run/dokku-daemon/dokku-daemon.sock}
way=$1 file=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
reply=$folder/reply

# Sends its input, and leaves the reply where the lines below look for it. Without one it ends with 255, as ssh does.
converse() {
    socat -t 86400 - "UNIX-CONNECT:$socket" >"$reply" || exit 255
    if [ "$(jq 'has("ok")' "$reply" 2>/dev/null)" != true ]; then
        echo "The daemon ended without an answer: the command may have run, or not" >&2
        exit 255
    fi
}

# Ends as the command did, unless it ended well.
judge() {
    if jq -e .ok "$reply" >/dev/null; then return; fi
    # What a command wrote to its standard output is not for people.
    jq -r '"\(.error // .signal // "exit status \(.exit_status // "unknown")")\(if has("stderr") then "" else ": \(.output)" end)"' "$reply" >&2
    # It may have ended with 0, and its output been cut.
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
            # Beside what it replaces, which stays whole until then; through a link, where FILE is one.
            file=$(readlink -f -- "$file")
            written=$(mktemp -- "$file.XXXXXX")
            trap 'rm -rf "$folder" "$written"' EXIT
            jq -r .output "$reply" | base64 -d >"$written"
            mv -f -- "$written" "$file"
        fi
        ;;
    in)
        # How long it is has to be known first, and of a pipe that is known at its end.
        if [ ! -f "$file" ] || [ ! -s "$file" ]; then
            cat -- "$file" >"$folder/input"
            file=$folder/input
        fi
        length=$(stat -L -c %s -- "$file")
        {
            jq -cn '{command: $ARGS.positional, stdin_length: $length}' --argjson length "$length" --args -- "$@"
            # No byte more, should it grow meanwhile: what follows would be taken for lines.
            head -c "$length" -- "$file"
        } | converse
        if jq -e .ok "$reply" >/dev/null; then jq -r .output "$reply" >&2; fi
        judge
        ;;
    *) echo "Usage: dump.sh out|in FILE COMMAND..." >&2 && exit 64 ;;
esac
