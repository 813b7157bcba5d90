#!/usr/bin/env bash
#
# Compares topic log and topic metrics with tail and jq. Usage: records.sh --help

# In single quotes, variables and backquotes belong to jq, Markdown or another shell.
# shellcheck disable=SC2016

set -euo pipefail

# Numbers have a decimal point, whatever the user's locale.
export LC_ALL=C

# Exit codes of sysexits.h.
readonly EX_USAGE=64 EX_UNAVAILABLE=69

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here project=${here%/*/*}

scratch=''

# Usage: print_help
print_help() {
  cat <<'END_OF_HELP'
Usage: records.sh [option]...

Compares, in turn:

  - the last five events of a log with tail and jq
  - a summary of metrics with jq -s
  - one appended entry with jq and a redirect
  - the last events of a log after a long line with those after a line twice as long
  - the check of a limit after 1,000 calls of models with that after many

Also measures the time per line of cost total, metrics summary and log append, and the peak memory
of a summary, and counts the fsyncs of commands. Prints Markdown tables. Needs hyperfine and jq;
strace for the fsyncs, and GNU time for the memory. Works in TMPDIR (default: /tmp).

      --entries N   use files with N entries (default 500000)
      --runs N      run each command N times (default 10)
      --bin DIR     use topic in DIR and build nothing
  -h, --help        print this help

Exit codes: 0 done, 64 wrong usage, 69 a tool is missing.
END_OF_HELP
}

# Usage: fail CODE MESSAGE
fail() {
  printf 'records.sh: %s\n' "$2" >&2
  exit "$1"
}

# Usage: clean_up
clean_up() {
  if [[ -n $scratch ]]; then rm -rf -- "$scratch"; fi
}

# Usage: make_entries N
make_entries() {
  awk -v n="$1" 'BEGIN {
    for (i = 0; i < n; i++)
      printf "{\"run\":\"r%d\",\"status\":\"%s\",\"duration\":%.1f,\"tokens\":%d,\"epoch\":%d,\"model\":\"m%d\"}\n",
        i, i % 7 ? "passed" : "failed", i % 1000 / 10, i * 3 % 7919, i % 10, i % 3
  }'
}

# Usage: make_calls N
# Prints calls of models as topic cost add stores them.
make_calls() {
  awk -v n="$1" 'BEGIN {
    for (i = 0; i < n; i++)
      printf "{\"at\":\"2026-11-25T21:50:36Z\",\"role\":\"%s\",\"model\":\"gpt-5%s\",\"input_tokens\":%d,\"output_tokens\":567,\"usd\":\"0.00%d\"}\n",
        i % 2 ? "writer" : "reviewer", i % 3 ? "" : "-mini", i * 7 % 8999, i % 8999 + 1000
  }'
}

# Usage: make_long_line BYTES
# Prints an event, and then a line of BYTES bytes that is not an event.
make_long_line() {
  printf '{"event":1}\n'
  head -c "$1" /dev/zero | tr '\0' x
  echo
}

# Usage: compare NAME OURS THEIRS [TIME]
# Times both commands, and prints a row of the table: medians in milliseconds, and their ratio. TIME, an
# expression of jq, replaces the median.
compare() {
  local name=$1 time=${4-.median}
  hyperfine --shell=none --style none --warmup 1 --runs "$runs" \
    --export-json "$scratch/result.json" "$2" "$3" >/dev/null 2>&1
  jq -r --arg name "$name" '
    def ms: . * 1e4 | round / 10;
    .results | map('"$time"') as [$ours, $theirs]
    | "| \($name) | \($ours | ms) | \($theirs | ms) | \($theirs / $ours * 10 | round / 10) |"' \
    "$scratch/result.json"
}

# Usage: count_fsyncs COMMAND [ARGUMENT]...
# Runs the command twice, and prints a row of the table: how many files and directories each of the
# two puts on disk.
count_fsyncs() {
  local counts=()
  for _ in first again; do
    strace -f -qq -e trace=fsync,fdatasync -o "$scratch/trace" "$bin/$1" "${@:2}" \
      >/dev/null 2>&1
    counts+=("$(grep -c 'sync(' "$scratch/trace" || true)")
  done
  printf '| `%s` | %d | %d |\n' "$*" "${counts[@]}"
}

# Usage: count_all_fsyncs
# Prints a table of the commands that write. A new log or ledger is put on disk with its name, which
# takes one fsync for every directory above it; so does what is created with --durable.
count_all_fsyncs() {
  mkdir -p "$scratch/fsyncs/run" "$scratch/fsyncs/out"
  cd "$scratch/fsyncs"
  printf '%s\n' '**Goal:** count' '' '| Group | Tasks |' '| --- | --- |' '| Group 1 | a, b |' '' \
    '### Task a: one' '' '### Task b: two' >PLAN.md
  make_entries 10 >m.jsonl
  printf '\n| fsyncs | first | again |\n| --- | ---: | ---: |\n'
  count_fsyncs topic-alloc specs name
  count_fsyncs topic-alloc --durable specs name
  count_fsyncs topic checkpoint save run --iteration 1
  count_fsyncs topic retry check --status needs_changes --feedback text --max-identical 9 run
  count_fsyncs topic metrics aggregate --out out m.jsonl
  make_entries 1 >>m.jsonl
  count_fsyncs topic metrics aggregate --out out m.jsonl
  count_fsyncs topic metrics append m.jsonl status=passed
  count_fsyncs topic log append run/events.jsonl '{"event":1}'
  count_fsyncs topic cost add run --role r --model gpt-5 --input-tokens 1 --output-tokens 1
  count_fsyncs topic plan claim --worker w PLAN.md
  cd - >/dev/null
}

# Usage: per_line NAME COMMAND PREPARATION
# Times a command on $entries lines, and prints a row of the table: microseconds per line.
per_line() {
  hyperfine --shell=none --style none --warmup 1 --runs "$runs" --prepare "$3" \
    --export-json "$scratch/result.json" "$2" >/dev/null 2>&1
  jq -r --arg name "$1" --argjson lines "$entries" '
    .results[0] | [.median, .user] | map(. * 1e9 / $lines | round / 1000)
    | "| \($name) | \(.[0]) | \(.[1]) |"' "$scratch/result.json"
}

# Usage: main [ARGUMENT]...
main() {
  local entries=500000 tool bin='' program
  runs=10
  while (($# > 0)); do
    case $1 in
    -h | --help)
      print_help
      return
      ;;
    --entries | --runs | --bin)
      (($# > 1)) || fail "$EX_USAGE" "option '$1' needs a value"
      [[ $1 == --bin || $2 =~ ^[1-9][0-9]{0,8}$ ]] ||
        fail "$EX_USAGE" "$1 takes a number of at least 1, not '$2'"
      case $1 in
      --entries) entries=$2 ;;
      --runs) runs=$2 ;;
      --bin) bin=$2 ;;
      esac
      shift
      ;;
    *) fail "$EX_USAGE" "unknown argument '$1'; run 'records.sh --help'" ;;
    esac
    shift
  done
  for tool in hyperfine jq awk; do
    command -v "$tool" >/dev/null || fail "$EX_UNAVAILABLE" "$tool is missing: install it"
  done
  if [[ -z $bin ]]; then
    bin=$("$project/shell/build.sh")
  fi
  bin=$(cd -- "$bin" && pwd)
  program=$bin/topic
  [[ -x $program ]] || fail "$EX_UNAVAILABLE" "topic is missing in '$bin'"

  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  scratch=$(mktemp -d)
  make_entries "$entries" >"$scratch/m.jsonl"
  printf '%s\n' 'def percentile($p): sort as $s | $s[([($s | length) * $p | ceil, 1] | max) - 1];
    {entries: length, success_rate: ((map(select(.status == "passed")) | length) / length)}
    + ([("duration", "tokens", "epoch") as $key | map(.[$key]) | {($key): {count: length, mean: (add / length),
        min: min, max: max, p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99)}}] | add)' \
    >"$scratch/summary.jq"
  printf 'tail -n 5 "$1" | jq -c .\n' >"$scratch/tail.sh"
  printf 'jq -cn --arg status passed "{status: \\$status, duration: 12.5}" >>"$1"\n' \
    >"$scratch/append.sh"

  printf '%d entries, %d bytes\n\n' "$entries" "$(wc -c <"$scratch/m.jsonl")"
  printf '| ms, median of %d | topic | jq | × |\n| --- | ---: | ---: | ---: |\n' "$runs"
  compare '`log tail` beside `tail -n 5`' "$program log tail $scratch/m.jsonl" \
    "tail -n 5 $scratch/m.jsonl"
  compare '`log tail` beside `tail -n 5 \| jq`' "$program log tail $scratch/m.jsonl" \
    "sh $scratch/tail.sh $scratch/m.jsonl"
  compare '`metrics append --sync never` beside `jq >>`' \
    "$program metrics append --sync never $scratch/a.jsonl status=passed duration=12.5" \
    "sh $scratch/append.sh $scratch/b.jsonl"
  compare '`metrics append` (on the disk) beside `jq >>` (not)' \
    "$program metrics append $scratch/a.jsonl status=passed duration=12.5" \
    "sh $scratch/append.sh $scratch/b.jsonl"
  compare '`metrics summary` beside `jq -s`' "$program metrics summary $scratch/m.jsonl" \
    "jq -s -f $scratch/summary.jq $scratch/m.jsonl"

  mkdir "$scratch/few" "$scratch/many"
  make_calls 1000 >"$scratch/few/cost.jsonl"
  make_calls "$entries" >"$scratch/many/cost.jsonl"
  printf '\n| µs per line | median | processor, mean |\n| --- | ---: | ---: |\n'
  per_line '`cost total`, no sums stored' "$program cost total $scratch/many" \
    "rm -f $scratch/many/cost.state.json"
  per_line '`metrics summary`' "$program metrics summary $scratch/m.jsonl" true
  printf '"$1" log append --sync never "$2" <"$3"\n' >"$scratch/log.sh"
  per_line '`log append --sync never`' \
    "sh $scratch/log.sh $program $scratch/log.jsonl $scratch/m.jsonl" "rm -f $scratch/log.jsonl"
  printf '\n| ms, median of %d | 1,000 lines | %d lines | × |\n| --- | ---: | ---: | ---: |\n' \
    "$runs" "$entries"
  compare '`cost check`' "$program cost check --max-usd 1000000 $scratch/few" \
    "$program cost check --max-usd 1000000 $scratch/many"

  make_long_line 64000000 >"$scratch/1.jsonl"
  make_long_line 128000000 >"$scratch/2.jsonl"
  # The log appears after the start, so it is read from its beginning. The script ends the reader.
  printf '%s\n' '"$1" log tail --follow "$3" >"$3.out" & sleep 0.1; ln "$2" "$3"
    until [ -s "$3.out" ]; do sleep 0.01; done; kill $!; wait; rm "$3" "$3.out"' >"$scratch/follow.sh"
  printf '\n| ms, median of %d | 64 MB | 128 MB | × |\n| --- | ---: | ---: | ---: |\n' "$runs"
  compare '`log tail` of a line' "$program log tail --max-bytes 1G $scratch/1.jsonl" \
    "$program log tail --max-bytes 1G $scratch/2.jsonl"
  for number in 1 2; do
    make_long_line "$((number * 64))000000" | tac >"$scratch/f$number.jsonl"
  done
  compare '`log tail --follow` of a line (processor time, mean)' \
    "sh $scratch/follow.sh $program $scratch/f1.jsonl $scratch/follow.jsonl" \
    "sh $scratch/follow.sh $program $scratch/f2.jsonl $scratch/follow.jsonl" '(.user + .system)'
  if command -v strace >/dev/null && [[ -x $bin/topic-alloc ]]; then count_all_fsyncs; fi
  if [[ -x /usr/bin/time ]]; then
    /usr/bin/time -f '%M' -o "$scratch/memory" "$program" metrics summary "$scratch/m.jsonl" >/dev/null
    printf '\nPeak memory of the summary: %d KiB\n' "$(<"$scratch/memory")"
  fi
}

main "$@"
