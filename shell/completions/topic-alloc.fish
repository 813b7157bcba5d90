# Completion of topic-alloc(1) for fish.

function __topic_alloc_wants_root --description 'No operand stands before the cursor'
    set -l words (commandline -opc)
    set -e words[1]
    argparse f/format= v/verbose r/reuse n/number= dry-run w/timeout= durable scope= rescan style= width= \
        separator= start= suffix= h/help version -- $words 2>/dev/null
    and test (count $argv) -eq 0
end

complete -c topic-alloc -f
complete -c topic-alloc -n __topic_alloc_wants_root -a '(__fish_complete_directories)'

complete -c topic-alloc -s f -l format -x -d 'How to print the topics' -a "
    json\t'An object, indented (default)'
    jsonl\t'An object, on one line'
    pipe\t'042|/path'
    path\t'The path'
    number\t'The number'
    shell\t'Assignments for eval'"
complete -c topic-alloc -s v -l verbose -d 'Say how long the lock was waited for and held'
complete -c topic-alloc -s r -l reuse -d 'Return the topic of exactly that name'
complete -c topic-alloc -s n -l number -x -d 'Take exactly this number, or fail'
complete -c topic-alloc -l dry-run -d 'Print what would be allocated, create nothing'
complete -c topic-alloc -s w -l timeout -x -d 'Seconds to wait for the lock'
complete -c topic-alloc -l durable -d 'Have new entries on disk before they are reported'
complete -c topic-alloc -l scope -x -d 'Among whom the number is unique' -a "
    root\t'Those who share the directory (default)'
    worktrees\t'All work trees of the repository'
    remote\t'All clones that push to origin'"
complete -c topic-alloc -l rescan -d 'Look at all work trees and branches for numbers in use'
complete -c topic-alloc -l style -x -d 'How entries are named' -a "
    topic\t'042_name, a directory (default)'
    spec-kit\t'042-name, a directory'
    adr\t'0042-name.md, an empty file'"
complete -c topic-alloc -l width -x -d 'Least number of digits' -a '1 2 3 4 5 6 7'
complete -c topic-alloc -l separator -x -d 'Character between number and name' -a '_ - + .'
complete -c topic-alloc -l start -x -d 'First number in an empty root'
complete -c topic-alloc -l suffix -x -d 'Create empty files with this extension'
complete -c topic-alloc -s h -l help -d 'Print the help'
complete -c topic-alloc -l version -d 'Print the version'
