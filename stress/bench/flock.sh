#!/usr/bin/env bash
# Usage: flock.sh ROOT NAME, or source it and call: allocate ROOT NAME
#
# Allocates as a careful bash script does with standard tools: flock, scan, mkdir.
# Prints "042|ROOT/042_NAME".

# Usage: allocate ROOT NAME
allocate() {
  local root=$1 name=$2 highest number
  {
    flock -x 200 || return
    highest=$(find "$root" -mindepth 1 -maxdepth 1 -name '[0-9][0-9][0-9]*_*' -printf '%f\n' |
      sed 's/_.*//' | sort -n | tail -n 1)
    printf -v number '%03d' "$((10#${highest:-0} + 1))"
    mkdir -- "$root/${number}_$name" || return
  } 200>>"$root/.topic_number.lock"
  printf '%s|%s\n' "$number" "$root/${number}_$name"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then allocate "$@"; fi
