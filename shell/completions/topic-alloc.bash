# shellcheck shell=bash
#
# Completion of topic-alloc(1) for bash 4.0 and later. Needs no other file.

# Usage: _topic_alloc_split
# Splits the command line, up to the cursor, into words as the shell does. Those in COMP_WORDS are
# also broken at the characters of COMP_WORDBREAKS: --format=json is three of them. For the caller
# it sets `words`, which are complete; `cur`, which is not; and `stem`, the part of `cur` that bash
# keeps as it is, since it completes only what follows the last break.
_topic_alloc_split() {
  local line=${COMP_LINE:0:COMP_POINT} blank piece i
  words=() cur='' stem=''
  for ((i = 0; i <= COMP_CWORD; i++)); do
    blank=${line%%[![:space:]]*}
    line=${line#"$blank"}
    piece=${COMP_WORDS[i]}
    if ((i == COMP_CWORD)); then piece=$line; fi
    line=${line#"$piece"}
    if ((i == 0)); then
      cur=$piece
    elif [[ -n $blank ]]; then
      words+=("$cur")
      cur=$piece stem=''
    else
      stem=$cur
      cur+=$piece
      if [[ -z ${piece//["${COMP_WORDBREAKS-}"]/} ]]; then stem=$cur; fi
    fi
  done
}

# Usage: _topic_alloc_parse
# Reads the words as the program does. For the caller it sets `operands`, those before the cursor;
# `option`, whose value is at the cursor, or nothing; `value`, the part of `cur` that is to be
# completed; and `ended`, which is not empty after `--`.
_topic_alloc_parse() {
  local i
  local names='format|timeout|number|scope|style|width|separator|start|suffix|enforce|against|only|sync|batch|linger|queue|lines|max-bytes|iteration|status|feedback|file-written|cost|set|feedback-file|max-identical|max-rounds|role|model|input-tokens|output-tokens|max-usd|estimate-tokens|prices|fallback|log|run|step'
  local valued="^(-[hrv]*[fwn]|--($names))\$"
  local joined='^(-[hrv]*[fwn]|--[a-z-]+=)(.*)$'
  operands=() option='' value=$cur ended=''
  for ((i = 1; i < ${#words[@]}; i++)); do
    if [[ $option == --step ]]; then
      option=--step-command # its second value
    elif [[ -n $option ]]; then
      option=''
    elif [[ -n $ended || ${words[i]} != -?* ]]; then
      operands+=("${words[i]}")
    elif [[ ${words[i]} == -- ]]; then
      ended=1
    elif [[ ${words[i]} =~ $valued ]]; then
      option=${words[i]}
    fi
  done
  if [[ -z $option && -z $ended && $cur =~ $joined ]]; then
    option=${BASH_REMATCH[1]%=} value=${BASH_REMATCH[2]}
  fi
  # Of -rf, the f is what counts.
  if [[ $option == -[!-]* ]]; then option=-${option: -1}; fi
}

# Usage: _topic_alloc_offer CANDIDATE...
# Adds the candidates that `value` begins.
_topic_alloc_offer() {
  local candidate lead=${cur%"$value"}
  for candidate; do
    if [[ $candidate == "$value"* ]]; then
      candidate=$lead$candidate
      COMPREPLY+=("${candidate#"$stem"}")
    fi
  done
}

# Usage: _topic_alloc_offer_directories
# Adds the directories that `cur` begins.
_topic_alloc_offer_directories() {
  local directory
  # Quotes blanks, and puts a slash after a directory. Fails when bash is not completing.
  compopt -o filenames 2>/dev/null || true
  while IFS= read -r directory; do
    COMPREPLY+=("${directory#"$stem"}")
  done < <(compgen -d -- "${cur#[\"\']}")
}

# Usage: _topic_alloc_offer_value
# Adds the values of the options that mean the same for all programs.
_topic_alloc_offer_value() {
  case $option in
    -f | --format) _topic_alloc_offer json jsonl pipe path number shell ;;
    --scope) _topic_alloc_offer root worktrees remote ;;
    --style) _topic_alloc_offer topic spec-kit adr ;;
    --width) _topic_alloc_offer 1 2 3 4 5 6 7 ;;
    --separator) _topic_alloc_offer _ - + . ;;
  esac
}

# Usage: _topic_alloc
_topic_alloc() {
  local -a words operands
  local cur stem option value ended
  COMPREPLY=()
  _topic_alloc_split
  _topic_alloc_parse
  if [[ -n $option ]]; then
    _topic_alloc_offer_value
  elif [[ -z $ended && $cur == -* ]]; then
    _topic_alloc_offer --format --verbose --reuse --number --dry-run --timeout --durable \
      --scope --rescan --style --width --separator --start --suffix --help --version
  elif ((${#operands[@]} == 0)); then
    _topic_alloc_offer_directories
  fi
}

complete -F _topic_alloc topic-alloc
