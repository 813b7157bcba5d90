import Foundation
import TestSupport
import Testing

/// The output of `topic completions`, in interactive shells on their own terminals.
@Suite(
  .timeLimit(.minutes(20)),
  .enabled(if: ["zsh", "fish", "git"].allSatisfy(Product.hasProgram), "needs zsh, fish and git"))
struct CompletionTests {
  let directory = TemporaryDirectory()

  /// Types each line of the file `lines` into a shell, followed by a tab, and prints the result.
  /// Arguments: the shell and the completions.
  private static let driver = #"""
    setopt extended_glob
    zmodload zsh/zpty
    shell=$1 script=$2
    case $shell in
      bash) start='bash --norc --noprofile -i' setup="source $script" ;;
      zsh) start='zsh -f -i' setup="autoload -Uz compinit; compinit -u -D; bindkey -e; source $script" ;;
      fish) start='fish --no-config -i' setup="source $script" ;;
    esac
    zpty terminal "PS1= TERM=dumb $start"
    zpty -w terminal "$setup; echo REA''DY"
    zpty -r terminal shown '*READY*'
    for line in "${(@f)$(<lines)}"; do
      zpty -w -n terminal "$line"$'\t\x01echo "<" \x05 ">"\n'
      zpty -r terminal shown $'*\n[^\n]#< *>*'
      print -r -- "${${shown##*$'\n'< }%% >*}"
    done
    zpty -d terminal
    """#

  private func complete(_ lines: [String], in shell: String) throws -> [String] {
    try directory.makeFile("driver", Self.driver)
    let script = try run([Product.topic, "completions", shell])
    #expect(script.code == 0, "\(script.error)")
    try directory.makeFile("completions", script.text)
    try directory.makeFile("lines", lines.map { $0 + "\n" }.joined())
    let outcome = try bash("timeout 60 zsh -f driver \(shell) ./completions", in: directory.path)
    #expect(outcome.error.isEmpty, "\(outcome.error)")
    return outcome.lines.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  @Test("Shells complete commands, options, choices and paths", arguments: ["bash", "zsh", "fish"])
  func words(shell: String) throws {
    try directory.makeDirectories("specs/041_login", "specs/042_oauth", "other")
    try directory.makeFile(
      "PLAN.md",
      "**Goal:** g\n\n| Group 1 | first, second |\n\n### Task first: a\n### Task second: b\n")
    try bash(
      """
      git init -q && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m a
      git branch feature/login && git branch 'odd$(touch${IFS}ran)'
      mkdir 'specs/043_odd$(touch${IFS}ran)' 'new$(touch${IFS}ran)'
      """, in: directory.path)
    let expected = [
      "topic ver": "topic verify", "topic plan cl": "topic plan claim",
      "topic plan claim --wor": "topic plan claim --worker",
      "topic-alloc --sty": "topic-alloc --style", "topic-alloc oth": "topic-alloc other/",
      "topic-alloc --format=nu": "topic-alloc --format=number",
      "topic artifact 042 pl": "topic artifact 042 plans",
      "topic artifact oau": "topic artifact oauth",
      "topic plan done --worker w PLAN.md sec": "topic plan done --worker w PLAN.md second",
      "topic plan check PL": "topic plan check PLAN.md",
      "topic verify --against feat": "topic verify --against feature/login",
      "topic verify --against=odd": "topic verify --against=odd$(touch${IFS}ran)",
      "topic try --run=odd": "topic try --run=odd$(touch${IFS}ran)",
      "topic metrics aggregate --out=new": "topic metrics aggregate --out=new$(touch${IFS}ran)/",
      "topic plan --worker w cl": "topic plan --worker w claim",
      "topic verify --only c": "topic verify --only clash",
      "topic help guar": "topic help guarantees",
      "topic gate --step name git-rec": "topic gate --step name git-receive-pack",
      "topic-stress --chaos=sysc": "topic-stress --chaos=syscall-kill",
    ]
    let lines = expected.keys.sorted()
    let completed = try complete(lines, in: shell)
    for (line, found) in zip(lines, completed) {
      // Shells differ in a trailing slash or space.
      let wanted = expected[line] ?? ""
      #expect(
        found.hasPrefix(wanted.hasSuffix("/") ? String(wanted.dropLast()) : wanted), "\(line)")
    }
    #expect(completed.count == lines.count)
    #expect(!directory.entries().contains("ran"), "A name was executed")
  }
}
