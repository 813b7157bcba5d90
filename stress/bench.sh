#!/usr/bin/env bash
#
# Compares the speed of topic-alloc with other allocators. Usage: bench.sh --help

set -euo pipefail

# Numbers have a decimal point, whatever the user's locale.
export LC_ALL=C

# Exit codes of sysexits.h.
readonly EX_USAGE=64 EX_DATAERR=65 EX_UNAVAILABLE=69

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here project=${here%/*}

# Processes that run at once, allocations that they share, and existing topics.
readonly CREW=10 CREW_CALLS=100 CREW_TOPICS=10000
# Calls of a sourced function, and existing topics.
readonly FUNCTION_CALLS=50 FUNCTION_TOPICS=100
# Up to this many topics, each contender gets a new root in each round, because it adds topics.
readonly SMALL=1000

scratch=''

# Usage: print_help
print_help() {
  cat <<'END_OF_HELP'
Usage: bench.sh [option]...

Measures one allocation with topic-alloc, a static C program that makes the same system calls,
mktemp -d, and a bash function with flock:

  - the whole process, beside 10 to 100,000 topics
  - ten processes at once
  - a start after the program was evicted from the page cache
  - a sourced shell function

Also measures reservations among work trees, alone and ten at once. In every round, each contender
gets a turn, and ratios compare times of the same round. Prints Markdown tables, and writes
bench.json and bench.svg. Needs hyperfine, jq, git and a C compiler. Works in TMPDIR (default /tmp).

  -p, --peer 'NAME=COMMAND {root} {name}'
                      measure COMMAND, too, without a shell; repeatable
      --full          measure beside 1,000,000 topics, too
      --rounds N      measure N rounds (default 5)
      --runs N        run each command N times in a turn (default 30)
  -o, --out DIR       write bench.json and bench.svg to DIR (default: the current directory)
      --bin DIR       use topic-alloc in DIR and build nothing
  -h, --help          print this help

Exit codes: 0 done, 64 wrong usage, 65 a command fails, 69 a tool is missing.
END_OF_HELP
}

# Usage: fail CODE MESSAGE
fail() {
  if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
  printf 'bench.sh: %s\n' "$2" >&2
  exit "$1"
}

# Usage: clean_up
clean_up() {
  if [[ -n $scratch ]]; then rm -rf -- "$scratch"; fi
}

# Usage: tell TEXT
# Shows the progress: on a terminal, in one line that changes.
tell() {
  if [[ -t 2 ]]; then printf '\r\033[K%s' "$1" >&2; else printf '%s\n' "$1" >&2; fi
}

# Usage: need TOOL PACKAGE
need() {
  command -v "$1" >/dev/null || fail "$EX_UNAVAILABLE" "$1 is missing: install $2"
}

# Usage: positive OPTION VALUE
positive() {
  [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || fail "$EX_USAGE" "$1 takes a number of at least 1, not '$2'"
}

# Usage: build
# Builds the release and prints the directory of its programs.
build() {
  command -v swift >/dev/null ||
    fail "$EX_UNAVAILABLE" "swift is missing; pass the directory of built programs with --bin"
  "$project/shell/build.sh"
}

# Usage: quoted TEXT
# Prints TEXT as one word for hyperfine, which splits commands like a POSIX shell.
quoted() {
  printf "'%s'" "${1//\'/\'\\\'\'}"
}

# Usage: contender NAME COMMAND
contender() {
  names+=("$1")
  commands+=("$2")
}

# Usage: fill ROOT COUNT
# Creates a root with COUNT topics, up to 100,000 at a time.
fill() {
  local left=$2 some
  mkdir -p -- "$1"
  while ((left > 0)); do
    some=$((left < 100000 ? left : 100000))
    seq -f 'topic %.0f' "$some" | "$bin/topic-alloc" --format number "$1" - >/dev/null
    left=$((left - some))
  done
}

# Usage: measure WHAT TOPICS CALLS NAME ROUND RUNS COMMAND
# Times COMMAND, which makes CALLS calls, and adds the times to the measurements.
measure() {
  local reason
  reason=$(hyperfine --shell=none --warmup 1 --runs "$6" --style none \
    --export-json "$scratch/times.json" -- "$7" 2>&1 >/dev/null) ||
    fail "$EX_DATAERR" "'$4' fails: ${reason:-$7}"
  jq -c --arg what "$1" --argjson topics "$2" --argjson calls "$3" --arg name "$4" \
    --argjson round "$5" '{$what, $topics, $calls, $name, $round, times: .results[0].times}' \
    "$scratch/times.json" >>"$scratch/measurements"
}

# Usage: root_for TOPICS ROUND INDEX
# Sets `root` to the path of a root with TOPICS topics.
root_for() {
  root=$scratch/$1
  if (($1 <= SMALL)); then root+=-$2-$3; fi
  if [[ ! -d $root ]]; then fill "$root" "$1"; fi
}

# Usage: measure_process TOPICS ROUND
measure_process() {
  local index root command
  for index in "${!names[@]}"; do
    tell "round $2 of $rounds: beside $1 topics: ${names[index]}"
    root_for "$1" "$2" "$index"
    command=${commands[index]//'{root}'/$(quoted "$root")}
    measure process "$1" 1 "${names[index]}" "$2" "$runs" "${command//'{name}'/name}"
  done
}

# Usage: measure_evicted ROUND
# Measures the start after the program was evicted from the page cache and read again. Covers the
# contenders that are a single file.
measure_evicted() {
  local index root command program
  for index in 0 1; do
    tell "round $1 of $rounds: after eviction: ${names[index]}"
    root_for "$FUNCTION_TOPICS" "$1" "$index"
    program=$bin/topic-alloc
    if ((index == 1)); then program=$scratch/peer; fi
    "$scratch/evict" "$program"
    command=${commands[index]//'{root}'/$(quoted "$root")}
    measure evicted "$FUNCTION_TOPICS" 1 "${names[index]}" "$1" "$runs" "${command//'{name}'/name}"
  done
}

# Usage: reserve SCOPE
# Creates a repository with a ledger in use, and sets `command` to one that reserves a number.
reserve() {
  local repository=$scratch/$1
  if [[ ! -d $repository ]]; then
    git init -q "$repository"
    git -C "$repository" config user.name bench
    git -C "$repository" config user.email bench@localhost
    if [[ $1 == configured ]]; then git -C "$repository" config topic-alloc.scope worktrees; fi
    "$bin/topic-alloc" --scope worktrees "$repository/specs" first >/dev/null
  fi
  command="$(quoted "$bin/topic-alloc") $(quoted "$repository/specs") name"
  if [[ $1 == explicit ]]; then command+=' --scope worktrees'; fi
}

# Usage: measure_reservations ROUND
# Measures the scope as an option, the scope in git's configuration, and ten of the latter at once.
measure_reservations() {
  local command scope
  for scope in explicit configured; do
    tell "round $1 of $rounds: reservations, scope $scope"
    reserve "$scope"
    measure reservation 1 1 "$scope scope" "$1" "$runs" "$command"
  done
  measure reservation "$CREW" 20 "configured scope" "$1" 3 \
    "xargs -a $(quoted "$scratch/few") -P $CREW -I '{name}' $command"
}

# Usage: measure_crew ROUND
measure_crew() {
  local index root command
  for index in "${!names[@]}"; do
    tell "round $1 of $rounds: $CREW at once: ${names[index]}"
    root_for "$CREW_TOPICS" "$1" "$index"
    command="xargs -a $(quoted "$scratch/names") -P $CREW -I '{name}' ${commands[index]}"
    measure ten "$CREW_TOPICS" "$CREW_CALLS" "${names[index]}" "$1" 3 \
      "${command//'{root}'/$(quoted "$root")}"
  done
}

# Usage: measure_function NAME LIBRARY FUNCTION ROUND
measure_function() {
  local root script
  tell "round $4 of $rounds: sourced: $1"
  root_for "$FUNCTION_TOPICS" "$4" "$3"
  script="source \"\$1\" && for ((i = 0; i < $FUNCTION_CALLS; i++)); do $3 \"\$2\" name; done"
  measure function "$FUNCTION_TOPICS" "$FUNCTION_CALLS" "$1" "$4" 3 \
    "env TOPIC_ALLOC_BIN=$(quoted "$bin") bash --norc -c $(quoted "$script") bash $(quoted "$2") $(quoted "$root")"
}

# Usage: machine
# Prints a JSON object that describes this machine.
machine() {
  local processor
  processor=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1)
  jq -n --arg date "$(date -u +%F)" --arg processor "${processor:-$(uname -m)}" \
    --arg kernel "$(uname -sr)" --arg file_system "$(stat -f -c %T "$scratch" 2>/dev/null || echo '?')" \
    --argjson processors "$(getconf _NPROCESSORS_ONLN)" \
    '{$date, $processor, $processors, $kernel, $file_system}'
}

rounds=5 runs=30 out=. bin='' full='' peers=()
while (($# > 0)); do
  case $1 in
  -p | --peer | --rounds | --runs | -o | --out | --bin)
    (($# > 1)) || fail "$EX_USAGE" "$1 needs a value"
    case $1 in
    -p | --peer)
      [[ $2 == ?*=?*'{root}'* ]] || fail "$EX_USAGE" "$1 takes 'NAME=COMMAND {root} {name}', not '$2'"
      peers+=("$2")
      ;;
    --rounds) positive "$1" "$2" && rounds=$2 ;;
    --runs) positive "$1" "$2" && runs=$2 ;;
    -o | --out) out=$2 ;;
    --bin) bin=$2 ;;
    esac
    shift 2
    ;;
  --full) full=yes && shift ;;
  -h | --help) print_help && exit ;;
  *) fail "$EX_USAGE" "unknown argument '$1'; run 'bench.sh --help'" ;;
  esac
done

need hyperfine hyperfine
need jq jq
need cc gcc
need git git
if [[ -z $bin ]]; then bin=$(build); fi
bin=$(cd -- "$bin" && pwd)
[[ -x $bin/topic-alloc ]] || fail "$EX_UNAVAILABLE" "topic-alloc is missing in '$bin'"
mkdir -p -- "$out"

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
scratch=$(mktemp -d "${TMPDIR:-/tmp}/topic-alloc-bench.XXXXXX")
cc -O2 -static -o "$scratch/peer" "$here/bench/peer.c"
cc -O2 -static -o "$scratch/evict" "$here/bench/evict.c"
seq "$CREW_CALLS" >"$scratch/names"
seq 20 >"$scratch/few"

names=() commands=()
contender 'topic-alloc' "$(quoted "$bin/topic-alloc") {root} {name}"
contender 'C, static' "$(quoted "$scratch/peer") {root} {name}"
contender 'mktemp -d' 'mktemp -d {root}/XXXXXXXX'
contender 'bash and flock' "bash --norc $(quoted "$here/bench/flock.sh") {root} {name}"
for peer in ${peers[@]+"${peers[@]}"}; do contender "${peer%%=*}" "${peer#*=}"; done

sizes=(10 100 1000 10000 100000)
if [[ -n $full ]]; then sizes+=(1000000); fi
for size in "${sizes[@]}"; do
  if ((size > SMALL)); then tell "creating $size topics" && root_for "$size" 0 0; fi
done
for ((round = 1; round <= rounds; round++)); do
  for size in "${sizes[@]}"; do measure_process "$size" "$round"; done
  measure_evicted "$round"
  measure_crew "$round"
  measure_reservations "$round"
  measure_function 'topic-alloc' "$project/shell/unified-location-detection.sh" \
    allocate_and_create_topic "$round"
  measure_function 'bash and flock' "$here/bench/flock.sh" allocate "$round"
done

order=$(jq -cn '$ARGS.positional' --args -- "${names[@]}" 'explicit scope' 'configured scope')
jq -s --argjson machine "$(machine)" --argjson order "$order" -f "$here/bench/summary.jq" \
  "$scratch/measurements" >"$out/bench.json"
jq -r -f "$here/bench/plot.jq" "$out/bench.json" >"$out/bench.svg"
tell ''
jq -r -f "$here/bench/table.jq" "$out/bench.json"
printf '\n%s\n%s\n' "$out/bench.json" "$out/bench.svg"
