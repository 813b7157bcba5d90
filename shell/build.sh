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

# Usage: build [OPTION]
# Builds the programs, in a folder of their own, as their objects differ from those of swift build.
build() {
  swift build -c release --package-path "$project" --scratch-path "$project/.build/programs" "$@"
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

# Usage: can_order
# Whether the tools are there that trace a start and link in another order.
can_order() {
  local tool
  for tool in valgrind nm strip awk ld.gold; do
    command -v "$tool" >/dev/null || return 1
  done
}

# Usage: is_elf FILE
is_elf() {
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
  unset STARTUP_ORDER
  command -v swift >/dev/null ||
    fail "$EX_UNAVAILABLE" "swift is missing: install a Swift toolchain, version 6.0 or later"
  if can_order && mkdir -p -- "${order%/*}" && { [[ -e $order ]] || : >"$order"; }; then
    export STARTUP_ORDER=$order
  fi
  build >&2 || fail "$EX_UNAVAILABLE" "cannot build '$project': see above"
  programs=$(build --show-bin-path)
  if [[ -n ${STARTUP_ORDER-} ]] && is_elf "$programs/topic-alloc" &&
    [[ ! -s $order || $programs/topic-alloc -nt $order ]]; then
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    scratch=$(mktemp -d)
    if write_order "$programs/topic-alloc"; then
      # swift build does not notice that the file has changed.
      rm -f -- "$programs/topic-alloc"
      build >&2 || fail "$EX_UNAVAILABLE" "cannot link '$project' again: see above"
      touch -- "$order"
    else
      printf 'build.sh: cannot trace the start; topic-alloc works without that\n' >&2
    fi
  fi
  printf '%s\n' "$programs"
}

main "$@"
