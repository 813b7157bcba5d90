#!/usr/bin/env bash
# Usage: start-topic.sh DESCRIPTION...
#
# Takes a topic for a piece of work, starts its plan, and prints the path of the plan. Running it
# again with the same description continues in the same topic, with the next plan.
set -euo pipefail

# Usage: take_topic DESCRIPTION
# Sets TOPIC_NUMBER, TOPIC_NAME, TOPIC_PATH and the rest.
take_topic() {
  local assignments
  # A variable of its own, because eval "$(...)" would hide that the program failed.
  assignments=$(topic locate --reuse --format shell -- "$1")
  eval "$assignments"
}

# Usage: start_plan DESCRIPTION
start_plan() {
  local plan
  plan=$(topic artifact --suffix .md -- "$TOPIC_PATH" plans "$TOPIC_NAME")
  printf '# %s\n\nTopic %s of %s\n' "$1" "$TOPIC_NUMBER" "$PROJECT_ROOT" >"$plan"
  printf '%s\n' "$plan"
}

if [[ ${1-} == -h || ${1-} == --help ]]; then
  printf 'Usage: %s DESCRIPTION...\n' "${0##*/}"
  exit
fi
if [[ ${1-} == -- ]]; then shift; fi
if (($# == 0)); then
  printf 'Usage: %s DESCRIPTION...\n' "${0##*/}" >&2
  exit 64
fi
take_topic "$*"
start_plan "$*"
