# bash completion for signalbox
# SPDX-License-Identifier: Apache-2.0

_signalbox()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i
    COMPREPLY=()

    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        read|explain|diff|pack|scrub|user|load|serve|lab) command=${COMP_WORDS[i]}; break ;;
        esac
    done

    case $before in
    --lang)
        mapfile -t COMPREPLY < <(compgen -W "en fr zh-CN" -- "$word"); return ;;
    --depth)
        mapfile -t COMPREPLY < <(compgen -W "caller helpdesk engineer" -- "$word"); return ;;
    --max-memory)
        mapfile -t COMPREPLY < <(compgen -W "256M 512M 1G 2G 4G" -- "$word"); return ;;
    --tz)
        local zones=/usr/share/zoneinfo/tzdata.zi
        [ -r "$zones" ] || return
        mapfile -t COMPREPLY < <(compgen -W "UTC $(awk '$1 == "Z" { print $2 }' "$zones")" -- "$word")
        return ;;
    --ladder|--filter|--key|--ha1|--auth-name|--display|--forward-always|--forward-busy|--forward-no-answer|--forward-unreachable|--ring-time|--max-calls|--max-contacts|--reject|--domain|--limit|--skip|--to|--rate|--seconds|--hold|--users)
        return ;;
    --flag)
        mapfile -t COMPREPLY < <(compgen -W "disabled= do-not-disturb= reject-anonymous= call-waiting=
            tell-forwarded= redirect= no-gateway= hide-number= no-credit=" -- "$word")
        compopt -o nospace; return ;;
    --server-pid)
        mapfile -t COMPREPLY < <(compgen -W "$(pidof signalbox)" -- "$word"); return ;;
    --transport)
        mapfile -t COMPREPLY < <(compgen -W "udp tcp" -- "$word"); return ;;
    --db|--password-file|--config|--pcap)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    user)
        mapfile -t COMPREPLY < <(compgen -W "add set remove show list alias import" -- "$word"); return ;;
    alias)
        mapfile -t COMPREPLY < <(compgen -W "add remove list" -- "$word"); return ;;
    import)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$word"; compgen -f -X '!*.csv' -- "$word"); return ;;
    flow)
        mapfile -t COMPREPLY < <(compgen -W "$(${COMP_WORDS[0]} explain flow --lang en --no-colour 2>/dev/null |
            awk '/^  [a-z0-9-]+  / { print $1 }')" -- "$word"); return ;;
    --out)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    esac

    case $command:$word in
    :-*)
        mapfile -t COMPREPLY < <(compgen -W "--help --version" -- "$word") ;;
    :*)
        mapfile -t COMPREPLY < <(compgen -W "read explain diff pack scrub user load serve lab" -- "$word") ;;
    read:-*)
        mapfile -t COMPREPLY < <(compgen -W "--calls --registrations --messages
            --streams --transactions --summary --ladder --filter --no-join --join-header --json --csv --html --lang --tz --max-memory --no-colour
            --verbose --help" -- "$word") ;;
    read:*)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$word"
            compgen -f -X '!*.@(pcap|pcapng|cap|dmp)?(.gz)' -- "$word") ;;
    diff:-*)
        mapfile -t COMPREPLY < <(compgen -W "--json --lang --no-colour --verbose --help" -- "$word") ;;
    pack:-*)
        mapfile -t COMPREPLY < <(compgen -W "--out --rtp --no-mask --keep-call-id --key --lang --tz
            --no-colour --verbose --help" -- "$word") ;;
    scrub:-*)
        mapfile -t COMPREPLY < <(compgen -W "--key --keep-unknown --lang --no-colour --verbose
            --help" -- "$word") ;;
    user:-*)
        mapfile -t COMPREPLY < <(compgen -W "--db --password-stdin --password-file --random-password --ha1
            --auth-name --display --forward-always --forward-busy --forward-no-answer --forward-unreachable
            --ring-time --max-calls --max-contacts --reject --flag --domain --limit --skip --update --json --lang
            --no-colour --verbose --help" -- "$word") ;;
    load:-*)
        mapfile -t COMPREPLY < <(compgen -W "--to --rate --seconds --hold --users --domain --make-users
            --no-register --strangers --volte --registrations --server-pid --json --lang --no-colour --verbose --help" -- "$word") ;;
    lab:-*)
        mapfile -t COMPREPLY < <(compgen -W "--list --no-ladder --pcap --loss --duplicate --delay --jitter --seed
            --jobs --transport --port --against --users --domain --lang --no-colour --verbose --help" -- "$word") ;;
    lab:*)
        mapfile -t COMPREPLY < <(compgen -W "all $(${COMP_WORDS[0]} lab --list --lang en --no-colour 2>/dev/null |
            awk '/^  [a-z0-9-]+  / { print $1 }')" -- "$word") ;;
    serve:-*)
        mapfile -t COMPREPLY < <(compgen -W "--config --check --live --json --pcap --pcap-size --lang --tz --no-colour --verbose
            --help" -- "$word") ;;
    diff:*|pack:*|scrub:*)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$word"
            compgen -f -X '!*.@(pcap|pcapng|cap|dmp)?(.gz)' -- "$word") ;;
    explain:-*)
        mapfile -t COMPREPLY < <(compgen -W "--lang --json --list --depth
            --no-colour --help" -- "$word") ;;
    explain:*)
        mapfile -t COMPREPLY < <(compgen -W "flow 180 183 200 302 400 401 403 404 407 408 410 415 420 422
            480 481 482 483 484 486 487 488 491 494 500 502 503 504 513 580 600 603 604 606 607
            1xx 2xx 3xx 4xx 5xx 6xx 18X
            $(${COMP_WORDS[0]} explain --list --lang en --no-colour 2>/dev/null |
                awk '/^[a-z0-9-]+  / { print $1 }')" -- "$word") ;;
    esac
}
complete -F _signalbox signalbox
