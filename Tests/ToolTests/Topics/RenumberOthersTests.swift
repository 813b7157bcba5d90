import Foundation
import TestSupport
import Testing

/// Renumbering during other allocations, and in shared scopes.
extension RenumberTests {
  @Test("Changes between reading the history and locking are seen")
  func changedBeforeLock() throws {
    try makeClash()
    let environment = try before(
      "grep",
      "[ -e specs/002_e ] || { mkdir specs/002_e; touch specs/002_e/f; git add specs/002_e; printf ' 002_d 002_e' >>top; }"
    )
    let outcome = try script(
      "'\(Product.topic)' renumber --apply specs; tail -n 1 top; git status --porcelain",
      environment: environment)
    #expect(
      directory.entries("specs") == ["001_a", "002_b", "003_a", "004_c", "005_d", "006_e"],
      "\(outcome.text)\(outcome.error)")
    #expect(
      outcome.text.contains("  - 002_c 002_d 002_e\n  + 004_c 005_d 006_e\n")
        && outcome.text.contains("\n004_c 005_d 006_e"), "\(outcome.text)")
    #expect(outcome.text.contains("A  specs/006_e/f"), "\(outcome.text)")
  }

  @Test("In a scope, the new numbers are reserved")
  func scoped() throws {
    let outcome = try script(
      """
      git init -q .; mkdir -p specs/001_a specs/001_b; touch specs/001_a/f; at 2020-01-01
      git worktree add -q ../linked-$$ ; mkdir ../linked-$$/specs/007_x
      topic renumber --apply --scope worktrees specs; rm -rf ../linked-$$
      git log --format=%s refs/topic-alloc/specs
      """)
    #expect(directory.entries("specs") == ["001_a", "008_b"], "\(outcome.error)")
    #expect(outcome.lines.last == "008_renumbered")
  }

  /// A git in PATH that runs `text` after moving the ledger. `$n` counts how often.
  private func afterReservations(_ text: String) throws -> [String: String] {
    try directory.makeDirectories("bin")
    let search = Product.directory + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
    try directory.makeFile(
      "bin/text",
      """
      #!/bin/sh
      PATH='\(search)'
      git "$@" || exit
      case " $* " in
      *" update-ref "*refs/topic-alloc/*)
        echo >>'\(directory("bin/count"))'; n=$(wc -l <'\(directory("bin/count"))'); \(text) ;;
      esac
      """)
    try run(["install", "-m", "755", directory("bin/text"), directory("bin/git")])
    return ["PATH": directory("bin") + ":" + search]
  }

  @Test(
    "Every new number is reserved, whatever others do between reservation and lock",
    arguments: [
      // Needs more numbers than were reserved.
      "[ $n -gt 1 ] || mkdir specs/001_d", "[ $n -gt 2 ] || mkdir specs/001_d$n",
      // Another process takes numbers past the reserved ones, or half of them.
      "[ $n -gt 1 ] || mkdir specs/050_x", "[ $n -gt 1 ] || mkdir specs/002_x",
      // Needs fewer numbers.
      "rmdir specs/001_c || :",
    ])
  func reservedByRenumbering(change: String) throws {
    let environment = try afterReservations("{ \(change); }")
    let outcome = try script(
      """
      git init -q .; mkdir -p specs/001_a specs/001_b specs/001_c
      '\(Product.topic)' renumber --apply --scope worktrees specs
      """, environment: environment)
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    let given = try script("ls specs | grep -v x$ | sed 's/_.*//' | grep -v 001 | sort").lines
    let reserved = try script(
      "git log --format=%B refs/topic-alloc/specs | sed -n 's/^Entry: \\([0-9]*\\).*/\\1/p'"
    ).lines
    #expect(!given.isEmpty && Set(given).count == given.count)
    #expect(Set(reserved).isSuperset(of: given), "\(given) of \(reserved)")
  }

  @Test("If others keep taking the reserved numbers, the status is 75 and nothing is changed")
  func neverReserved() throws {
    let environment = try afterReservations("mkdir specs/$((n * 9 + 100))_x")
    let outcome = try script(
      """
      git init -q .; mkdir -p specs/001_a specs/001_b
      '\(Product.topic)' renumber --apply --scope worktrees specs
      """, environment: environment)
    #expect(outcome.code == 75 && outcome.output.isEmpty, "\(outcome.error)")
    #expect(outcome.error.contains("cannot renumber '\(directory("specs"))': others keep taking"))
    #expect(directory.entries("specs").filter { !$0.hasSuffix("x") } == ["001_a", "001_b"])
  }

  @Test(
    "If another process keeps the root locked, the status is 75, and the hint fits renumber",
    .enabled(if: Product.hasProgram("flock")))
  func busy() throws {
    try directory.makeDirectories("specs/001_a", "specs/001_b")
    let lock = try HeldLock(directory("specs"))
    let outcome = try script("topic renumber --apply specs")
    try lock.release()
    #expect(outcome.code == 75 && outcome.output.isEmpty, "\(outcome.error)")
    #expect(outcome.error.hasSuffix("hint: try again\n"), "\(outcome.error)")
  }
}
