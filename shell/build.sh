#!/usr/bin/env bash
#
# Builds the programs for release. Usage: build.sh --help

set -euo pipefail

# Sorts addresses and names the same way everywhere.
export LC_ALL=C

# Exit statuses of sysexits.h.
readonly EX_USAGE=64 EX_UNAVAILABLE=69

scratch=''

# Usage: print_help
print_help() {
  cat <<'END_OF_HELP'
Usage: build.sh

Builds the programs for release, and prints the directory that they are in.

If valgrind and gold are there, it also lays the functions that a start of topic-alloc runs side
by side, so that a start touches fewer pages: it traces which ones run, and links again. Otherwise
the linker keeps its own order, and the programs do the same.

  -h, --help      print this help

Exit status: 0 done, 64 wrong usage, 69 the build fails.
END_OF_HELP
}

# Usage: fail CODE MESSAGE
fail() {
  printf 'build.sh: %s\n' "$2" >&2
  exit "$1"
}

# Usage: clean_up
clean_up() {
  if [[ -n $scratch ]]; then rm -rf -- "$scratch"; fi
}

# Usage: build
# Builds with the order of an earlier trace, if there is one.
build() {
  if [[ -s $order ]]; then export STARTUP_ORDER=$order; else unset STARTUP_ORDER; fi
  swift build -c release --package-path "$project" >&2
}

# Usage: trace ARGUMENT...
# Prints the addresses that topic-alloc executes.
trace() {
  valgrind --tool=lackey --trace-mem=yes --log-file="$scratch/trace" "$scratch/program" "$@" \
    >/dev/null
  awk '/^I / { sub(/,.*/, "", $2); if (!seen[$2]++) print $2 }' "$scratch/trace"
}

# Usage: functions
# Reads addresses, and prints the names of the functions that cover them.
functions() {
  # In both lists, addresses have 16 digits, so that they sort as text.
  nm -S "$scratch/program" | awk 'NF == 4 && $3 ~ /[tTwW]/ { print $1, 1, $2, $4 }' \
    >"$scratch/table"
  awk '{ print substr("0000000000000000" $1, length($1) + 1), 2 }' | sort -u - "$scratch/table" |
    awk '
      function number(digits, i, n) {
        for (i = 1; i <= length(digits); i++)
          n = n * 16 + index("0123456789abcdef", substr(digits, i, 1)) - 1
        return n
      }
      # The functions that begin at one address wait for an address within them.
      $2 == 1 {
        if ($1 != start) { count = 0; end = 0; start = $1 }
        size = number($3)
        if (number($1) + size > end) end = number($1) + size
        waiting[++count] = $4
      }
      $2 == 2 && count && number($1) < end {
        for (i = 1; i <= count; i++) print waiting[i]
        count = 0
      }'
}

# Usage: can_order PROGRAM
# Whether PROGRAM can be traced and linked in another order.
can_order() {
  local tool
  for tool in valgrind nm strip awk ld.gold; do
    command -v "$tool" >/dev/null || return 1
  done
  [[ $(head -c 4 -- "$1" | tr -d '\177') == ELF ]]
}

# Usage: write_order PROGRAM
# Traces PROGRAM and writes the order of its sections.
write_order() {
  # valgrind cannot read all debug information of Swift.
  strip -S -o "$scratch/program" "$1" &&
    {
      trace "$scratch/root" name && trace --format path "$scratch/root" name
    } | functions | sed 's/^/.text./' | sort -u >"$scratch/order" &&
    [[ -s $scratch/order ]] && mv -- "$scratch/order" "$order"
}

# Usage: main [OPTION]
main() {
  local project order programs
  case ${1-} in
    '') ;;
    -h | --help)
      print_help
      return
      ;;
    *) fail "$EX_USAGE" "unknown argument '$1'; run 'build.sh --help'" ;;
  esac
  project=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  order=$project/.build/startup.order
  command -v swift >/dev/null ||
    fail "$EX_UNAVAILABLE" "swift is missing: install a Swift toolchain, version 6.0 or later"
  build || fail "$EX_UNAVAILABLE" "cannot build '$project': see above"
  programs=$(swift build -c release --package-path "$project" --show-bin-path)
  if [[ $programs/topic-alloc -nt $order ]] && can_order "$programs/topic-alloc"; then
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    scratch=$(mktemp -d)
    if write_order "$programs/topic-alloc" && rm -f -- "$programs/topic-alloc" && build; then
      touch -- "$order"
    else
      printf 'build.sh: cannot order the functions of the start; the programs work without that\n' >&2
      rm -f -- "$order"
      build || fail "$EX_UNAVAILABLE" "cannot build '$project': see above"
    fi
  fi
  printf '%s\n' "$programs"
}

main "$@"
