# Completion of topic(1) for fish.

function __topic_command_is --description 'The command is one of the arguments; none: not given yet'
    set -l words (commandline -opc)
    if test (count $argv) -eq 0
        test (count $words) -eq 1
    else
        contains -- "$words[2]" $argv
    end
end

function __topic_operand_is --argument-names number \
    --description 'The operand at the cursor has this number; the command is number 0'
    set -l words (commandline -opc)
    set -e words[1]
    argparse f/format= v/verbose r/reuse w/timeout= durable style= width= separator= start= \
        suffix= allow-gaps enforce= scope= rescan against= only= apply dry-run \
        no-rewrite sync= batch= linger= queue= skip-invalid n/lines= max-bytes= follow \
        iteration= status= feedback= file-written= cost= set= \
        feedback-file= max-identical= max-rounds= \
        by= where= success= out= require= duration= max-lines= \
        worker= lease= force watch role= model= input-tokens= output-tokens= max-usd= estimate-tokens= strict prices= \
        fallback= log= run= no-input step= fail-fast h/help version -- $words 2>/dev/null
    and test (count $argv) -eq $number
end

function __topic_topics --description 'The topics of the detected root, with their names'
    topic list 2>/dev/null | string replace -r '^([^\t]*\t[^\t]*)\t.*' '$1'
end

complete -c topic -f

complete -c topic -n __topic_command_is -s h -l help -d 'Print the help'
complete -c topic -n __topic_command_is -l version -d 'Print the version'
complete -c topic -n __topic_command_is -a locate -d 'Find project and root, create the next topic'
complete -c topic -n __topic_command_is -a list -d 'List topics with their artifacts'
complete -c topic -n __topic_command_is -a find -d 'Print the numbers of topics whose name matches'
complete -c topic -n __topic_command_is -a verify -d 'Check that no number is used twice, and more'
complete -c topic -n __topic_command_is -a renumber \
    -d 'Give topics that share a number numbers of their own'
complete -c topic -n __topic_command_is -a artifact \
    -d 'Create a directory for artifacts, or an entry in it'
complete -c topic -n __topic_command_is -a log -d 'Add events to a log, or print the last ones'
complete -c topic -n __topic_command_is -a metrics -d 'Count what happens, and sum it up'
complete -c topic -n __topic_command_is -a checkpoint -d 'Keep the state from which a run goes on'
complete -c topic -n __topic_command_is -a plan -d 'Share the tasks of a plan among workers'
complete -c topic -n __topic_command_is -a retry -d 'Say whether another round makes sense'
complete -c topic -n __topic_command_is -a cost -d 'Keep what the models of a run have cost'
complete -c topic -n __topic_command_is -a try \
    -d 'Run a command, and with the next model when it takes too long'
complete -c topic -n __topic_command_is -a gate -d 'Let a run pass when all its steps do'
complete -c topic -n __topic_command_is -a slug -d 'Print the name that a topic would get'
complete -c topic -n __topic_command_is -a help -d 'Print what there is to know of a command'

# Operands.
complete -c topic -n '__topic_command_is help; and __topic_operand_is 1' \
    -a 'locate list find verify renumber artifact log metrics checkpoint plan retry cost try gate slug'
complete -c topic -n '__topic_command_is list find verify renumber; and __topic_operand_is 1' \
    -a '(__fish_complete_directories)'
complete -c topic -n '__topic_command_is artifact; and __topic_operand_is 1' \
    -a '(__topic_topics) (__fish_complete_directories)'
complete -c topic -n '__topic_command_is artifact; and __topic_operand_is 2' \
    -a 'reports plans summaries debug scripts outputs' -d Kind

complete -c topic -n '__topic_command_is log; and __topic_operand_is 1' -a 'append tail'
complete -c topic -n '__topic_command_is log; and __topic_operand_is 2' -F
complete -c topic -n '__topic_command_is checkpoint; and __topic_operand_is 1' \
    -a 'save load clear list'
complete -c topic -n '__topic_command_is checkpoint; and __topic_operand_is 2' \
    -a '(__fish_complete_directories)'
complete -c topic -n '__topic_command_is plan; and __topic_operand_is 1' \
    -a 'check show graph claim done fail release status'
complete -c topic -n '__topic_command_is plan; and __topic_operand_is 2' -F

# Options of plans.
complete -c topic -n '__topic_command_is plan' -l worker -x -d 'Name of the worker'
complete -c topic -n '__topic_command_is plan' -l lease -x -d 'Seconds that others leave the task to it'
complete -c topic -n '__topic_command_is plan' -l force -d 'Release a task of another worker, or a failed one'
complete -c topic -n '__topic_command_is plan' -l watch -d 'Go on until all is done'
complete -c topic -n '__topic_command_is plan' -s w -l timeout -x -d 'Seconds to wait for others'
complete -c topic -n '__topic_command_is plan' -s f -l format -x -d 'How to print it' \
    -a 'text json mermaid dot'
complete -c topic -n '__topic_command_is retry; and __topic_operand_is 1' -a check
complete -c topic -n '__topic_command_is gate; and __topic_operand_is 1' \
    -a '(__fish_complete_directories)'
complete -c topic -n '__topic_command_is cost; and __topic_operand_is 1' \
    -a 'add total check prices'
complete -c topic -n '__topic_command_is retry cost; and __topic_operand_is 2' \
    -a '(__fish_complete_directories)'

complete -c topic -n '__topic_command_is metrics; and __topic_operand_is 1' \
    -a 'append summary aggregate rotate'
complete -c topic -n '__topic_command_is metrics; and __topic_operand_is 2' -F

# Options of metrics.
complete -c topic -n '__topic_command_is metrics' -l sync -x -d 'When an entry is on the disk' -a 'each never'
complete -c topic -n '__topic_command_is metrics' -l skip-invalid -d 'Pass over what is no JSON object'
complete -c topic -n '__topic_command_is metrics' -l by -x -d 'Sums for each value of a key'
complete -c topic -n '__topic_command_is metrics' -l where -x -d 'KEY=VALUE: count such entries only'
complete -c topic -n '__topic_command_is metrics' -l success -x -d 'A status that is a success'
complete -c topic -n '__topic_command_is metrics' -s f -l format -x -d 'How to print it' -a 'table json html'
complete -c topic -n '__topic_command_is metrics' -l out -x -d 'Where aggregates go' \
    -a '(__fish_complete_directories)'
complete -c topic -n '__topic_command_is metrics' -l require -x -d 'A complete entry has this key'
complete -c topic -n '__topic_command_is metrics' -l duration -x -d 'The field that says how long it took'
complete -c topic -n '__topic_command_is metrics' -l max-bytes -x -d 'Full with so much'
complete -c topic -n '__topic_command_is metrics' -l max-lines -x -d 'Full with so many lines'
complete -c topic -n '__topic_command_is metrics' -s v -l verbose -d 'Say how many entries were written or new'

# Options of logs and checkpoints.
complete -c topic -n '__topic_command_is log' -l sync -x -d 'When events are on the disk' \
    -a 'each batch never'
complete -c topic -n '__topic_command_is log' -l batch -x -d 'Events to write at once'
complete -c topic -n '__topic_command_is log' -l linger -x -d 'Seconds that an event waits at most'
complete -c topic -n '__topic_command_is log' -l queue -x -d 'Events that wait at most'
complete -c topic -n '__topic_command_is log' -l skip-invalid -d 'Pass over what is no JSON'
complete -c topic -n '__topic_command_is log' -s n -l lines -x -d 'How many events to print'
complete -c topic -n '__topic_command_is log' -l max-bytes -x -d 'How much of the end to look at'
complete -c topic -n '__topic_command_is log' -l follow -d 'Go on with what is added'
complete -c topic -n '__topic_command_is log' -s v -l verbose -d 'Say how much was written or passed over'
complete -c topic -n '__topic_command_is checkpoint' -l iteration -x -d 'Number of the round'
complete -c topic -n '__topic_command_is checkpoint' -l status -x -a 'approved needs_changes'
complete -c topic -n '__topic_command_is checkpoint' -l feedback -x -d 'A text; repeat it for more'
complete -c topic -n '__topic_command_is checkpoint' -l file-written -r -F -d 'A path; repeat it for more'
complete -c topic -n '__topic_command_is checkpoint' -l cost -x -d 'US dollars'
complete -c topic -n '__topic_command_is checkpoint' -l set -x -d 'KEY=JSON'
complete -c topic -n '__topic_command_is checkpoint' -s w -l timeout -x -d 'Seconds to wait for others'

# Options of decisions.
complete -c topic -n '__topic_command_is retry' -l status -x -a 'needs_changes approved'
complete -c topic -n '__topic_command_is retry' -l feedback -x -d 'What has to change'
complete -c topic -n '__topic_command_is retry' -l feedback-file -r -F -d 'More of it, a text a line'
complete -c topic -n '__topic_command_is retry' -l max-identical -x \
    -d 'Stop when the same feedback comes so often'
complete -c topic -n '__topic_command_is retry' -l max-rounds -x -d 'Stop after so many rounds'
complete -c topic -n '__topic_command_is retry' -s f -l format -x -a 'text json'
complete -c topic -n '__topic_command_is retry' -s w -l timeout -x -d 'Seconds to wait for others'
complete -c topic -n '__topic_command_is cost' -l role -x -d 'Who called the model'
complete -c topic -n '__topic_command_is cost' -l model -x -d 'The model'
complete -c topic -n '__topic_command_is cost' -l input-tokens -x -d 'How many it has read'
complete -c topic -n '__topic_command_is cost' -l output-tokens -x -d 'How many it has written'
complete -c topic -n '__topic_command_is cost' -l max-usd -x -d 'The limit'
complete -c topic -n '__topic_command_is cost' -l estimate-tokens -x -d 'How many are to come'
complete -c topic -n '__topic_command_is cost' -l strict -d 'Stop when something has no price'
complete -c topic -n '__topic_command_is cost' -l prices -r -F -d 'A list of prices'
complete -c topic -n '__topic_command_is cost' -s f -l format -x -a 'text json'
complete -c topic -n '__topic_command_is cost' -s v -l verbose -d 'Say what a call cost'
complete -c topic -n '__topic_command_is try' -a '(__fish_complete_subcommand)'
complete -c topic -n '__topic_command_is try' -s w -l timeout -x -d 'Seconds for each attempt'
complete -c topic -n '__topic_command_is try' -l model -x -d 'The model to begin with'
complete -c topic -n '__topic_command_is try' -l fallback -r -F -d 'The chain of models'
complete -c topic -n '__topic_command_is try' -l log -r -F -d 'Where attempts are written down'
complete -c topic -n '__topic_command_is try' -l run -x -a '(__fish_complete_directories)' \
    -d 'The run that they belong to'
complete -c topic -n '__topic_command_is try' -s n -l no-input -d 'Leave standard input alone'
complete -c topic -n '__topic_command_is gate' -l step -x -d 'Name and command of a step'
complete -c topic -n '__topic_command_is gate' -l enforce -x -d 'What follows from a failure' -a "
    strict\t'Exit with 1 (default)'
    warn\t'Say it, but exit with 0'
    off\t'Run nothing'"
complete -c topic -n '__topic_command_is gate' -s w -l timeout -x -d 'Seconds for each step'
complete -c topic -n '__topic_command_is gate' -l fail-fast -d 'Stop at the first that fails'
complete -c topic -n '__topic_command_is gate' -s f -l format -x -a 'text json'
complete -c topic -n '__topic_command_is gate' -s v -l verbose -d 'Print all that steps print'

# Options of commands that create something.
complete -c topic -n '__topic_command_is locate' -s f -l format -x \
    -d 'How to print what is created' -a "
    json\t'An object, indented'
    jsonl\t'An object, on one line'
    pipe\t'042|/path'
    path\t'The path'
    number\t'The number'
    shell\t'Assignments for eval'"
complete -c topic -n '__topic_command_is locate artifact' -s r -l reuse \
    -d 'Return the entry of exactly that name'
complete -c topic -n '__topic_command_is locate artifact' -s w -l timeout -x \
    -d 'Seconds to wait for the lock'
complete -c topic -n '__topic_command_is locate artifact' -l durable \
    -d 'Have the new entry on disk before it is reported'
complete -c topic -n '__topic_command_is locate artifact' -s v -l verbose \
    -d 'Say how long the lock was waited for and held'

# Options of commands that read.
complete -c topic -n '__topic_command_is list find' -s f -l format -x \
    -d 'How to print the topics' -a "
    table\t'Columns, with tabs when it is not a terminal'
    json\t'One array'
    jsonl\t'An object a line'
    path\t'A path a line'
    number\t'A number a line'"
complete -c topic -n '__topic_command_is verify' -l allow-gaps -d 'Numbers may be missing'
complete -c topic -n '__topic_command_is verify' -l only -x \
    -d 'Report only this kind of violation' \
    -a 'duplicate gap kind name clash lock unrecognised'
complete -c topic -n '__topic_command_is verify' -l strict \
    -d 'Report all that can be found, gaps too'
complete -c topic -n '__topic_command_is verify' -l enforce -x \
    -d 'What follows from a violation' -a "
    strict\t'Exit with 1 (default)'
    warn\t'Print it, but exit with 0'
    off\t'Do not check'"
complete -c topic -n '__topic_command_is verify renumber' -s f -l format -x \
    -d 'How to print what is found' -a 'text json'

complete -c topic -n '__topic_command_is verify' -l against -x \
    -d 'Another branch must not give a number to something else'
complete -c topic -n '__topic_command_is locate verify renumber' -l scope -x \
    -d 'Among whom numbers are unique' -a 'root worktrees remote'
complete -c topic -n '__topic_command_is locate' -l rescan \
    -d 'Look at all work trees and branches for numbers in use'
complete -c topic -n '__topic_command_is renumber' -l apply -d 'Do it, all or nothing'
complete -c topic -n '__topic_command_is renumber' -l dry-run -d 'Only show it (default)'
complete -c topic -n '__topic_command_is renumber' -l no-rewrite -d 'Leave mentions in tracked files'

# Options that say how entries are named.
complete -c topic -n '__topic_command_is list find verify renumber slug' -l style -x \
    -d 'How entries are named' -a "
    topic\t'042_name, a directory (default)'
    spec-kit\t'042-name, a directory'
    adr\t'0042-name.md, an empty file'"
complete -c topic -n '__topic_command_is list find verify renumber' -l width -x \
    -d 'Least number of digits' -a '1 2 3 4 5 6 7'
complete -c topic -n '__topic_command_is list find verify renumber' -l separator -x \
    -d 'Character between number and name' -a '_ - + .'
complete -c topic -n '__topic_command_is verify' -l start -x \
    -d 'The number that the first topic must have'
complete -c topic -n '__topic_command_is list find verify renumber artifact' -l suffix -x \
    -d 'Entries are files with this extension'
complete -c topic -n '__topic_command_is locate list find verify renumber artifact log metrics checkpoint plan retry cost try gate slug' -s h -l help \
    -d 'Print the help of the command'
