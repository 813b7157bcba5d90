#!/usr/bin/env bash
#
# Draws ten processes that number with and without a lock. Usage: collisions.sh --help

set -euo pipefail

export LC_ALL=C.UTF-8

# Exit codes of sysexits.h.
readonly EX_USAGE=64 EX_DATAERR=65 EX_UNAVAILABLE=69

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here project=${here%/*/*}
# Relative to the project, so that the picture shows the command that ran.
readonly UNLOCKED='stress/allocators/unlocked.sh {root} {name}'

scratch=''

# Usage: print_help
print_help() {
  cat <<'END_OF_HELP'
Usage: collisions.sh [option]...

Runs topic-stress twice, first on an allocator without a lock and then on topic-alloc, and
draws the beginning of both outputs as a terminal: an SVG picture for light and dark pages.
Needs jq.

  -o, --out FILE    where the picture goes (default: collisions.svg beside this script)
      --bin DIR     take the programs from DIR and build nothing
  -h, --help        print this

Exit codes: 0 done, 64 wrong usage, 65 a run does not end as expected, 69 a tool is missing.
END_OF_HELP
}

# Usage: fail CODE MESSAGE
fail() {
  printf 'collisions.sh: %s\n' "$2" >&2
  exit "$1"
}

# Usage: clean_up
clean_up() {
  if [[ -n $scratch ]]; then rm -rf -- "$scratch"; fi
}

# Usage: build
# Builds the release and prints the directory of its programs.
build() {
  command -v swift >/dev/null ||
    fail "$EX_UNAVAILABLE" "cannot find swift: install it, or name built programs with --bin"
  "$project/shell/build.sh"
}

# Usage: stress EXPECTED OUTPUT [ARGUMENT]...
# Runs topic-stress, stores what it prints in OUTPUT, and checks its exit status.
stress() {
  local expected=$1 output=$2 status=0
  shift 2
  (cd -- "$project" && PATH=$bin:$PATH topic-stress --run-dir "$scratch/runs" "$@") \
    >"$output" || status=$?
  ((status == expected)) ||
    fail "$EX_DATAERR" "topic-stress ${*-} ended with $status instead of $expected: $(<"$output")"
}

# Usage: main [OPTION]...
main() {
  local out=$here/collisions.svg program
  bin=''
  while (($# > 0)); do
    case $1 in
    -h | --help)
      print_help
      return
      ;;
    -o | --out | --bin)
      [[ -n ${2-} ]] || fail "$EX_USAGE" "option '$1' needs a value"
      if [[ $1 == --bin ]]; then bin=$2; else out=$2; fi
      shift
      ;;
    *) fail "$EX_USAGE" "unknown argument '$1'; see 'collisions.sh --help'" ;;
    esac
    shift
  done
  command -v jq >/dev/null || fail "$EX_UNAVAILABLE" "cannot find jq: install it"
  if [[ -z $bin ]]; then bin=$(build); fi
  [[ -d $bin ]] || fail "$EX_UNAVAILABLE" "there is no directory '$bin'"
  bin=$(cd -- "$bin" && pwd)
  for program in topic-alloc topic-stress; do
    [[ -x $bin/$program ]] || fail "$EX_UNAVAILABLE" "there is no $program in '$bin'"
  done

  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/topic-alloc-collisions.XXXXXX")
  stress 1 "$scratch/without" --allocator "$UNLOCKED"
  stress 0 "$scratch/with"
  jq -nr --arg allocator "$UNLOCKED" --rawfile without "$scratch/without" \
    --rawfile with "$scratch/with" -f "$here/collisions.jq" >"$scratch/svg"
  cat "$scratch/svg" >"$out"
  printf '%s\n' "$out"
}

main "$@"
