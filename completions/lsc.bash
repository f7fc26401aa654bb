# bash completion for lsc. The flags and their values come from `lsc --help`, so nothing here grows
# old; the names of plugins from `lsc --plugin-help`.
_lsc() {
    local lsc=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

    case $prev in
    -f | --path.config | --path.data | --path.logs | --path.settings | -l | -p | --path.plugins | --docs)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames
        return
        ;;
    --plugin-help)
        mapfile -t COMPREPLY < <(compgen -W "$("$lsc" --plugin-help 2>/dev/null | awk '{ print $1 "/" $2 }')" -- "$cur")
        return
        ;;
    --*)
        # The line "One of: a, b." below the flag.
        local values
        values=$("$lsc" --help 2>/dev/null | awk -v flag="$prev" '
            /^ +(-., )?--/ { found = index($0 " ", flag " ") > 0 }
            found && /^ *One of:/ { gsub(/^ *One of:|[,.]/, ""); print }')
        if [ -n "$values" ]; then
            mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
            return
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$("$lsc" --help 2>/dev/null | grep -oE '^ +(-., )?--[a-z][A-Za-z0-9._-]*' | tr -d ', ' | sed 's/^-[A-Za-z]--/--/')" -- "$cur")
}
complete -F _lsc lsc
