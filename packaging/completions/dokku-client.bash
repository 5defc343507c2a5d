# Completion of dokku-client for bash(1). The program itself knows what may stand where.

_dokku_client() {
    local line=${COMP_LINE:0:COMP_POINT} current name
    local -a words found
    # Not COMP_WORDS: there a command is three words, because of its colon.
    read -ra words <<<"$line"
    if [[ $line == *[[:blank:]] ]]; then words+=(''); fi
    while [[ ${#words[@]} -gt 1 && ${words[0]} != "$1" ]]; do words=("${words[@]:1}"); done
    current=${words[-1]}
    COMPREPLY=()
    case ${words[-2]-} in
        -S | --socket) compopt -o default && return ;;
    esac
    mapfile -t found < <("$1" --complete "${words[@]:1}" 2>/dev/null </dev/null)
    for name in "${found[@]}"; do
        if [[ $name == "$current"* ]]; then COMPREPLY+=("$name"); fi
    done
    # bash itself replaces only what stands after the last colon.
    if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*:}"}"}")
    fi
}

complete -F _dokku_client dokku-client
