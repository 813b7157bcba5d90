import Foundation
import TestSupport
import Testing

/// Numbers that are unique beyond one directory, with real repositories.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Product.hasProgram("git"))) struct ScopeTests {
  let directory = TemporaryDirectory()

  /// Runs a script in the directory, without a git user. Functions create repositories: `commit`
  /// commits something, `server` creates a bare one, `clone NAME` clones it.
  func script(_ text: String, environment: [String: String] = [:]) throws -> Outcome {
    let functions = """
      set -eu
      commit() { git -c user.name=x -c user.email=x@x commit -q --allow-empty -m "${1:-x}"; }
      server() {
        git init -q --bare "$@" server.git
        git init -q "$@" first && (cd first && commit && git push -q ../server.git HEAD:main)
        git -C server.git symbolic-ref HEAD refs/heads/main
      }
      clone() { git clone -q "file://$PWD/server.git" "$@"; }
      take() { topic-alloc -f number "$@"; }

      """
    var variables = [
      "HOME": directory("home"), "GIT_CONFIG_NOSYSTEM": "1", "XDG_CONFIG_HOME": "",
      "TOPIC_ALLOC_SCOPE": "",
    ]
    variables.merge(environment) { $1 }
    return try bash(functions + text, in: directory.path, environment: variables)
  }

  func expect(
    _ text: String, prints lines: [String], location: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try script(text)
    #expect(
      outcome.code == 0 && outcome.lines == lines, "\(outcome.text)\(outcome.error)",
      sourceLocation: location)
  }

  @Test("Work trees share one numbering, including uncommitted numbers")
  func worktrees() throws {
    try expect(
      """
      git init -q main; cd main; commit; git worktree add -q ../linked
      take --scope worktrees specs a
      take --scope worktrees ../linked/specs b c
      take --scope worktrees specs d
      git log --format=%s refs/topic-alloc/specs
      """, prints: ["001", "002", "003", "004", "004_d", "002_b and 1 more", "001_a"])
  }

  @Test(
    "Before there is a ledger, numbers of all work trees and branches count; later with --rescan"
  )
  func rescan() throws {
    try expect(
      """
      server; clone a; cd a
      mkdir -p specs/004_x && touch specs/004_x/f && git add . && commit x
      git push -q origin HEAD:elsewhere && git reset -q --hard HEAD~ && git fetch -q
      take --scope worktrees specs a
      git worktree add -q ../linked && mkdir -p ../linked/specs/009_x
      take --scope worktrees specs b
      take --scope worktrees --rescan specs c
      git checkout -q -b other && mkdir specs/020_x && touch specs/020_x/f && git add specs/020_x
      commit y && git checkout -q -
      take --scope worktrees --rescan --dry-run specs d
      take --scope worktrees --rescan specs d
      """, prints: ["005", "006", "010", "021", "021"])
  }

  @Test("Ten processes in two work trees get different numbers, and each is in the ledger")
  func concurrentWorktrees() throws {
    try expect(
      """
      git init -q main; cd main; commit; git worktree add -q ../linked
      for i in 1 2 3 4 5; do
        take --scope worktrees specs x & take --scope worktrees ../linked/specs x &
      done | sort -n | tr '\\n' ' '
      git log --format=%B refs/topic-alloc/specs | grep -c ^Entry
      """, prints: ["001 002 003 004 005 006 007 008 009 010 10"])
  }

  @Test("Several names are one reservation and one push")
  func several() throws {
    try expect(
      """
      server; clone a; cd a; take --scope remote specs a b c
      git rev-list --count refs/topic-alloc-remotes/origin/specs
      """, prints: ["001", "002", "003", "1"])
  }

  @Test(
    "Any path can be a root, and has its own ledger",
    arguments: [
      "specs", "Specs", ".claude/specs", "a b/ü\n*", "x.lock", "-n",
      String(repeating: "long/", count: 60),
    ])
  func paths(path: String) throws {
    let outcome = try script(
      """
      git init -q main; cd main; commit; git worktree add -q ../linked
      take --scope worktrees -- "$root" a; take --scope worktrees -- "../linked/$root" b
      """, environment: ["root": path])
    #expect(outcome.lines == ["001", "002"], "\(outcome.error)")
  }

  @Test("Reuse reserves nothing for an existing topic, and each number is taken once")
  func reuseAndNumber() throws {
    try expect(
      """
      git init -q a; cd a; commit; git worktree add -q ../b
      take --scope worktrees specs x
      take --scope worktrees --reuse specs x; take --scope worktrees --reuse specs x y y
      take --scope worktrees -n 40 specs z
      take --scope worktrees -n 40 ../b/specs z 2>&1 || echo "code $?"
      take --scope worktrees ../b/specs z
      git rev-list --count refs/topic-alloc/specs
      """,
      prints: [
        "001", "001", "001", "002", "002", "040",
        "topic-alloc: cannot take number 40: '040_z' has it in '\(directory("a"))'",
        "topic-alloc: hint: omit --number to get the next free one", "code 73", "041", "4",
      ])
  }

  @Test("A number known to be in use is refused, with -n and in a preview")
  func takenNumbers() throws {
    let outcome = try script(
      """
      server; clone a; cd a
      refused() { topic-alloc "$@" x 2>&1 >/dev/null | grep cannot; topic-alloc --dry-run "$@" x 2>&1 >/dev/null | grep cannot; }
      take --scope remote specs r; rm -r specs
      refused --scope worktrees -n 1 specs
      take --scope worktrees --style adr specs d; rm -r specs
      refused --scope remote -n 2 specs
      git checkout -q -b other; mkdir -p specs/020_b; touch specs/020_b/f; git add specs; commit; git checkout -q -
      refused --scope remote -n 20 specs
      take --scope remote -n 30 specs y; rm -r specs
      mkdir ../short && cd ../short && git init -q && git remote add origin ../server.git
      git fetch -q --depth 1 "file://$PWD/../server.git" refs/topic-alloc/specs:refs/topic-alloc-remotes/origin/specs
      refused --scope worktrees -n 7 specs
      take --scope worktrees specs z
      """)
    let owners = [
      "1: it is reserved for '001_r'", "2: it is reserved for '0002-d.md'",
      "20: '020_b' has it in 'refs/heads/other'",
      "7: a shallow fetch has cut refs/topic-alloc/specs, so it is unknown here whether the number is reserved",
    ]
    let twice = owners.map { owner in
      let line = "topic-alloc: cannot take number \(owner)"
      return [line, line]
    }
    let expected: [[String]] = [
      ["001"], twice[0], ["0002"], twice[1], twice[2], ["030"], twice[3], ["031"],
    ]
    #expect(outcome.lines == Array(expected.joined()), "\(outcome.text)\(outcome.error)")
  }

  @Test("A topic renamed on one side is not a clash")
  func renamedTopic() throws {
    try expect(
      """
      git init -q a; cd a; mkdir -p specs/001_a specs/002_b; touch specs/001_a/f specs/002_b/f
      git add .; commit; git checkout -q -b there; git mv specs/002_b specs/002_better; commit
      git checkout -q -; git mv specs/001_a specs/001_any; commit
      topic verify --against there specs
      mkdir specs/003_mine; git checkout -q there; mkdir specs/003_other; touch specs/003_other/f
      git add specs/003_other; commit; git checkout -q -
      topic verify --against there specs | grep -c 'clash: number 003' || :
      """,
      prints: ["'\(directory("a/specs"))': 2 topics, 001 to 002, no violation", "1"])
  }

  @Test("Artifacts are numbered within their topic, whatever the scope of topics")
  func artifacts() throws {
    try expect(
      """
      mkdir -p specs/001_a; export TOPIC_ALLOC_SCOPE=worktrees
      topic artifact specs/001_a plans x
      source '\(LibraryTests.library)'; create_research_subdirectory "$PWD/specs/001_a" y
      """,
      prints: [directory("specs/001_a/plans/001_x"), directory("specs/001_a/reports/001_y")])
  }

  @Test("A reservation without a directory is a gap that the message names, not a violation")
  func gap() throws {
    let outcome = try script(
      """
      git init -q a; cd a; commit; take --scope worktrees specs x
      POSIX_FAULT=mkdirat:1:\(ENOSPC) take --scope worktrees specs y && exit 9
      take --scope worktrees specs z
      topic verify specs >/dev/null && exit 9
      topic verify --scope worktrees specs; git config topic-alloc.scope worktrees; topic verify specs
      """)
    #expect(
      outcome.code == 0 && outcome.lines.prefix(2) == ["001", "003"],
      "\(outcome.text)\(outcome.error)")
    #expect(
      outcome.error.contains("No space left on device; number 002 stays reserved: a gap"),
      "\(outcome.error)")
  }

  @Test("A ref that is not a ledger is reported; a number passed locally is skipped")
  func damagedAndPassed() throws {
    let outcome = try script(
      """
      git init -q a; cd a; commit; git update-ref refs/topic-alloc/specs HEAD
      take --scope worktrees specs x
      """)
    #expect(outcome.code == 65 && outcome.error.contains("is not a ledger"), "\(outcome.error)")
    try expect(
      """
      cd a; git update-ref -d refs/topic-alloc/specs; take --scope worktrees specs x
      mkdir specs/007_local; take --scope worktrees specs x
      """, prints: ["001", "008"])
  }
}
