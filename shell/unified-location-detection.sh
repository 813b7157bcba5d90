# shellcheck shell=bash
# Location detection and numbering for topics, to be sourced by bash 4.0 or later.
#
#   source unified-location-detection.sh
#   location=$(perform_location_detection "OAuth 2.0 login") || exit
#
# This replaces the library of that name. It has the same functions, with the same arguments,
# outputs and exit statuses. shell/README.md lists the functions and the differences.
#
# Functions look for the programs topic-alloc and topic in the directory $TOPIC_ALLOC_BIN, in PATH,
# beside this file, and in ../../bin from here, where install.sh puts them. A function that does not
# find its program says so and returns 127. Every other failure is 1, after a message on standard
# error. Functions that need no lock run no program if bash alone can do the work.
#
# Sourcing prints nothing, runs no process, and changes nothing but these functions and the guard,
# which holds the directory of this file.
#
# Concurrency guarantees
#
#   Three functions take numbers: perform_location_detection and allocate_and_create_topic in ROOT,
#   create_research_subdirectory in TOPIC/reports. They guarantee:
#
#   1. Unique. However many call at once, each gets a number that no other entry of the directory
#      has.
#   2. Dense. A call gets the highest number in use plus one, so numbering leaves no gap. (With a
#      scope of worktrees or remote, gaps are legal.)
#   3. Ordered. A call that begins after another has ended gets the higher number.
#   4. True. When a function prints a path, the directory exists.
#   5. Bounded. A call waits at most 30 seconds for the locks, then returns 1 and creates nothing.
#
#   A number is in use while its entry exists. If the highest entry is deleted or renamed, its
#   number is free again.
#
#   By which locks: flock(2), exclusive, on .topic_number.lock in the directory, then on the
#   directory itself; both from before the highest number is read until the new directory exists.
#
#   Beside which programs, on the same machine: this library, topic-alloc and topic, of any
#   version; and libraries that lock the same file, up to number 999, as they read three digits.
#   Those lock the file only: between them and this library, the guarantees hold as long as nobody
#   deletes the file.
#
#   After a crash, whatever its cause: the kernel releases the locks. The new directory exists or
#   does not, and there is nothing to repair. A directory may exist whose path was never printed.
#   SIGHUP, SIGINT, SIGQUIT and SIGTERM leave none if they reach the program before the directory
#   exists.
#
#   Not guaranteed:
#
#   - Numbers of programs that take no lock. verify_topic_invariants finds the duplicates.
#   - The answers of get_next_topic_number and find_existing_topic. They take no lock and may be out
#     of date at once. Do not create a directory from them.
#   - One topic for one description. Two calls with the same text create two topics.
#   - Survival of a power failure. The directory may not be on the disk yet: for this, call
#     topic-alloc --durable.
#   - Other work trees and clones, unless a scope is set (TOPIC_ALLOC_SCOPE or git config
#     topic-alloc.scope). create_research_subdirectory ignores the scope.
#   - NFS mounts that keep locks local: see local_lock in nfs(5).
#
#   ensure_artifact_directory, create_topic_structure and detect_specs_directory take no lock and
#   need none: any number of callers can create the same directory, and all succeed.
#
# A caller's shell can be in any state. Aliases are not expanded while bash reads the functions.
# The functions run programs by path, and builtins as such, so that no function of the caller
# replaces one (except a function called `local` or `builtin`). They switch options that would
# change the meaning of a line for that line only. Their locals end in an underscore, because a
# readonly variable of the caller cannot be made local.

if [[ -n ${_UNIFIED_LOCATION_DETECTION:-} ]] && \builtin declare -F _topic_run >/dev/null; then
  \builtin return 0
fi

if ((BASH_VERSINFO[0] < 4)); then
  \builtin printf '%s\n' 'unified-location-detection: bash 4.0 or later is needed' >&2
  \builtin return 1
fi

_UNIFIED_LOCATION_DETECTION=no_aliases
\builtin shopt -q expand_aliases && _UNIFIED_LOCATION_DETECTION=aliases
\builtin shopt -u expand_aliases

# --- what the functions share -------------------------------------------------------------------

# Usage: _topic_say TEXT
_topic_say() {
  builtin printf 'unified-location-detection: %s\n' "$1" >&2
}

# Usage: _topic_need FUNCTION ARGUMENT VALUE
# Succeeds if VALUE is not empty; otherwise says what is missing.
_topic_need() {
  [[ -n $3 ]] || { _topic_say "$1 needs a $2" && return 1; }
}

# Usage: _topic_find PROGRAM DIRECTORY...
# Sets the caller's `found_` to the path of PROGRAM in the first DIRECTORY that has it.
_topic_find() {
  local program_=$1
  shift
  for found_ in "$@"; do
    found_=${found_:-.}/$program_
    if [[ -f $found_ && -x $found_ ]]; then return 0; fi
  done
  return 1
}

# Usage: _topic_find_in_path PROGRAM
# Like _topic_find, but looks in the directories of PATH.
_topic_find_in_path() {
  local rest_=${PATH:-}:
  while [[ -n $rest_ ]]; do
    if _topic_find "$1" "${rest_%%:*}"; then return 0; fi
    rest_=${rest_#*:}
  done
  return 1
}

# Usage: _topic_exit_code PROGRAM [ARGUMENT]...
# Runs a program of the package and returns its exit status, or 127 if the program is not found.
_topic_exit_code() {
  local program_=$1 found_='' here_=$_UNIFIED_LOCATION_DETECTION
  shift
  if ! _topic_find "$program_" "${TOPIC_ALLOC_BIN:-/dev/null}" &&
    ! _topic_find_in_path "$program_" && ! _topic_find "$program_" "$here_" "$here_/../../bin"; then
    _topic_say "cannot find the program '$program_'"
    _topic_say "install it, or set TOPIC_ALLOC_BIN to the directory that holds it"
    return 127
  fi
  "$found_" "$@" || return
}

# Usage: _topic_run PROGRAM [ARGUMENT]...
# Like _topic_exit_code, but returns 1 for every failure of the program.
_topic_run() {
  local status_=0
  _topic_exit_code "$@" || status_=$?
  if ((status_ > 0 && status_ < 127)); then status_=1; fi
  return "$status_"
}

# Usage: _topic_make_directory PATH
# Creates PATH and its missing parents. If the nearest existing directory has the set-group-ID bit
# and is group-writable, the new ones are group-writable, too, whatever the umask.
_topic_make_directory() {
  local found_='' mkdir_ above_=$1 mode_=''
  if [[ -d $1 ]]; then return 0; fi
  if ! _topic_find_in_path mkdir; then
    _topic_say "cannot create '$1': there is no mkdir in PATH"
    return 127
  fi
  mkdir_=$found_
  until [[ -d $above_ || $above_ == . || $above_ == / ]]; do
    above_=${above_%"${above_##*[!/]}"}
    if [[ $above_ == */* ]]; then above_=${above_%/*}/; else above_=.; fi
  done
  if [[ -g $above_ ]] && _topic_find_in_path stat; then
    # GNU and BSD stat(1) have different options.
    mode_=$("$found_" -L -c %a -- "$above_" 2>/dev/null) ||
      mode_=$("$found_" -L -f %Lp -- "$above_" 2>/dev/null) || mode_=''
  fi
  if [[ $mode_ == *[2367]? ]]; then
    (builtin umask g+rwx && "$mkdir_" -p -- "$1") || return 1
  else
    "$mkdir_" -p -- "$1" || return 1
  fi
}

# Usage: _topic_strip PATH
# Sets the caller's `path_` to PATH without trailing slashes.
_topic_strip() {
  path_=$1
  if [[ $path_ == *?/ ]]; then path_=${path_%"${path_##*[!/]}"}; fi
  path_=${path_:-/}
}

# Usage: _topic_entries ROOT
# Sets the caller's array `entries_` to the paths of the numbered entries of ROOT. A missing ROOT
# has none; an unreadable ROOT is an error.
_topic_entries() {
  local root_=$1 option_ entry_ digits_ noglob_=$- ignored_=${GLOBIGNORE:-}
  local -a on_=() all_=()
  entries_=()
  if [[ -d $root_ && ! (-r $root_ && -x $root_) ]] || [[ ! -d $root_ && (-e $root_ || -L $root_) ]]; then
    _topic_say "cannot read the directory '$root_'"
    return 1
  fi
  # Globbing must be on, and must mean the same for every caller.
  for option_ in failglob nullglob nocaseglob dotglob; do
    if builtin shopt -q "$option_"; then on_+=("$option_"); fi
  done
  if [[ -n $ignored_ ]]; then GLOBIGNORE=''; fi
  builtin shopt -u failglob nocaseglob
  builtin shopt -s nullglob
  builtin set +f
  all_=("$root_"/[0123456789][0123456789][0123456789]*_*)
  if [[ $noglob_ == *f* ]]; then builtin set -f; fi
  if [[ -n $ignored_ ]]; then GLOBIGNORE=$ignored_; fi
  builtin shopt -u nullglob dotglob
  if ((${#on_[@]} > 0)); then builtin shopt -s "${on_[@]}"; fi
  if ((${#all_[@]} == 0)); then return 0; fi
  for entry_ in "${all_[@]}"; do
    digits_=${entry_##*/}
    digits_=${digits_%%_*}
    if ((${#digits_} <= 7)) && [[ $digits_ != *[!0123456789]* ]]; then entries_+=("$entry_"); fi
  done
}

# --- where things are ---------------------------------------------------------------------------

# Usage: detect_project_root
# Prints $CLAUDE_PROJECT_DIR, else the git work tree that holds the current directory, else the
# current directory.
detect_project_root() {
  local here_=${PWD:-} above_
  if [[ -n ${CLAUDE_PROJECT_DIR:-} ]]; then
    builtin printf '%s\n' "$CLAUDE_PROJECT_DIR"
    return 0
  fi
  # Ask the system only if $PWD has a symbolic link in it or is out of date.
  above_=$here_
  while [[ -n $above_ && ! -L $above_ ]]; do above_=${above_%/*}; done
  if [[ $here_ != /* || -n $above_ || ! $here_ -ef . ]]; then
    here_=$(builtin pwd -P && builtin printf .) || return 1
    here_=${here_%$'\n.'}
  fi
  above_=${here_%/}
  while [[ -n $above_ && ! -f $above_/.git && ! -e $above_/.git/HEAD ]]; do above_=${above_%/*}; done
  if [[ -z $above_ && (-f /.git || -e /.git/HEAD) ]]; then above_=/; fi
  builtin printf '%s\n' "${above_:-$here_}"
}

# Usage: detect_specs_directory PROJECT_ROOT
# Prints $CLAUDE_SPECS_ROOT, else PROJECT_ROOT/.claude/specs, else PROJECT_ROOT/specs. If none of
# them exists, creates PROJECT_ROOT/.claude/specs. A dangling link or a directory that cannot be
# searched is an error, because it may hide the root.
detect_specs_directory() {
  local project_=${1-} specs_ place_
  if [[ -n ${CLAUDE_SPECS_ROOT:-} ]]; then
    specs_=$CLAUDE_SPECS_ROOT
  else
    _topic_need detect_specs_directory PROJECT_ROOT "$project_" || return 1
    for specs_ in "$project_/.claude/specs" "$project_/specs" ''; do
      if [[ -z $specs_ || -d $specs_ ]]; then break; fi
      for place_ in "${specs_%/*}" "$specs_"; do
        if [[ -L $place_ && ! -e $place_ ]]; then
          _topic_say "cannot reach the root: '$place_' is a dangling symbolic link"
          return 1
        elif [[ -d $place_ && ! -x $place_ ]]; then
          _topic_say "cannot reach the root: permission denied in '$place_'"
          return 1
        fi
      done
    done
    specs_=${specs_:-$project_/.claude/specs}
  fi
  _topic_make_directory "$specs_" || return
  builtin printf '%s\n' "$specs_"
}

# Usage: canonicalize_path PATH
# Prints the absolute path with links resolved. If PATH does not exist, resolves the part that does.
canonicalize_path() {
  local path_=${1-} rest_='' resolved_='' name_ found_=''
  _topic_need canonicalize_path PATH "$path_" || return 1
  if [[ $path_ != /* ]]; then path_=./$path_; fi
  # readlink(1) resolves a link to a file. A dangling link counts as a name.
  while [[ ! -d $path_ && ! (-L $path_ && -e $path_) ]]; do
    _topic_strip "$path_"
    name_=${path_##*/}
    path_=${path_%"$name_"}
    if [[ $name_ != . ]]; then rest_=/$name_$rest_; fi
    if [[ -z $path_ ]]; then break; fi
  done
  if [[ ! -d $path_ ]] && _topic_find_in_path readlink; then
    resolved_=$("$found_" -f -- "$path_" && builtin printf .) || return 1
  else
    resolved_=$(CDPATH='' builtin cd -P -- "$path_" && builtin pwd -P && builtin printf .) 2>/dev/null || :
  fi
  if [[ $resolved_ != /* ]]; then
    _topic_say "cannot resolve '$1': the directory '$path_' is gone or closed"
    return 1
  fi
  resolved_=${resolved_%$'\n.'}
  # Two leading slashes mean the same as one.
  resolved_=/${resolved_#"${resolved_%%[!/]*}"}
  resolved_=${resolved_%/}$rest_
  builtin printf '%s\n' "${resolved_:-/}"
}

# --- names and numbers --------------------------------------------------------------------------

# Usage: sanitize_topic_name TEXT
# Prints the slug of TEXT, or an empty line if nothing is left of it. Like all functions that take a
# name, this one reads the first 2,000 characters.
sanitize_topic_name() {
  local text_=${1-} lower_=abcdefghijklmnopqrstuvwxyz upper_=ABCDEFGHIJKLMNOPQRSTUVWXYZ
  local other_='!"#$%&()*+,./:;<=>?@[\^`{|}~-'"'" index_ slug_='' status_=0
  text_=${text_:0:2000}
  for ((index_ = 0; index_ < ${#other_}; index_++)); do
    text_=${text_//"${other_:index_:1}"/}
  done
  # Any other character is a control character or not ASCII. The program folds letters beyond ASCII.
  if [[ $text_ == *[!"$lower_$upper_"0123456789_$' \t\n\v\f\r']* ]]; then
    text_=${1:0:2000}
    text_=${text_//$'\n'/ }
    slug_=$(_topic_exit_code topic slug - <<<"$text_" 2>/dev/null) || status_=$?
    # 65: nothing is left. After any other failure, run it again for its message.
    if ((status_ == 0 || status_ == 65)); then builtin printf '%s\n' "$slug_"; return 0; fi
    _topic_run topic slug - <<<"$text_" || return
  fi
  text_=${text_//[$' \t\n\v\f\r']/_}
  for ((index_ = 0; index_ < 26; index_++)); do
    text_=${text_//"${upper_:index_:1}"/${lower_:index_:1}}
  done
  while [[ $text_ == *__* ]]; do text_=${text_//__/_}; done
  text_=${text_#_}
  text_=${text_:0:50}
  builtin printf '%s\n' "${text_%_}"
}

# Usage: get_next_topic_number ROOT
# Prints the number that the next topic of ROOT would get now. To take a number, use
# allocate_and_create_topic.
get_next_topic_number() {
  local entry_ digits_ highest_=0
  local -a entries_=()
  _topic_need get_next_topic_number ROOT "${1-}" || return 1
  _topic_entries "$1" || return 1
  for entry_ in "${entries_[@]+"${entries_[@]}"}"; do
    digits_=${entry_##*/}
    digits_=${digits_%%_*}
    if ((10#$digits_ > highest_)); then highest_=$((10#$digits_)); fi
  done
  if ((highest_ == 9999999)); then
    _topic_say "no numbers left in '$1': the highest possible is 9999999"
    return 1
  fi
  builtin printf '%03d\n' "$((highest_ + 1))"
}

# Usage: find_existing_topic ROOT REGEX
# Prints the lowest number of the topics whose name matches the extended regular expression, or an
# empty line if there is none.
find_existing_topic() {
  local regex_=${2-} entry_ name_ digits_ found_='' status_=1 nocasematch_=''
  local -a entries_=()
  _topic_need find_existing_topic ROOT "${1-}" || return 1
  _topic_entries "$1" || return 1
  if builtin shopt -q nocasematch; then
    nocasematch_=yes
    builtin shopt -u nocasematch
  fi
  for entry_ in "${entries_[@]+"${entries_[@]}"}"; do
    name_=${entry_##*/}
    digits_=${name_%%_*}
    # shellcheck disable=SC2319 # This is the status of the condition; 2 means a malformed REGEX.
    if [[ ${name_#*_} =~ $regex_ ]]; then status_=0; else status_=$?; fi
    if ((status_ == 2)); then break; fi
    if ((status_ == 0)) && { [[ -z $found_ ]] || ((10#$digits_ < 10#$found_)); }; then
      found_=$digits_
    fi
  done
  if [[ -n $nocasematch_ ]]; then builtin shopt -s nocasematch; fi
  if ((status_ == 2)); then
    _topic_say "cannot use the REGEX '$regex_'"
    return 1
  fi
  builtin printf '%s\n' "$found_"
}

# Usage: allocate_and_create_topic ROOT NAME
# Takes the next number and creates the topic's directory in one atomic step. Prints "042|/path".
allocate_and_create_topic() {
  local name_=${2-}
  # To the program, - means standard input.
  if [[ $name_ == - ]]; then name_=''; fi
  _topic_run topic-alloc --format pipe -- "${1-}" "${name_:0:2000}" || return
}

# --- directories --------------------------------------------------------------------------------

# Usage: ensure_artifact_directory FILE
# Creates the directory that FILE goes to.
ensure_artifact_directory() {
  local path_=''
  _topic_need ensure_artifact_directory FILE "${1-}" || return 1
  _topic_strip "$1"
  if [[ $path_ == */* ]]; then path_=${path_%/*}/; else path_=.; fi
  _topic_make_directory "$path_" || return
}

# Usage: create_topic_structure PATH
# Creates the topic's directory, and nothing in it.
create_topic_structure() {
  _topic_need create_topic_structure PATH "${1-}" || return 1
  _topic_make_directory "$1" || return
}

# Usage: create_research_subdirectory TOPIC NAME
# Takes the next number in TOPIC/reports and creates the directory in one atomic step. TOPIC must be
# absolute and must exist. Prints TOPIC/reports/NNN_NAME.
create_research_subdirectory() {
  local path_='' name_=${2-} created_
  _topic_need create_research_subdirectory TOPIC "${1-}" || return 1
  _topic_need create_research_subdirectory NAME "$name_" || return 1
  if [[ $1 != /* || ! -d $1 ]]; then
    _topic_say "the TOPIC '$1' is not the absolute path of a directory"
    return 1
  fi
  _topic_strip "$1"
  path_=${path_%/}/reports
  if [[ $name_ == - ]]; then name_=''; fi
  # Reports are numbered within their topic, whatever the scope of the topics.
  created_=$(_topic_run topic-alloc --scope root --format path -- "$path_" "${name_:0:2000}") || return
  builtin printf '%s\n' "$path_/${created_##*/}"
}

# --- all in one ---------------------------------------------------------------------------------

# Usage: perform_location_detection DESCRIPTION [FORCE]
# Finds project and root, creates the next topic, and prints JSON. It creates a new topic each time.
# FORCE is accepted for compatibility and changes nothing.
perform_location_detection() {
  local description_=${1-}
  _topic_run topic locate -- "${description_:0:2000}" || return
}

# Usage: generate_legacy_location_context JSON
# Prints the fields of that JSON as YAML.
generate_legacy_location_context() {
  local json_=${1-} key_ value_ regex_ yaml_='' nocasematch_=''
  if builtin shopt -q nocasematch; then
    nocasematch_=yes
    builtin shopt -u nocasematch
  fi
  for key_ in topic_number topic_name topic_path project_root specs_dir artifact_paths \
    reports plans summaries debug scripts outputs; do
    regex_="[{,][[:space:]]*\"$key_\"[[:space:]]*:[[:space:]]*(\"(([^\"\\]|\\\\.)*)\"|[0-9]+|[{])"
    if [[ ! $json_ =~ $regex_ ]]; then continue; fi
    value_=${BASH_REMATCH[2]:-${BASH_REMATCH[1]}}
    # A JSON string is a YAML string, too. Callers expect the number without quotes, and other
    # values as well where YAML reads them as strings anyway.
    case $key_:$value_ in
      artifact_paths:*) value_='' ;;
      topic_number:*) ;;
      *:[!/a-zA-Z]* | *:*[!/a-zA-Z0-9_.-]* | *: | *:[yn] | *:true | *:false | *:yes | *:no | *:on | *:off | *:null)
        value_=\"$value_\"
        ;;
    esac
    case $key_ in
      reports | plans | summaries | debug | scripts | outputs) yaml_+="  " ;;
    esac
    yaml_+="$key_:${value_:+ $value_}"$'\n'
  done
  if [[ -n $nocasematch_ ]]; then builtin shopt -s nocasematch; fi
  if [[ $yaml_ != *topic_path:* ]]; then
    _topic_say 'generate_legacy_location_context needs the JSON of perform_location_detection'
    return 1
  fi
  builtin printf '%s' "$yaml_"
}

# Usage: verify_topic_invariants ROOT
# Prints duplicate numbers, gaps and other violations; fails if there is any.
verify_topic_invariants() {
  _topic_run topic verify -- "${1-}" || return
}

# --- the guard ----------------------------------------------------------------------------------

if [[ $_UNIFIED_LOCATION_DETECTION == aliases ]]; then builtin shopt -s expand_aliases; fi
_UNIFIED_LOCATION_DETECTION=${BASH_SOURCE[0]:-}
if [[ $_UNIFIED_LOCATION_DETECTION != */* ]]; then
  _UNIFIED_LOCATION_DETECTION=./$_UNIFIED_LOCATION_DETECTION
fi
if [[ $_UNIFIED_LOCATION_DETECTION != /* ]]; then
  _UNIFIED_LOCATION_DETECTION=$PWD/$_UNIFIED_LOCATION_DETECTION
fi
_UNIFIED_LOCATION_DETECTION=${_UNIFIED_LOCATION_DETECTION%/*}
