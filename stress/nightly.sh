#!/usr/bin/env bash
#
# Runs the stress harness for a night. Usage: nightly.sh --help

set -euo pipefail

# Numbers with a point, whatever the user's language.
export LC_ALL=C

# Exit codes of sysexits.h.
readonly EX_USAGE=64 EX_UNAVAILABLE=69 EX_NOPERM=77

# The directory of this script, and the top of the project.
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here project=${here%/*}

# How much of the time a phase takes is said in parts of this.
readonly ALL_PARTS=36

passed=0
failed=0
skipped=0
scratch=''

# Usage: print_help
print_help() {
  cat <<'END_OF_HELP'
Usage: nightly.sh [option]... [MINUTES]

Runs everything against topic-alloc in about MINUTES minutes (default 10; fractions allowed): the
model of the lock protocol, a plain run, the old protocol and version 0.1 mixed in, every kind of
chaos, work trees
and clones, the claims of a plan, the crash matrix, and an allocator without a lock, which has to be found out. Prints a line for each and, of
what failed, all that is known. Builds the release first, where there is a Swift toolchain.

  -d, --run-dir DIR   where runs and metrics are kept (default: as topic-stress)
      --bin DIR       take topic-stress and topic-alloc from DIR and build nothing
      --no-model      leave the model out (it needs spin and gcc)
  -h, --help          print this

Exit codes: 0 all is well, 1 something failed, 64 wrong usage, 69 there is nothing to run.
END_OF_HELP
}

# Usage: fail CODE MESSAGE
fail() {
  printf 'nightly.sh: %s\n' "$2" >&2
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
    fail "$EX_UNAVAILABLE" "there is no swift to build with; name built programs with --bin"
  swift build --package-path "$project" -c release >&2 &&
    swift build --package-path "$project" -c release --show-bin-path
}

# Usage: figures FILE
# Prints calls and throughput from the report of a run.
figures() {
  awk '
    $1 == "Calls" { calls = $2 }
    $1 == "Throughput" { rate = $2 }
    END { printf "%9s calls  %6s/s", calls ? calls : "-", rate ? rate : "-" }' "$1"
}

# Usage: tell VERDICT NAME DETAILS
tell() {
  printf '%-4s  %-22s  %s\n' "$1" "$2" "$3"
  case $1 in
  ok) passed=$((passed + 1)) ;;
  skip) skipped=$((skipped + 1)) ;;
  *) failed=$((failed + 1)) ;;
  esac
}

# Usage: check_model
# The lock protocol, state by state.
check_model() {
  local status=0 log=$scratch/model
  "$here/model/check.sh" >"$log" 2>&1 || status=$?
  case $status in
  0) tell ok model "$(tail -n 1 "$log")" ;;
  "$EX_UNAVAILABLE") tell skip model "$(tail -n 1 "$log")" ;;
  *)
    tell FAIL model "code $status"
    cat -- "$log"
    ;;
  esac
}

# Usage: run_program OPTION...
# Runs topic-stress in the background, so that a signal to this script can end it first.
run_program() {
  local status=0
  "$bin/topic-stress" ${run_dir[@]+"${run_dir[@]}"} "$@" >"$scratch/report" 2>"$scratch/error" &
  child=$!
  wait "$child" || status=$?
  child=''
  return "$status"
}

# Usage: stop CODE
# Ends what runs, and then this script.
stop() {
  if [[ -n $child ]]; then
    kill -TERM "$child" || true
    wait "$child" || true
  fi
  exit "$1"
}

# Usage: run_phase NAME EXPECTED OPTION...
# One run of topic-stress. What needs strace or a mount is skipped where that cannot be had.
run_phase() {
  local name=$1 expected=$2 status=0 log=$scratch/report
  shift 2
  run_program "$@" || status=$?
  if ((status > 128)); then exit "$status"; fi
  case $expected/$status in
  pass/0) tell ok "$name" "$(figures "$log")" ;;
  fail/1) tell ok "$name" "$(head -n 1 "$log")" ;;
  *)
    if can_be_missing "$status" "$*" "$scratch/error"; then
      tell skip "$name" "$(head -n 1 "$scratch/error")"
    else
      tell FAIL "$name" "code $status"
      cat -- "$log" "$scratch/error"
    fi
    ;;
  esac
}

# Usage: can_be_missing STATUS OPTIONS ERRORS
# Whether a run ended because the machine has no strace, or may not mount.
can_be_missing() {
  case $1 in
  "$EX_UNAVAILABLE") [[ $2 == *syscall-kill* ]] && grep -q 'needs strace' "$3" ;;
  "$EX_NOPERM") [[ $2 == *full* ]] && grep -q 'cannot mount' "$3" ;;
  *) false ;;
  esac
}

# Usage: timed PARTS NAME OPTION...
# A run that takes its part of the time, and has to pass.
timed() {
  local parts=$1 name=$2
  shift 2
  run_phase "$name" pass --minutes \
    "$(awk -v "minutes=$minutes" -v "parts=$parts" -v "all=$ALL_PARTS" \
      'BEGIN { printf "%.4f", minutes * parts / all }')" "$@"
}

# Usage: mix_version_0_1
# Version 0.1, which keeps its record of the highest number in the lock file, in the same root.
mix_version_0_1() {
  local name='version 0.1 mixed in' old=$scratch/version-0.1
  if ! command -v cc >/dev/null; then
    tell skip "$name" 'it needs cc'
    return
  fi
  cc -O2 -DVERSION_0_1 -o "$old" "$here/bench/peer.c"
  timed 2 "$name" --chaos lockfile --mix "'$old' {root} {name}"
}

# Usage: run_phases
# A plain run that is half as fast as the last ten, against the starts of processes that do nothing,
# fails, too.
run_phases() {
  timed 8 'plain' --fail-below 0.5
  timed 3 'old protocol mixed in' --mix "'$here/allocators/locked.sh' {root} {name}"
  mix_version_0_1
  timed 2 'kill' --chaos kill
  timed 2 'pause' --chaos pause
  timed 2 'lock file deleted' --chaos lockfile
  timed 2 'bystander' --chaos foreign
  timed 2 'disk full' --chaos full
  timed 2 'few descriptors' --chaos nofile
  timed 3 'all at once' --chaos kill,syscall-kill,pause,lockfile,foreign,full,nofile
  timed 2 'work trees' --scope worktrees --processes 16 --chaos kill
  timed 3 'clones' --scope remote --processes 16 --chaos kill,slow
  timed 3 'clones of a daemon' --scope remote --serve --processes 16 --chaos kill,daemon
  run_phase 'claims' pass --workload claims --tasks 200 --run-dir "$scratch/claims"
  run_phase 'crash matrix' pass --chaos syscall-kill
  run_phase 'no lock: found out' fail --allocator "'$here/allocators/unlocked.sh' {root} {name}"
}

# Usage: main [ARGUMENT]...
main() {
  local with_model=1
  minutes='' bin=''
  run_dir=()
  while (($# > 0)); do
    case $1 in
    -h | --help)
      print_help
      return
      ;;
    -d | --run-dir | --bin)
      (($# > 1)) || fail "$EX_USAGE" "option '$1' needs a value"
      if [[ $1 == --bin ]]; then bin=$2; else run_dir=(--run-dir "$2"); fi
      shift
      ;;
    --no-model) with_model=0 ;;
    -*) fail "$EX_USAGE" "unknown option '$1'; see 'nightly.sh --help'" ;;
    *)
      [[ -z $minutes ]] || fail "$EX_USAGE" "one duration is enough: '$minutes' or '$1'"
      minutes=$1
      ;;
    esac
    shift
  done
  minutes=${minutes:-10}
  [[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ && ! $minutes =~ ^0+(\.0*)?$ ]] ||
    fail "$EX_USAGE" "MINUTES is a number, such as 10 or 0.5, not '$minutes'"
  if [[ -z $bin ]]; then bin=$(build); fi
  [[ -x $bin/topic-stress && -x $bin/topic-alloc ]] ||
    fail "$EX_UNAVAILABLE" "'$bin' does not hold topic-stress and topic-alloc"

  child=''
  trap clean_up EXIT
  trap 'stop 129' HUP
  trap 'stop 130' INT
  trap 'stop 143' TERM
  scratch=$(mktemp -d)
  SECONDS=0
  if ((with_model)); then check_model; fi
  run_phases
  printf '%d passed, %d failed, %d skipped in %d min %d s\n' \
    "$passed" "$failed" "$skipped" $((SECONDS / 60)) $((SECONDS % 60))
  ((failed == 0 && passed > 0))
}

main "$@"
