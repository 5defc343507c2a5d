#compdef dokku-client
# Completion of dokku-client for zsh(1). The program itself knows what may stand where.

local -a found
if [[ ${words[CURRENT-1]} == (-S|--socket) ]]; then
    _files
    return
fi
found=(${(f)"$(${(Q)words[1]} --complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)"})
(( $#found )) && compadd -a found
