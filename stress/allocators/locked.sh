#!/usr/bin/env bash
# Usage: locked.sh ROOT NAME
#
# Allocates with the old protocol, as existing bash libraries do: flock on the lock file, scan, mkdir.
# Truncates the lock file before it locks it, and only reads numbers of three digits.
# Prints "042|ROOT/042_NAME".
set -euo pipefail

# Usage: allocate ROOT NAME
allocate() {
  local root=$1 name=$2 highest number
  mkdir -p -- "$root"
  {
    flock -x 200
    highest=$(find "$root" -mindepth 1 -maxdepth 1 -name '[0-9][0-9][0-9]_*' -printf '%f\n' |
      sed 's/_.*//' | sort -n | tail -n 1)
    number=$(printf '%03d' $((10#${highest:-0} + 1)))
    mkdir -p -- "$root/${number}_$name"
    printf '%s|%s\n' "$number" "$root/${number}_$name"
  } 200>"$root/.topic_number.lock"
}

allocate "$@"
