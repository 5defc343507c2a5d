# Completion of dokku-client for fish(1). The program itself knows what may stand where.

function __dokku_client_candidates
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    $program --complete $words "$current" 2>/dev/null </dev/null
end

complete -c dokku-client -f -a '(__dokku_client_candidates)'
complete -c dokku-client -s S -l socket -r -F
