#!/usr/bin/env bash
#
# Builds topic-alloc, topic and topic-stress, and installs or removes them. Usage: install.sh --help

set -euo pipefail

# Exit codes of sysexits.h.
readonly EX_USAGE=64 EX_UNAVAILABLE=69 EX_CANTCREAT=73

# The directory of a copy, until the copy has its final name.
temporary=''
# The directory of the manual pages and completions that the programs have printed.
pages=''

# Usage: print_help
print_help() {
  cat <<'END'
Usage: install.sh [--prefix DIR] [--uninstall]

Builds topic-alloc, topic and topic-stress with Swift and installs them, their man
pages, their completions for bash, zsh and fish, and the library for bash scripts.
Skips files that are up to date.

      --prefix DIR    install below DIR (default: /usr/local when you may write there,
                      else ~/.local)
      --uninstall     remove the files installed below DIR, and the leftovers of an
                      interrupted installation
  -h, --help          print this

Below DIR:
  bin/                                        topic-alloc, topic, topic-stress
  share/man/man1/                             topic-alloc.1, topic.1, topic-stress.1
  share/bash-completion/completions/          topic-alloc, topic, topic-stress
  share/zsh/site-functions/                   _topic
  share/fish/vendor_completions.d/            topic-alloc.fish, topic.fish, topic-stress.fish
  share/topic-alloc/                          unified-location-detection.sh

For packages: with DESTDIR in the environment, everything goes below $DESTDIR/DIR.

Exit status: 0 done, 64 wrong usage, 69 cannot build, 73 cannot write.
END
}

# Usage: fail CODE WHAT [HINT]
# Says that WHAT cannot be done, and ends the script with CODE.
fail() {
  local code=$1 what=$2 hint=${3-}
  printf 'install.sh: cannot %s\n' "$what" >&2
  if [[ -n $hint ]]; then printf 'install.sh: hint: %s\n' "$hint" >&2; fi
  exit "$code"
}

# Usage: fail_to_write WHAT
fail_to_write() {
  fail "$EX_CANTCREAT" "$1" \
    "choose another directory with --prefix, or run this as a user who may write there"
}

# Usage: remove_temporary
remove_temporary() {
  if [[ -n $temporary ]]; then rm -rf "$temporary"; fi
  if [[ -n $pages ]]; then rm -rf "$pages"; fi
}

# Usage: end_by SIGNAL
# Cleans up and ends the script by SIGNAL.
end_by() {
  trap - EXIT "$1"
  remove_temporary
  kill -s "$1" "$$"
  # SIGQUIT does not end bash, and no signal ends process 1 of a container.
  exit "$((128 + $(kill -l "$1")))"
}

# Usage: default_prefix
# Prints the prefix that is taken when none is given.
default_prefix() {
  local shared=/usr/local
  if [[ -n ${DESTDIR-} ]]; then
    printf '%s\n' "$shared"
  elif [[ -w $shared && (-w $shared/bin || ! -e $shared/bin) ]]; then
    printf '%s\n' "$shared"
  elif [[ -n ${HOME-} ]]; then
    printf '%s\n' "$HOME/.local"
  else
    fail "$EX_USAGE" "choose a directory: HOME is not set" "name one with --prefix"
  fi
}

# Usage: absolute_path PATH
# Prints PATH with the current directory in front unless it is absolute, and no slash at its end.
absolute_path() {
  local path=$1
  case $path in
    /*) ;;
    # The shell leaves this to us in --prefix=~/dir.
    \~ | \~/*) path=${HOME-}${path#\~} ;;
    .) path=$PWD ;;
    *) path=${PWD%/}/${path#./} ;;
  esac
  while [[ $path == */ ]]; do path=${path%/}; done
  printf '%s\n' "$path"
}

# Usage: package_directory
# Prints the directory of the package that this script belongs to.
package_directory() {
  local script=${BASH_SOURCE[0]} shell_directory
  if [[ -L $script ]]; then script=$(readlink -f "$script"); fi
  shell_directory=$(dirname "$script")
  CDPATH='' cd -- "$shell_directory/.." && pwd
}

# Usage: for_each_file COMMAND PACKAGE PROGRAMS PAGES BASE
# Runs COMMAND MODE SOURCE TARGET for every file of an installation below BASE. This is the one
# place that knows them. PAGES is the directory that print_pages has filled.
for_each_file() {
  local command=$1 package=$2 programs=$3 pages=$4 base=$5 name
  local share=$base/share
  for name in topic-alloc topic topic-stress; do
    "$command" 755 "$programs/$name" "$base/bin/$name"
    "$command" 644 "$pages/$name.1" "$share/man/man1/$name.1"
    "$command" 644 "$pages/bash" "$share/bash-completion/completions/$name"
    "$command" 644 "$pages/fish" "$share/fish/vendor_completions.d/$name.fish"
  done
  "$command" 644 "$pages/zsh" "$share/zsh/site-functions/_topic"
  name=unified-location-detection.sh
  "$command" 644 "$package/shell/$name" "$share/topic-alloc/$name"
}

# Usage: for_each_old_file COMMAND BASE
# Runs COMMAND MODE SOURCE TARGET for every file that only earlier versions have installed.
for_each_old_file() {
  "$1" 644 '' "$2/share/zsh/site-functions/_topic-alloc"
}

# Usage: print_pages PROGRAMS PAGES
# Has the programs in PROGRAMS print their manual pages and completions into the directory PAGES.
print_pages() {
  local programs=$1 pages=$2 name
  for name in topic-alloc topic topic-stress; do
    "$programs/$name" --man >"$pages/$name.1" || fail "$EX_UNAVAILABLE" "print the manual of $name"
  done
  for name in bash zsh fish; do
    "$programs/topic" completions "$name" >"$pages/$name" ||
      fail "$EX_UNAVAILABLE" "print the completions for $name"
  done
}

# Usage: check_target MODE SOURCE TARGET
# Fails if it is already clear that TARGET cannot be written.
check_target() {
  local target=$3 directory=${3%/*}
  check_kind "$target"
  if ! is_ours "$target"; then
    fail "$EX_CANTCREAT" "replace '$target': it belongs to something else" \
      "move it, or choose another directory with --prefix"
  fi
  while [[ -n $directory && ! -e $directory && ! -L $directory ]]; do
    directory=${directory%/*}
  done
  directory=${directory:-/}
  if [[ ! -d $directory ]]; then fail_to_write "write to '$directory': it is not a directory"; fi
  if [[ ! -w $directory ]]; then fail_to_write "write to '$directory': permission denied"; fi
}

# Usage: build_programs PACKAGE
# Builds the programs and prints the directory that they are in.
build_programs() {
  local package=$1 programs name
  if ! command -v swift >/dev/null; then
    fail "$EX_UNAVAILABLE" "build: there is no 'swift' in PATH" \
      "install a Swift toolchain, version 6.0 or later, and put its bin directory in PATH"
  fi
  programs=$("$package/shell/build.sh") ||
    fail "$EX_UNAVAILABLE" "build '$package': see above" \
      "it needs Swift 6.0 or later; 'swift --version' says which one this is"
  for name in topic-alloc topic topic-stress; do
    if [[ ! -x $programs/$name ]]; then
      fail "$EX_UNAVAILABLE" "find '$programs/$name', which should have been built"
    fi
  done
  printf '%s\n' "$programs"
}

# Usage: permissions FILE
# Prints its permission bits in octal; stat(1) is not the same everywhere.
permissions() {
  stat -c %a "$1" 2>/dev/null || stat -f %Lp "$1"
}

# Usage: kind_of FILE
# Prints what FILE is; nothing when it is a regular file that can be read, or missing.
kind_of() {
  local file=$1
  if [[ -L $file ]]; then
    printf 'a symbolic link\n'
  elif [[ -d $file ]]; then
    printf 'a directory\n'
  elif [[ -p $file ]]; then
    printf 'a FIFO\n'
  elif [[ -b $file || -c $file ]]; then
    printf 'a device\n'
  elif [[ -e $file && ! -f $file ]]; then
    printf 'not a regular file\n'
  elif [[ -e $file && ! -r $file ]]; then
    printf 'not readable\n'
  fi
}

# Usage: check_kind TARGET
# Fails if TARGET exists and is not a readable regular file. The target of a link belongs
# to somebody else, and reading a FIFO never ends.
check_kind() {
  local target=$1 kind
  kind=$(kind_of "$target")
  if [[ -n $kind ]]; then
    fail "$EX_CANTCREAT" "replace '$target': it is $kind" \
      "move or remove it, or choose another directory with --prefix"
  fi
}

# Usage: is_ours TARGET
# Whether TARGET, which is missing or a regular file, is missing or a file of this package. All of
# those have one of our names in them.
is_ours() {
  local target=$1
  [[ ! -e $target ]] || grep -qE 'topic(\\-|-|_)alloc|topic\(1\)' "$target" 2>/dev/null
}

# Usage: install_file MODE SOURCE TARGET
# Puts a copy of SOURCE at TARGET, unless there is one. It is made in a directory beside TARGET that
# nobody else can write to, and then renamed: TARGET is always the old file or the new one,
# never a part of one.
install_file() {
  local mode=$1 source=$2 target=$3 directory=${3%/*} made reason
  # Building takes a while: the target may have changed.
  check_kind "$target"
  if cmp -s "$source" "$target" && [[ $(permissions "$target") == "$mode" ]]; then
    printf 'unchanged %s\n' "$target"
    return
  fi
  made=$({ mkdir -p "$directory" && mktemp -d "$directory/.topic-alloc.XXXXXXXX"; } 2>&1) ||
    fail_to_write "install '$target'${made:+: ${made##*: }}"
  temporary=$made
  # In one write(2): the kernel then keeps the file in large pieces, and starting the program takes a third
  # fewer page faults than after cp(1).
  reason=$({
    { dd bs=67108864 if="$source" of="$made/new" 2>"$made/said" || { cat "$made/said" && false; }; } &&
      rm -f "$made/said" && chmod "$mode" "$made/new" && mv -f "$made/new" "$target"
  } 2>&1) || fail_to_write "install '$target'${reason:+: ${reason##*: }}"
  rm -rf "$temporary"
  temporary=''
  printf 'installed %s\n' "$target"
}

# Usage: remove_leftovers MODE SOURCE TARGET
# Removes the directories that install_file was killed with beside TARGET, and counts them in the
# variable `removed` of the caller.
remove_leftovers() {
  local leftover reason
  for leftover in "${3%/*}"/.topic-alloc.????????; do
    if [[ ! -d $leftover || -L $leftover || ! -O $leftover ||
      ${leftover##*/.topic-alloc.} == *[![:alnum:]]* ]]; then continue; fi
    # Only what install_file makes there: whatever else is in it is somebody's.
    reason=$(rm -f "$leftover/new" "$leftover/said" 2>&1) ||
      fail_to_write "remove '$leftover'${reason:+: ${reason##*: }}"
    if ! rmdir "$leftover" 2>/dev/null; then continue; fi
    printf 'removed %s\n' "$leftover"
    removed=$((removed + 1))
  done
}

# Usage: remove_file MODE SOURCE TARGET
# Removes TARGET if it exists, and counts it in the variable `removed` of the caller.
remove_file() {
  local target=$3 kind reason
  kind=$(kind_of "$target")
  if [[ -n $kind ]]; then
    printf 'left %s, which is %s\n' "$target" "$kind"
    return
  fi
  if [[ ! -e $target ]]; then return; fi
  if ! is_ours "$target"; then
    printf 'left %s, which belongs to something else\n' "$target"
    return
  fi
  reason=$(rm -f "$target" 2>&1) || fail_to_write "remove '$target'${reason:+: ${reason##*: }}"
  printf 'removed %s\n' "$target"
  removed=$((removed + 1))
}

# Usage: print_hints PREFIX
# Says what is left to do for the user.
print_hints() {
  local prefix=$1
  if [[ :$PATH: != *":$prefix/bin:"* ]]; then
    printf "hint: %s is not in PATH; to add it: export PATH=%q:\$PATH\n" "$prefix/bin" "$prefix/bin"
  fi
  printf 'hint: to use the library in a bash script: source %q\n' \
    "$prefix/share/topic-alloc/unified-location-detection.sh"
}

# Usage: install_package PREFIX DESTDIR
install_package() {
  local prefix=$1 base=$2$1 package programs removed=0
  package=$(package_directory)
  for_each_file check_target '' '' '' "$base"
  for_each_file remove_leftovers '' '' '' "$base"
  programs=$(build_programs "$package")
  pages=$(mktemp -d) || fail_to_write 'create a temporary directory'
  print_pages "$programs" "$pages"
  # Everyone may use the installed files, whatever the umask of the user.
  umask 022
  for_each_file install_file "$package" "$programs" "$pages" "$base"
  for_each_old_file remove_file "$base"
  if [[ -z $2 ]]; then print_hints "$prefix"; fi
}

# Usage: uninstall_package PREFIX DESTDIR
uninstall_package() {
  local base=$2$1 removed=0
  for_each_file remove_file '' '' '' "$base"
  for_each_old_file remove_file "$base"
  for_each_file remove_leftovers '' '' '' "$base"
  if rmdir "$base/share/topic-alloc" 2>/dev/null; then
    printf 'removed %s\n' "$base/share/topic-alloc"
    removed=$((removed + 1))
  fi
  if ((removed == 0)); then printf 'nothing to remove in %s\n' "${base:-/}"; fi
}

# Usage: main [OPTION]...
main() {
  local action=install_package prefix='' destination=${DESTDIR-}
  while (($# > 0)); do
    case $1 in
      --prefix | --prefix=*)
        if [[ $1 == --prefix=* ]]; then
          prefix=${1#--prefix=}
        else
          prefix=${2-}
          if (($# > 1)); then shift; fi
        fi
        if [[ -z $prefix || $prefix == -* ]]; then
          fail "$EX_USAGE" "use --prefix without a directory" "install.sh --prefix DIR"
        fi
        ;;
      --uninstall) action=uninstall_package ;;
      -h | --help)
        print_help
        return
        ;;
      *) fail "$EX_USAGE" "use '$1': no such option" "install.sh --help lists the options" ;;
    esac
    shift
  done
  if [[ -z $prefix ]]; then prefix=$(default_prefix); fi
  prefix=$(absolute_path "$prefix")
  if [[ -n $destination ]]; then destination=$(absolute_path "$destination"); fi
  trap remove_temporary EXIT
  trap 'end_by HUP' HUP
  trap 'end_by INT' INT
  trap 'end_by QUIT' QUIT
  trap 'end_by TERM' TERM
  "$action" "$prefix" "$destination"
}

main "$@"
