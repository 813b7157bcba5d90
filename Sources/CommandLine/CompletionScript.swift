/// The shells for which there are completions.
public enum Shell: String, CaseIterable, Sendable {
  case bash, zsh, fish

  /// A script for the shell that completes the words of `programs`. It asks the programs themselves what
  /// fits, so it never differs from them.
  public func completionScript(for programs: [String]) -> String {
    let names = programs.joined(separator: " ")
    return switch self {
    case .bash: Self.bashScript.replacing("PROGRAMS", with: names)
    case .zsh: Self.zshScript.replacing("PROGRAMS", with: names)
    case .fish: Self.fishScript.replacing("PROGRAMS", with: names)
    }
  }

  private static let bashScript = #"""
    # shellcheck shell=bash
    # Completion of PROGRAMS for bash 4.0 and later.

    # Usage: _topic_split
    # Splits the line up to the cursor into words as the shell does. Those in COMP_WORDS are also
    # broken at the characters of COMP_WORDBREAKS: --format=json is three of them. For the caller it
    # sets `words`, which are complete; `cur`, which is not; and `stem`, the part of `cur` that bash
    # keeps as it is, since it completes only what follows the last break.
    _topic_split() {
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

    # Usage: _topic_offer WORD
    # Adds WORD, quoted, so that the shell reads it as one word and expands nothing in it but a tilde.
    # After an open quote, only words are added that need no quoting.
    _topic_offer() {
      local word=${1#"$stem"} tilde='' quoted
      if [[ $word == \~/* ]]; then tilde=\~/ word=${word#\~/}; fi
      printf -v quoted %q "$word"
      if [[ -z $word ]]; then quoted=''; fi
      if [[ -z $quote || $quoted == "$word" ]]; then COMPREPLY+=("$tilde$quoted"); fi
    }

    # Usage: _topic
    _topic() {
      local cur stem word lead rest program quote='' spaced=''
      local -a words
      COMPREPLY=()
      _topic_split
      program=${words[0]/#\~\//$HOME/}
      program=$(type -P -- "${program//\\/}") || return 0
      if [[ $cur == [\"\']* ]]; then quote=${cur:0:1} cur=${cur:1} stem=${stem#["\"'"]}; fi
      while IFS=$'\t' read -r word lead; do
        rest=${cur#"$lead"}
        case $word in
          :files) compopt -o default ;;
          :programs)
            while IFS= read -r word; do _topic_offer "$lead$word"; done < <(compgen -c -- "$rest")
            ;;
          :directories)
            while IFS= read -r word; do _topic_offer "$lead$word/"; done < <(compgen -d -- "$rest")
            ;;
          *)
            _topic_offer "$word"
            spaced=1
            ;;
        esac
      done < <("$program" --complete bash "${words[@]:1}" "$cur" 2>/dev/null)
      # After a directory, more of the path can follow.
      if [[ -z $spaced && ${COMPREPLY-} == */ ]]; then compopt -o nospace; fi
    }

    complete -F _topic PROGRAMS

    """#

  private static let zshScript = #"""
    #compdef PROGRAMS
    # Completion of PROGRAMS for zsh.

    _topic() {
      local line lead=
      local -a lines values
      lines=("${(@f)$(command ${(Q)words[1]/#\~\//$HOME/} --complete zsh \
        "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
      for line in $lines; do
        case $line in
          :files*|:directories*)
            lead=${line#*$'\t'}
            if [[ -n $lead ]]; then compset -P '*='; fi
            ;|
          :files*) _files ;;
          :directories*) _files -/ ;;
          :programs*) _command_names -e ;;
          *) values+=("${${${${line#$lead}%%$'\t'*}//\\/\\\\}//:/\\:}:${${${line#*$'\t'}:#$line}//\\/\\\\}") ;;
        esac
      done
      if ((#values)); then _describe -V -t values value values; fi
    }

    if [[ $funcstack[1] == _topic ]]; then
      _topic "$@"
    else
      compdef _topic PROGRAMS
    fi

    """#

  private static let fishScript = #"""
    # Completion of PROGRAMS for fish.

    function __topic_complete --description 'What can stand in place of the word at the cursor'
        set -l words (commandline -opc)
        set -l word (commandline -ct)
        set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
        type -q -- $program; or return
        set -e words[1]
        for line in (command $program --complete fish $words "$word" 2>/dev/null)
            set -l parts (string split -m 1 \t -- $line)
            set -l rest (string sub -s (math (string length -- "$parts[2]") + 1) -- "$word")
            switch $parts[1]
                case :files
                    # What fish offers for a command that it does not know: files.
                    printf '%s\n' $parts[2](complete -C "'' $rest")
                case :directories
                    printf '%s\n' $parts[2](__fish_complete_directories "$rest")
                case :programs
                    printf '%s\n' $parts[2](complete -C "$rest")
                case '*'
                    printf '%s\n' $line
            end
        end
    end

    for program in PROGRAMS
        complete -e -c $program
        complete -c $program -f -a '(__topic_complete)'
    end

    """#
}
