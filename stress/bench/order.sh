#!/usr/bin/env bash
#
# Writes the linker's order of the start-up path. Usage: order.sh --help

set -euo pipefail

# Sorts addresses and names the same way everywhere.
export LC_ALL=C

# Exit codes of sysexits.h.
readonly EX_USAGE=64 EX_DATAERR=65 EX_UNAVAILABLE=69

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here project=${here%/*/*}
# Package.swift hands this file to the linker of release builds.
readonly order=$here/startup.order

scratch=''

# Usage: print_help
print_help() {
  cat <<'END_OF_HELP'
Usage: order.sh [option]...

Traces which functions run while topic-alloc creates one topic, and writes the names of their
sections to startup.order beside this script. The linker lays these sections side by side, so
that a start touches fewer pages. Names that a later version lacks do no harm, and without the
file the linker keeps its own order. swift build does not notice that the file changed: remove the
programs to link them again. Needs valgrind and binutils.

      --bin DIR   trace topic-alloc in DIR and build nothing
  -h, --help      print this help

Exit codes: 0 done, 64 wrong usage, 65 the trace fails, 69 a tool is missing.
END_OF_HELP
}

# Usage: fail CODE MESSAGE
fail() {
  printf 'order.sh: %s\n' "$2" >&2
  exit "$1"
}

# Usage: clean_up
clean_up() {
  if [[ -n $scratch ]]; then rm -rf -- "$scratch"; fi
}

# Usage: build
# Builds the release and prints the directory of its programs.
build() {
  swift build --package-path "$project" -c release --product topic-alloc >&2 &&
    swift build --package-path "$project" -c release --show-bin-path
}

# Usage: trace ARGUMENT...
# Prints the addresses that topic-alloc executes.
trace() {
  valgrind --tool=lackey --trace-mem=yes --log-file="$scratch/trace" "$scratch/program" "$@" \
    >/dev/null || fail "$EX_DATAERR" 'topic-alloc fails under valgrind'
  awk '/^I / { sub(/,.*/, "", $2); if (!seen[$2]++) print $2 }' "$scratch/trace"
}

# Usage: symbols
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

# Usage: main [ARGUMENT]...
main() {
  local bin='' tool
  while (($# > 0)); do
    case $1 in
    -h | --help)
      print_help
      return
      ;;
    --bin)
      (($# > 1)) || fail "$EX_USAGE" "option '$1' needs a value"
      bin=$2
      shift
      ;;
    *) fail "$EX_USAGE" "unknown argument '$1'; run 'order.sh --help'" ;;
    esac
    shift
  done
  for tool in valgrind nm strip awk; do
    command -v "$tool" >/dev/null || fail "$EX_UNAVAILABLE" "$tool is missing: install it"
  done
  if [[ -z $bin ]]; then bin=$(build); fi
  [[ -x $bin/topic-alloc ]] || fail "$EX_UNAVAILABLE" "topic-alloc is missing in '$bin'"

  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  scratch=$(mktemp -d)
  # valgrind cannot read all debug information of Swift.
  strip -S -o "$scratch/program" "$bin/topic-alloc"
  {
    trace "$scratch/root" name
    trace --format path "$scratch/root" name
  } | functions | sed 's/^/.text./' | sort -u >"$scratch/order"
  [[ -s $scratch/order ]] || fail "$EX_DATAERR" 'the trace is empty'
  mv -- "$scratch/order" "$order"
  printf '%s: %d sections\n' "$order" "$(wc -l <"$order")"
}

main "$@"
