#!/usr/bin/env bash
#
# Searches the model of the lock protocol, lock.pml, exhaustively. Usage: check.sh --help

set -euo pipefail

# Numbers have a decimal point, whatever the user's locale.
export LC_ALL=C

# Exit codes of sysexits.h.
readonly EX_USAGE=64 EX_UNAVAILABLE=69

# The longest path through the model has a few hundred steps. Reaching this limit is a failure.
readonly MAX_DEPTH=10000

# The number of searches at once, and the memory limit of each in megabytes. Reaching this limit is a
# failure, too.
readonly JOBS=2 MAX_MEMORY=1800

# What pan prints if it has not searched all states.
readonly INCOMPLETE='max search depth too small|search not completed|search incomplete|out of memory'

# Holds the files of spin and pan, in a directory for each configuration.
scratch=''

# The running searches, as process groups.
running=()

# Usage: print_help
print_help() {
  cat <<'END_OF_HELP'
Usage: check.sh [NAME...]
       check.sh --trace NAME

Searches all states of the lock protocol with spin, in each configuration below or in those named.
Most must hold. The broken variants and the cases without a guarantee must yield a counterexample,
which shows that the model can find one.

      --trace NAME    print the steps of a counterexample in the configuration NAME
  -h, --help          print this help

Exit codes: 0 all as expected, 1 some not, 64 wrong usage, 69 spin or gcc is missing.

Configurations:
END_OF_HELP
  local name expected description macros
  while IFS='|' read -r name expected description macros; do
    printf '  %-22s  %s\n' "$name" "$description"
  done < <(configurations)
}

# Usage: configurations
# Prints a line NAME|EXPECTED|DESCRIPTION|MACROS for each. EXPECTED is "holds" or the property that must
# be violated.
configurations() {
  cat <<'END_OF_TABLE'
mixed-2-2|holds|2 new, 2 old, 2 crashes|-DNEW=2 -DOLD=2 -DCRASHES=2
new-3|holds|3 new, 2 crashes, 2 deletions|-DNEW=3 -DCRASHES=2 -DDELETIONS=2
new-4-crash|holds|4 new, 1 crash|-DNEW=4 -DCRASHES=1
new-4-deletion|holds|4 new, 1 deletion|-DNEW=4 -DDELETIONS=1
mixed-3-1|holds|3 new, 1 old, 1 crash|-DNEW=3 -DOLD=1 -DCRASHES=1
renaming-2|holds|2 new, 2 renamings, 2 crashes, 2 deletions|-DNEW=2 -DRENAMINGS=2 -DCRASHES=2 -DDELETIONS=2
renaming-3|holds|3 new, 1 renaming, 1 crash|-DNEW=3 -DRENAMINGS=1 -DCRASHES=1
names|holds|3 new, 2 names each, 1 signal, 1 crash, 1 deletion|-DNEW=3 -DNAMES=2 -DSIGNALS=1 -DCRASHES=1 -DDELETIONS=1
names-mixed|holds|2 new, 3 names each, 1 old, 2 signals, 2 crashes|-DNEW=2 -DNAMES=3 -DOLD=1 -DSIGNALS=2 -DCRASHES=2
among-new|holds|2 new, 1 old, 1 crash, 2 deletions: the new are kept apart|-DNEW=2 -DOLD=1 -DCRASHES=1 -DDELETIONS=2 -DONLY=number_once_among_new
release-before-mkdir|number_once|broken: locks released before mkdir|-DNEW=2 -DRELEASE_BEFORE_MKDIR
one-lock-only|number_once|broken: no second lock, 1 deletion|-DNEW=2 -DONE_LOCK_ONLY -DDELETIONS=1
no-second-look|root_at_path|broken: path not looked up again, 1 renaming|-DNEW=2 -DNO_SECOND_LOOK -DRENAMINGS=1
undo-oldest-first|numbers_complete|broken: oldest topic undone first, 1 signal, 1 crash|-DNEW=2 -DNAMES=2 -DUNDO_OLDEST_FIRST -DSIGNALS=1 -DCRASHES=1
limit-deletion|number_once|not guaranteed: 1 new, 1 old, 1 deletion|-DNEW=1 -DOLD=1 -DDELETIONS=1
limit-renaming|number_once|not guaranteed: 1 new, 1 old, 1 renaming|-DNEW=1 -DOLD=1 -DRENAMINGS=1
END_OF_TABLE
}

# Usage: configuration NAME
# Prints the line of NAME. Fails if there is none.
configuration() {
  configurations | awk -F '|' -v name="$1" '
    $1 == name { print; found = 1 }
    END { exit !found }'
}

# Usage: fail_usage MESSAGE
fail_usage() {
  printf "check.sh: %s; run 'check.sh --help'\n" "$1" >&2
  exit "$EX_USAGE"
}

# Usage: require PROGRAM
require() {
  command -v "$1" >/dev/null && return
  printf "check.sh: %s is missing; run 'apt-get install spin gcc'\n" "$1" >&2
  exit "$EX_UNAVAILABLE"
}

# Usage: clean_up
clean_up() {
  local group
  for group in "${running[@]}"; do
    if kill -- "-$group"; then wait "$group" || true; fi
  done 2>/dev/null
  if [[ -n $scratch ]]; then rm -rf -- "$scratch"; fi
}

# Usage: prepare
# Checks that the programs exist, and copies the model to a scratch directory.
prepare() {
  require spin
  require gcc
  trap clean_up EXIT
  scratch=$(mktemp -d)
  cp -- "$(dirname -- "${BASH_SOURCE[0]}")/lock.pml" "$scratch"
}

# Usage: seconds_since MICROSECONDS
seconds_since() {
  local passed=$((${EPOCHREALTIME/./} - $1))
  printf '%d.%d' $((passed / 1000000)) $((passed / 100000 % 10))
}

# Usage: flags_of EXPECTED MACROS
# Prints the macros, one per line. A counterexample is searched for the expected property alone,
# because one to undisturbed_scan is shorter and would come first.
flags_of() {
  local flags
  read -ra flags <<<"$2"
  if [[ $1 != holds ]]; then flags+=("-DONLY=$1"); fi
  printf '%s\n' "${flags[@]}"
}

# Usage: build EXPECTED MACROS
# Builds pan in the current directory. Counterexamples are searched breadth first, which finds the
# shortest, and so fast that compiling with optimization would take longer.
build() {
  local flags options=(-O2)
  mapfile -t flags < <(flags_of "$1" "$2")
  if [[ $1 != holds ]]; then options=(-O0 -DBFS); fi
  spin -a "${flags[@]}" lock.pml &&
    gcc -w "${options[@]}" -DSAFETY "-DMEMLIM=$MAX_MEMORY" -o pan pan.c
}

# Usage: search NAME EXPECTED MACROS
# Searches in a directory of its own, which becomes the current one. Leaves `output` there, and `steps`
# if there is a counterexample.
search() {
  local flags
  mkdir -- "$scratch/$1"
  cd -- "$scratch/$1"
  cp -- ../lock.pml .
  : >output
  build "$2" "$3" >messages 2>&1 || return
  # The output of pan counts, not its exit code.
  ./pan "-m$MAX_DEPTH" >output 2>&1 || true
  if [[ -e lock.pml.trail ]]; then
    mapfile -t flags < <(flags_of "$2" "$3")
    # Keep the steps, without warnings and the variables at the end.
    spin -t -T "${flags[@]}" lock.pml | grep -E '^(new|old|others|violated)\b' >steps
  fi
}

# Usage: states
# Prints the number of states that the search stored.
states() {
  awk '/states, stored/ { number = $1 } END { print number + 0 }' output
}

# Usage: violated
# Prints the property that the search found violated, if any.
violated() {
  if [[ ! -e steps ]]; then return; fi
  if grep -q '^violated: ' steps; then
    sed -n 's/^violated: //p' steps
  elif grep -q 'invalid end state' output; then
    echo 'no_deadlock'
  else
    echo 'something that spin names above'
    cat output >&2
  fi
}

# Usage: is_exhaustive
# Succeeds if the search has seen every state and found nothing.
is_exhaustive() {
  grep -q '^Full statespace search' output && grep -q 'errors: 0$' output &&
    ! grep -Eiq "$INCOMPLETE" output
}

# Usage: objection EXPECTED
# Prints what is wrong with the search, if anything.
objection() {
  local found
  found=$(violated)
  if [[ $1 == holds && -n $found ]]; then
    echo "violates $found"
  elif [[ $1 == holds ]]; then
    is_exhaustive || echo 'the search was not exhaustive'
  elif [[ $found != "$1" ]]; then
    echo "no counterexample to $1 was found"
  fi
}

# Usage: check NAME EXPECTED DESCRIPTION MACROS
# Checks a configuration and prints its line. Fails if the result is not as expected.
check() {
  local begin=${EPOCHREALTIME/./} wrong='spin or gcc rejects the model:' verdict='ok'
  if search "$1" "$2" "$4"; then wrong=$(objection "$2"); fi
  if [[ -n $wrong ]]; then verdict='FAIL'; fi
  printf '%-4s  %-56s  %8s states  %5s s\n' "$verdict" "$3" "$(states)" "$(seconds_since "$begin")"
  if [[ -z $wrong ]]; then return; fi
  printf '      %s: %s\n' "$1" "$wrong"
  sed 's/^/      /' messages
  return 1
}

# Usage: finish
# Waits for the oldest search and prints its line. Fails if the search does.
finish() {
  local first=${running[0]} status=0
  wait "$first" || status=$?
  running=("${running[@]:1}")
  cat -- "$scratch/$first"
  return "$status"
}

# Usage: check_all [NAME...]
# Checks the named configurations, or all.
check_all() {
  local name expected description macros checked=0 failed=0
  # Each search becomes a process group, so that it can be killed with its children.
  set -m
  while IFS='|' read -r name expected description macros; do
    if (($# > 0)) && [[ " $* " != *" $name "* ]]; then continue; fi
    if ((${#running[@]} == JOBS)); then finish || failed=$((failed + 1)); fi
    # BASHPID in the subshell is `$!` here.
    (check "$name" "$expected" "$description" "$macros" >"$scratch/$BASHPID") &
    running+=("$!")
    checked=$((checked + 1))
  done < <(configurations)
  while ((${#running[@]} > 0)); do finish || failed=$((failed + 1)); done
  printf '%d checked, %d failed\n' "$checked" "$failed"
  ((failed == 0))
}

# Usage: trace NAME
# Prints the steps of a counterexample. Fails if there is none.
trace() {
  local name expected description macros
  IFS='|' read -r name expected description macros < <(configuration "$1")
  search "$name" "$expected" "$macros"
  if [[ -z $(violated) ]]; then
    printf 'check.sh: %s has no counterexample\n' "$name" >&2
    return 1
  fi
  printf '%s (%s)\n\n' "$description" "$macros"
  grep -v '^violated: ' steps | cat -n
  printf '\nviolated: %s\n' "$(violated)"
}

# Usage: require_names NAME...
require_names() {
  local name
  for name in "$@"; do
    configuration "$name" >/dev/null || fail_usage "unknown configuration '$name'"
  done
}

# Usage: main [ARGUMENT...]
main() {
  case ${1-} in
  -h | --help)
    print_help
    ;;
  --trace)
    (($# == 2)) || fail_usage '--trace takes one NAME'
    require_names "$2"
    prepare
    trace "$2"
    ;;
  -*)
    fail_usage "unknown option '$1'"
    ;;
  *)
    require_names "$@"
    prepare
    check_all "$@"
    ;;
  esac
}

main "$@"
