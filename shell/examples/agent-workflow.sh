#!/usr/bin/env bash
#
# Runs four workers on the tasks of a plan, each task once, with events, cost, reviews and a gate.
# After a crash, it resumes where it stopped. Usage: agent-workflow.sh --help

set -euo pipefail

# Numbers have a decimal point, whatever the user's locale.
export LC_ALL=C.UTF-8

# Exit statuses of topic(1): no task to claim now; all tasks done; a limit is reached.
readonly NOTHING_NOW=1 ALL_DONE=2 LIMIT=10
readonly EX_USAGE=64

readonly WORKERS=${WORKERS:-4} MODEL=${MODEL:-gpt-5-mini-2025-08-07} MAX_USD=${MAX_USD:-5.00}
readonly SECONDS_PER_ATTEMPT=${SECONDS_PER_ATTEMPT:-300}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here

# Usage: print_help
print_help() {
  cat <<'END_OF_HELP'
Usage: agent-workflow.sh PLAN RUN

Does all tasks of PLAN (topic help plan), four at a time, and keeps what happens in the directory RUN:
events.jsonl, metrics.jsonl, cost.jsonl, checkpoint.json, and outputs/TASK.md for each task. Called again
after a crash, it continues where it stopped.

  AGENT                a program that is called with the name of a model, reads the instructions of a
                       task from standard input and prints the result (default: a stand-in)
  REVIEW               a program that reads a result and exits with 0, or prints what has to change
                       and exits with 1 (default: a stand-in that wants one change of each)
  WORKERS              the number of workers (4)
  MODEL                the model to begin with (gpt-5-mini-2025-08-07)
  MAX_USD              stop when the run has cost this much (5.00)
  SECONDS_PER_ATTEMPT  seconds before the next model is tried (300)

Exit status: 0 all tasks are done and the gate passed, 1 the gate failed, 10 the money is spent or
reviews go in circles, 64 wrong usage, otherwise that of topic.
END_OF_HELP
}

# Usage: stand_in_agent MODEL <INSTRUCTIONS
stand_in_agent() {
  sleep "${STAND_IN_SECONDS:-0.1}"
  printf '# By %s\n\n' "$1"
  cat
}

# Usage: stand_in_review <RESULT
stand_in_review() {
  if grep -q '^Feedback:'; then return; fi
  printf 'say what was changed\n'
  return 1
}

# Usage: event NAME WORKER TASK
event() {
  topic log append "$run/events.jsonl" \
    "$(jq -cn --arg event "$1" --arg worker "$2" --arg task "$3" '$ARGS.named')"
}

# Usage: count_tokens FILE
# A stand-in for what the provider reports: a word is about a token.
count_tokens() { wc -w <"$1" | tr -d ' '; }

# Usage: attempt WORKER TASK DIRECTORY
# One round: writes the answer to DIRECTORY/prompt into DIRECTORY/result, and records its cost.
attempt() {
  local worker=$1 task=$2 directory=$3
  # The last attempt records which model answered.
  # shellcheck disable=SC2016 # The shell of the attempt expands them.
  local note_model='printf %s "$1" >"$2"; shift 2; exec "$@"'
  topic cost check "$run" --max-usd "$MAX_USD" >/dev/null
  topic try --timeout "$SECONDS_PER_ATTEMPT" --model "$MODEL" --run "$run" -- \
    sh -c "$note_model" sh '{model}' "$directory/model" "${agent[@]}" '{model}' \
    <"$directory/prompt" >"$directory/result"
  topic cost add "$run" --role "$worker" --model "$(<"$directory/model")" \
    --input-tokens "$(count_tokens "$directory/prompt")" \
    --output-tokens "$(count_tokens "$directory/result")" 2>/dev/null
  event attempted "$worker" "$task"
}

# Usage: do_task WORKER JSON
# Rounds of work and review until the review approves.
do_task() {
  local worker=$1 json=$2 task directory feedback start=$EPOCHREALTIME
  task=$(jq -r .id <<<"$json")
  directory=$run/tasks/$task
  mkdir -p "$directory" "$run/outputs"
  event started "$worker" "$task"
  # A killed run leaves its prompt, feedback included: keep it.
  if [[ ! -e $directory/prompt ]]; then
    jq -r '"\(.description)\n\n\(.instructions)"' <<<"$json" >"$directory/prompt.new"
    mv "$directory/prompt.new" "$directory/prompt"
  fi
  while :; do
    attempt "$worker" "$task" "$directory"
    if feedback=$("${review[@]}" <"$directory/result"); then break; fi
    # Before the round is counted, so that a crash in between does not count it twice.
    printf '\nFeedback: %s\n' "$feedback" >>"$directory/prompt"
    topic retry check "$directory" --status needs_changes --feedback "$feedback" --max-rounds 5 \
      >/dev/null
  done
  topic retry check "$directory" --status approved >/dev/null
  # Rename the complete result, so that nobody reads half of it.
  mv "$directory/result" "$run/outputs/$task.md"
  topic plan 'done' --worker "$worker" "$plan" "$task" >/dev/null
  event finished "$worker" "$task"
  topic metrics append "$run/metrics.jsonl" status=passed "task=$task" "worker=$worker" \
    "duration=$(awk -v "a=$start" -v "b=$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }')"
  topic checkpoint save "$run" --set "last_task=$(jq -n --arg task "$task" '$task')"
}

# Usage: work WORKER
# Takes tasks until all are done or the script is gone. A killed worker still holds its task, and
# gets it again.
work() {
  local json status
  me=$1 held=''
  # A worker that gives up releases its task; a killed one gets it again.
  trap 'if [[ -n $held ]]; then topic plan release --worker "$me" "$plan" "$held" >/dev/null; fi' EXIT
  trap 'exit 143' TERM
  while kill -0 "$$" 2>/dev/null; do
    status=0
    json=$(topic plan claim --worker "$1" "$plan" 2>/dev/null) || status=$?
    case $status in
    0)
      held=$(jq -r .id <<<"$json")
      do_task "$1" "$json"
      held=''
      ;;
    "$NOTHING_NOW") sleep 0.1 ;;
    "$ALL_DONE") return 0 ;;
    *) return "$status" ;;
    esac
  done
}

# Usage: be_alone
# Waits for the workers of a killed script, because they have the same names. The last of them
# releases the lock.
be_alone() {
  mkdir -p "$run"
  exec 9>"$run/workflow.lock"
  if flock -n 9; then return; fi
  printf 'waiting for workers of an earlier run to end\n' >&2
  flock 9
}

# Usage: start_or_resume
start_or_resume() {
  local iteration=1 checkpoint
  if checkpoint=$(topic checkpoint load "$run" 2>/dev/null); then
    iteration=$(($(jq '.iteration // 0' <<<"$checkpoint") + 1))
    printf 'resume number %d, after task %s\n' "$((iteration - 1))" \
      "$(jq -r '.last_task // "none"' <<<"$checkpoint")"
  fi
  topic checkpoint save "$run" --iteration "$iteration"
}

# Usage: stop
# Ends the workers, so that none outlives this script.
stop() {
  trap - EXIT
  kill "${workers[@]}" 2>/dev/null || :
  wait
}

# Usage: main [ARGUMENT]...
main() {
  case ${1-} in
  -h | --help)
    print_help
    return
    ;;
  --stand-in-agent)
    stand_in_agent "$2"
    return
    ;;
  --stand-in-review)
    stand_in_review || exit
    return
    ;;
  esac
  if (($# != 2)); then
    printf 'usage: agent-workflow.sh PLAN RUN\n' >&2
    return "$EX_USAGE"
  fi
  plan=$1 run=$2
  read -ra agent <<<"${AGENT:-}"
  read -ra review <<<"${REVIEW:-}"
  if ((${#agent[@]} == 0)); then agent=("$here/agent-workflow.sh" --stand-in-agent); fi
  if ((${#review[@]} == 0)); then review=("$here/agent-workflow.sh" --stand-in-review); fi

  topic plan check "$plan"
  be_alone
  start_or_resume
  workers=()
  trap stop EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  local number worker status=0
  for ((number = 1; number <= WORKERS; number++)); do
    work "worker-$number" &
    workers+=("$!")
  done
  for worker in "${workers[@]}"; do wait "$worker" || status=$?; done
  if ((status == LIMIT)); then printf 'stopped: a limit is reached\n' >&2; fi
  ((status == 0)) || return "$status"
  trap - EXIT

  export plan run
  # shellcheck disable=SC2016 # The shell of the step expands them.
  topic gate "$run" --step tasks 'topic plan status "$plan"' \
    --step results 'topic plan show --format json "$plan" | jq -r ".tasks[].id" |
      while read -r task; do test -s "$run/outputs/$task.md" || exit; done'
  topic cost total "$run"
}

main "$@"
