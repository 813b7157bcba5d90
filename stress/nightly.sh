#!/usr/bin/env bash
#
# Runs all stress tests, as a nightly job does. Usage: nightly.sh --help

set -euo pipefail

# Numbers have a decimal point, whatever the user's locale.
export LC_ALL=C

# Exit codes of sysexits.h.
readonly EX_USAGE=64 EX_UNAVAILABLE=69 EX_NOPERM=77

# The directory of this script, and the top of the project.
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here project=${here%/*}

# The shares of all timed phases add up to this.
readonly ALL_PARTS=36

passed=0
failed=0
skipped=0
scratch=''

# Usage: print_help
print_help() {
  cat <<'END_OF_HELP'
Usage: nightly.sh [option]... [MINUTES]

Tests topic-alloc in about MINUTES minutes (default 10; fractions are allowed): checks the model of
the lock protocol, and runs topic-stress plainly, with the old protocol and version 0.1 mixed in,
with every kind of chaos, in work trees and clones, with the claims of a plan, with the crash
matrix, and with an allocator without a lock, which must fail. Prints a line for each phase, and the
whole report if it fails. Skips what the machine lacks a tool or permission for. Builds the release
first.

  -d, --run-dir DIR   keep runs and metrics in DIR (default: as topic-stress)
      --bin DIR       use topic-stress, topic-alloc and topic in DIR and build nothing
      --no-model      skip the model (it needs spin and gcc)
  -h, --help          print this help

Exit codes: 0 all phases passed, 1 a phase failed, 64 wrong usage, 69 the programs are missing.
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
    fail "$EX_UNAVAILABLE" "swift is missing; pass the directory of built programs with --bin"
  "$project/shell/build.sh"
}

# Usage: figures FILE
# Prints the calls and the throughput of a report.
figures() {
  awk '
    $1 == "Calls" { calls = $2 }
    $1 == "Throughput" { rate = $2 }
    END { printf "%9s calls  %6s/s", calls ? calls : "-", rate ? rate : "-" }' "$1"
}

# Usage: report VERDICT NAME DETAILS
# Prints the line of a phase and counts it.
report() {
  printf '%-4s  %-22s  %s\n' "$1" "$2" "$3"
  case $1 in
  ok) passed=$((passed + 1)) ;;
  skip) skipped=$((skipped + 1)) ;;
  *) failed=$((failed + 1)) ;;
  esac
}

# Usage: check_model
# Searches all states of the lock protocol.
check_model() {
  local status=0 log=$scratch/model
  "$here/model/check.sh" >"$log" 2>&1 || status=$?
  case $status in
  0) report ok model "$(tail -n 1 "$log")" ;;
  "$EX_UNAVAILABLE") report skip model "$(tail -n 1 "$log")" ;;
  *)
    report FAIL model "code $status"
    cat -- "$log"
    ;;
  esac
}

# Usage: run_program OPTION...
# Runs topic-stress in the background, so that a signal to this script can end it.
run_program() {
  local status=0
  "$bin/topic-stress" ${run_dir[@]+"${run_dir[@]}"} "$@" >"$scratch/report" 2>"$scratch/error" &
  child=$!
  wait "$child" || status=$?
  child=''
  return "$status"
}

# Usage: stop CODE
# Ends the running program and then this script.
stop() {
  if [[ -n $child ]]; then
    kill -TERM "$child" || true
    wait "$child" || true
  fi
  exit "$1"
}

# Usage: run_phase NAME EXPECTED OPTION...
# Runs topic-stress, which must pass or fail as EXPECTED. Skips the phase if strace or a mount is
# unavailable.
run_phase() {
  local name=$1 expected=$2 status=0 log=$scratch/report
  shift 2
  run_program "$@" || status=$?
  if ((status > 128)); then exit "$status"; fi
  case $expected/$status in
  pass/0) report ok "$name" "$(figures "$log")" ;;
  fail/1) report ok "$name" "$(head -n 1 "$log")" ;;
  *)
    if is_unavailable "$status" "$*" "$scratch/error"; then
      report skip "$name" "$(head -n 1 "$scratch/error")"
    else
      report FAIL "$name" "code $status"
      cat -- "$log" "$scratch/error"
    fi
    ;;
  esac
}

# Usage: is_unavailable STATUS OPTIONS ERRORS
# Succeeds if a run failed because strace is missing or a mount is not permitted.
is_unavailable() {
  case $1 in
  "$EX_UNAVAILABLE") [[ $2 == *syscall-kill* ]] && grep -q 'needs strace' "$3" ;;
  "$EX_NOPERM") [[ $2 == *full* ]] && grep -q 'cannot mount' "$3" ;;
  *) false ;;
  esac
}

# Usage: timed PARTS NAME OPTION...
# Runs topic-stress for PARTS of the time. The run must pass.
timed() {
  local parts=$1 name=$2
  shift 2
  run_phase "$name" pass --minutes \
    "$(awk -v "minutes=$minutes" -v "parts=$parts" -v "all=$ALL_PARTS" \
      'BEGIN { printf "%.4f", minutes * parts / all }')" "$@"
}

# Usage: mix_version_0_1
# Lets version 0.1, which records the highest number in the lock file, number in the same root.
mix_version_0_1() {
  local name='version 0.1 mixed in' old=$scratch/version-0.1
  if ! command -v cc >/dev/null; then
    report skip "$name" 'cc is missing'
    return
  fi
  cc -O2 -DVERSION_0_1 -o "$old" "$here/bench/peer.c"
  timed 2 "$name" --chaos lockfile --mix "'$old' {root} {name}"
}

# Usage: run_phases
# The plain run also fails if it is less than half as fast as the last ten, measured against the
# start of processes that do nothing.
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
    -*) fail "$EX_USAGE" "unknown option '$1'; run 'nightly.sh --help'" ;;
    *)
      [[ -z $minutes ]] || fail "$EX_USAGE" "MINUTES is given twice: '$minutes' and '$1'"
      minutes=$1
      ;;
    esac
    shift
  done
  minutes=${minutes:-10}
  [[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ && ! $minutes =~ ^0+(\.0*)?$ ]] ||
    fail "$EX_USAGE" "MINUTES must be a number such as 10 or 0.5, not '$minutes'"
  if [[ -z $bin ]]; then bin=$(build); fi
  [[ -x $bin/topic-stress && -x $bin/topic-alloc ]] ||
    fail "$EX_UNAVAILABLE" "topic-stress or topic-alloc is missing in '$bin'"

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
