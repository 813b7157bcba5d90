#!/usr/bin/env bash
# Usage: unlocked.sh ROOT NAME
#
# Allocates without a lock, as many scripts do: scan, then mkdir. Two processes that scan at the same
# time get the same number. Prints "042|ROOT/042_NAME".
set -euo pipefail

# Usage: highest_number ROOT
highest_number() {
  local root=$1 entry highest=0
  for entry in "$root"/[0-9][0-9][0-9]_*; do
    [[ -e $entry ]] || continue
    entry=${entry##*/}
    entry=$((10#${entry%%_*}))
    if ((entry > highest)); then highest=$entry; fi
  done
  printf '%s\n' "$highest"
}

# Usage: allocate ROOT NAME
allocate() {
  local root=$1 name=$2 number
  mkdir -p -- "$root"
  number=$(printf '%03d' "$(($(highest_number "$root") + 1))")
  mkdir -p -- "$root/${number}_$name"
  printf '%s|%s\n' "$number" "$root/${number}_$name"
}

allocate "$@"
