# fish completion for signalbox
# SPDX-License-Identifier: Apache-2.0

set -l commands read explain
complete -c signalbox -n "not __fish_seen_subcommand_from $commands" -f
complete -c signalbox -n "not __fish_seen_subcommand_from $commands" -a read -d "Captures to calls, with their causes"
complete -c signalbox -n "not __fish_seen_subcommand_from $commands" -a explain -d "What a code means"
complete -c signalbox -l help -d "What the command takes"
complete -c signalbox -n "not __fish_seen_subcommand_from $commands" -l version -d "The version"

set -l read "__fish_seen_subcommand_from read"
complete -c signalbox -n $read -l calls -d "The table of calls"
complete -c signalbox -n $read -l registrations -d "The table of registrations"
complete -c signalbox -n $read -l messages -d "Every SIP message, one line each"
complete -c signalbox -n $read -l streams -d "Streams of media with loss, jitter and MOS"
complete -c signalbox -n $read -l transactions -d "Requests outside calls and registrations"
complete -c signalbox -n $read -l summary -d "Only the summary"
complete -c signalbox -n $read -l ladder -x -d "Draw one call: its number or Call-ID"
complete -c signalbox -n $read -l filter -x -d "Only what matches the expression"
complete -c signalbox -n $read -l json -d "JSON Lines"
complete -c signalbox -n $read -l csv -d "Comma-separated values"
complete -c signalbox -n $read -l tz -x -d "Time zone of the tables"
complete -c signalbox -n $read -l no-join -d "Keep legs apart"
complete -c signalbox -n $read -l join-header -x -d "Join legs by this header"
complete -c signalbox -n $read -l max-memory -x -a "256M 512M 1G 2G 4G" -d "Ceiling for what is remembered"
complete -c signalbox -n $read -s v -l verbose -d "Tell more"

set -l explain "__fish_seen_subcommand_from explain"
complete -c signalbox -n $explain -f -a "180 183 401 403 404 407 408 480 481 486 487 488 500 503 504 600 603 604 606 4xx 5xx 6xx 18X"
complete -c signalbox -n $explain -f -a "(signalbox explain --list --lang en --no-colour 2>/dev/null | string match -r '^[a-z0-9-]+(?=  )')" -d "Cause"
complete -c signalbox -n $explain -f -a "flow" -d "Reference flows"
complete -c signalbox -n "$explain; and __fish_seen_subcommand_from flow" -f -a "(signalbox explain flow --lang en --no-colour 2>/dev/null | string match -rg '^  ([a-z0-9-]+)  ')" -d "Flow"
complete -c signalbox -n $explain -l json -d "JSON Lines"
complete -c signalbox -n $explain -l list -d "Every code and cause there is"
complete -c signalbox -n $explain -l depth -x -a "caller helpdesk engineer" -d "For whom"

set -l both "__fish_seen_subcommand_from $commands"
complete -c signalbox -n $both -l lang -x -a "en fr zh-CN" -d "Language of the sentences"
complete -c signalbox -n $both -l no-colour -d "No colours"
