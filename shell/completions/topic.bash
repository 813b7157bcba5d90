# shellcheck shell=bash
#
# Completion of topic(1) for bash 4.0 and later. Needs the file for topic-alloc(1), which stands
# beside it: topic-alloc.bash beside topic.bash, or topic-alloc beside topic.

if ! declare -F _topic_alloc_split >/dev/null; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%topic*}topic-alloc${BASH_SOURCE[0]##*topic}"
fi

# Usage: _topic_offer_options COMMAND
# Adds the options of the command.
_topic_offer_options() {
  local -a naming=(--style --width --separator --suffix)
  local -a creating=(--reuse --timeout --durable --verbose)
  case $1 in
    locate) _topic_alloc_offer --format --scope --rescan "${creating[@]}" --help ;;
    list | find) _topic_alloc_offer --format "${naming[@]}" --help ;;
    verify)
      _topic_alloc_offer --against --allow-gaps --enforce --format --only --scope --start --strict \
        "${naming[@]}" --help
      ;;
    renumber)
      _topic_alloc_offer --apply --dry-run --no-rewrite --format --scope "${naming[@]}" --help
      ;;
    log)
      _topic_alloc_offer --sync --batch --linger --queue --skip-invalid --lines --max-bytes --follow \
        --verbose --help
      ;;
    metrics)
      _topic_alloc_offer --sync --skip-invalid --by --where --success --format --out --require \
        --duration --max-bytes --max-lines --verbose --help
      ;;
    checkpoint)
      _topic_alloc_offer --iteration --status --feedback --file-written --cost --set --timeout --help
      ;;
    plan) _topic_alloc_offer --worker --lease --timeout --force --watch --format --help ;;
    retry)
      _topic_alloc_offer --status --feedback --feedback-file --max-identical --max-rounds --format \
        --timeout --help
      ;;
    cost)
      _topic_alloc_offer --role --model --input-tokens --output-tokens --max-usd --estimate-tokens \
        --strict --prices --format --verbose --help
      ;;
    try) _topic_alloc_offer --timeout --model --fallback --log --run --no-input --help ;;
    gate)
      _topic_alloc_offer --step --enforce --timeout --fail-fast --format --verbose --help
      ;;
    artifact) _topic_alloc_offer --suffix "${creating[@]}" --help ;;
    slug) _topic_alloc_offer --style --help ;;
  esac
}

# Usage: _topic_offer_value COMMAND
# Adds the values of `option` as the command takes them.
_topic_offer_value() {
  case $1:$option in
    list:-f | list:--format | find:-f | find:--format)
      _topic_alloc_offer table json jsonl path number
      ;;
    verify:-f | verify:--format | renumber:-f | renumber:--format) _topic_alloc_offer text json ;;
    plan:-f | plan:--format) _topic_alloc_offer text json mermaid dot ;;
    log:--sync) _topic_alloc_offer each batch never ;;
    metrics:--sync) _topic_alloc_offer each never ;;
    metrics:-f | metrics:--format) _topic_alloc_offer table json html ;;
    metrics:--out) _topic_alloc_offer_directories ;;
    retry:-f | retry:--format | cost:-f | cost:--format | gate:-f | gate:--format)
      _topic_alloc_offer text json
      ;;
    retry:--feedback-file | cost:--prices | try:--fallback | try:--log) compopt -o default ;;
    checkpoint:--status | retry:--status) _topic_alloc_offer approved needs_changes ;;
    try:--run) _topic_alloc_offer_directories ;;
    verify:--only) _topic_alloc_offer duplicate gap kind name clash lock unrecognised ;;
    verify:--enforce | gate:--enforce) _topic_alloc_offer strict warn off ;;
    *) _topic_alloc_offer_value ;;
  esac
}

# Usage: _topic_offer_topics
# Adds the numbers of the topics in the detected root.
_topic_offer_topics() {
  local number
  while IFS= read -r number; do
    _topic_alloc_offer "$number"
  done < <(topic list --format number 2>/dev/null)
}

# Usage: _topic_offer_tasks PLAN
# Adds the ids of the tasks of the plan.
_topic_offer_tasks() {
  local line
  while IFS= read -r line; do
    if [[ $line =~ \"id\":\ \"([^\"]*)\" ]]; then _topic_alloc_offer "${BASH_REMATCH[1]}"; fi
  done < <(topic plan status --format json "$1" 2>/dev/null)
}

# Usage: _topic_offer_operand COMMAND COUNT
# Adds what the command takes after COUNT operands. Names and texts are free.
_topic_offer_operand() {
  case $1:$2 in
    list:0 | find:0 | verify:0 | renumber:0) _topic_alloc_offer_directories ;;
    artifact:0)
      _topic_offer_topics
      _topic_alloc_offer_directories
      ;;
    artifact:1) _topic_alloc_offer reports plans summaries debug scripts outputs ;;
    log:0) _topic_alloc_offer append tail ;;
    log:1) compopt -o default ;;
    metrics:0) _topic_alloc_offer append summary aggregate rotate ;;
    metrics:1) compopt -o default ;;
    checkpoint:0) _topic_alloc_offer save load clear list ;;
    plan:0) _topic_alloc_offer check show graph claim 'done' fail release status ;;
    plan:1) compopt -o default ;;
    plan:2)
      case ${operands[1]-} in
        'done' | fail | release) _topic_offer_tasks "${operands[2]-}" ;;
      esac
      ;;
    retry:0) _topic_alloc_offer check ;;
    try:*) compopt -o default ;;
    gate:0) _topic_alloc_offer_directories ;;
    cost:0) _topic_alloc_offer add total check prices ;;
    checkpoint:1 | retry:1 | cost:1) _topic_alloc_offer_directories ;;
    help:0) _topic_alloc_offer locate list find verify renumber artifact log metrics checkpoint plan retry cost try gate slug ;;
  esac
}

# Usage: _topic
_topic() {
  # shellcheck disable=SC2034 # The functions of the other file read and set them.
  local cur stem option value ended
  local -a words operands
  local command
  COMPREPLY=()
  _topic_alloc_split
  _topic_alloc_parse
  # Options stand behind the command, never before it.
  command=${words[1]-}
  if [[ -z $command ]]; then
    if [[ $cur == -* ]]; then
      _topic_alloc_offer --help --version
    else
      _topic_alloc_offer locate list find verify renumber artifact log metrics checkpoint plan retry cost try gate slug help
    fi
  elif [[ -n $option ]]; then
    _topic_offer_value "$command"
  elif [[ -z $ended && $cur == -* ]]; then
    _topic_offer_options "$command"
  else
    _topic_offer_operand "$command" $((${#operands[@]} - 1))
  fi
}

complete -F _topic topic
