import Foundation
import TestSupport
import Testing

/// RUN, TOPIC and PLAN are found by path, number or name, and a typo creates nothing.
@Suite(.timeLimit(.minutes(20))) struct OperandTests {
  let directory = TemporaryDirectory()

  init() throws {
    try directory.makeDirectories("project/specs/001_real_run", "project/other")
    try directory.makeFile("project/PLAN.md", "**Goal:** g\n\n| Group 1 | a |\n\n### Task a\n")
  }

  private func script(_ text: String) throws -> Outcome {
    try bash(
      text, in: directory("project"), environment: ["CLAUDE_PROJECT_DIR": directory("project")])
  }

  static let commands = [
    "topic checkpoint save RUN --iteration 1", "topic checkpoint load RUN",
    "topic checkpoint clear RUN",
    "topic retry check --status approved RUN",
    "topic cost add --role r --model m --input-tokens 1 --output-tokens 1 RUN",
    "topic cost total RUN", "topic cost check --max-usd 1 RUN", "topic gate RUN --step a true",
    "topic try -n --timeout 9 --model m --run RUN -- echo {model}", "topic artifact RUN reports",
  ]

  @Test(
    "A missing TOPIC or RUN is status 66 with the closest name, and is not created",
    arguments: commands)
  func missing(command: String) throws {
    for (wrong, near) in [
      ("reelrun", "'real_run'"), ("othr", "'other'"),
      ("specs/001_reel_run", "'specs/001_real_run'"),
      ("7", ""), ("007", ""),
    ] {
      let outcome = try script(command.replacing("RUN", with: wrong) + "; echo $?")
      #expect(outcome.lines == ["66"], "\(wrong): \(outcome.error)")
      #expect(outcome.error.contains("'\(wrong)'"), "\(outcome.error)")
      let isNear = near.isEmpty || outcome.error.contains("did you mean \(near)?")
      #expect(isNear, "\(outcome.error)")
      #expect(outcome.error.contains("hint: "), "\(outcome.error)")
    }
    #expect(directory.entries("project") == ["PLAN.md", "other", "specs"])
    #expect(directory.entries("project/specs") == ["001_real_run"])
  }

  @Test("A TOPIC or RUN is found by path, number and name", arguments: commands)
  func found(command: String) throws {
    for name in ["1", "001", "real_run", "001_real_run", "specs/001_real_run", "other"] {
      let outcome = try script(command.replacing("RUN", with: name))
      #expect(outcome.code == (command.contains(" load ") ? 1 : 0), "\(name): \(outcome.error)")
      if command.contains("artifact") { #expect(outcome.text.hasSuffix("/reports\n")) }
    }
    #expect(directory.entries("project") == ["PLAN.md", "other", "specs"])
  }

  @Test(
    "Any other missing operand is status 66, and is not created",
    arguments: [
      "CLAUDE_SPECS_ROOT=typo topic list", "CLAUDE_SPECS_ROOT=typo topic find x",
      "CLAUDE_SPECS_ROOT=typo topic renumber", "CLAUDE_PROJECT_DIR=typo topic locate x",
      "CLAUDE_PROJECT_DIR=typo topic checkpoint list", "topic metrics rotate --max-bytes 1 typo",
      "topic metrics summary typo", "topic gate --enforce off --step a true typo",
      "topic cost total --prices typo other", "topic cost check --max-usd 1 --prices typo other",
      "topic plan done --worker w PLAN.md typo",
    ])
  func others(command: String) throws {
    let outcome = try script(command + "; echo $?")
    #expect(
      outcome.lines == ["66"] && outcome.error.contains("typo"), "\(outcome.text)\(outcome.error)")
    #expect(
      directory.entries("project")
        == ["PLAN.lock", "PLAN.md", "other", "specs"].filter {
          $0 != "PLAN.lock" || command.contains("plan")
        })
  }

  @Test(
    "A directory where nothing can be created is an error at once",
    .enabled(if: FileManager.default.fileExists(atPath: "/proc/self")))
  func impossible() throws {
    let outcome = try script(
      "topic-alloc /proc/nope x; echo $?; topic-alloc /proc/self/nope/specs x; echo $?")
    #expect(outcome.lines == ["73", "73"], "\(outcome.error)")
    #expect(
      outcome.error.contains("cannot create '/proc/nope'")
        && outcome.error.contains("nothing can be created"))
  }

  @Test("A plan may be standard input or a pipe if no state is needed")
  func pipes() throws {
    let outcome = try script(
      """
      topic plan check - <PLAN.md; cat PLAN.md | topic plan show - | head -n 1
      cat PLAN.md | topic plan claim --worker w -; echo $?
      """)
    #expect(outcome.lines == ["1 task in 1 group", "g", "74"], "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.contains("it is a FIFO, not a regular file"))
  }

  @Test("The hint for a missing run works when typed")
  func hint() throws {
    let outcome = try script(
      """
      hint=$(topic checkpoint save "my run" --iteration 1 2>&1 | sed -n "s/.*hint: make it with: //p")
      eval "$hint" && topic checkpoint save "my run" --iteration 1 && ls "my run"
      """)
    #expect(outcome.lines == ["checkpoint.json"], "\(outcome.error)")
  }

  @Test(
    "A missing plan is status 66 with the closest name",
    arguments: ["check", "show", "graph", "status", "claim --worker w", "done --worker w"])
  func plan(command: String) throws {
    let id = command.hasPrefix("done") ? " a" : ""
    let outcome = try script("topic plan \(command) PLAM.md\(id); echo $?")
    #expect(outcome.lines == ["66"] && outcome.error.contains("did you mean 'PLAN.md'?"))
    #expect(directory.entries("project") == ["PLAN.md", "other", "specs"])
  }

  @Test(
    "A document over 64 MiB is status 65, and so is an endless stream",
    arguments: [
      "topic cost prices --prices FILE", "topic plan check FILE",
      "topic try -n --timeout 9 --model m --fallback FILE -- echo {model}",
      "topic retry check --status needs_changes --feedback-file FILE other",
      "topic retry check --status needs_changes --feedback-file - other <FILE",
      "topic gate other <FILE", "topic checkpoint save other <FILE",
    ])
  func documents(command: String) throws {
    for file in ["/dev/zero", directory("large")] {
      try run(["truncate", "-s", "\(64 << 20 + 1)", directory("large")])
      let outcome = try script(command.replacing("FILE", with: file) + "; echo $?")
      #expect(
        outcome.lines == ["65"] && outcome.error.contains("File too large"), "\(outcome.error)")
    }
  }

  @Test(
    "A maintained document over 64 MiB is status 65, names its path, and stays",
    arguments: [
      ("other/checkpoint.json", "topic checkpoint load other"),
      ("other/checkpoint.json", "topic checkpoint save other --status x"),
      ("other/checkpoint.previous.json", "topic retry check --status approved other"),
      ("PLAN.state.json", "topic plan status PLAN.md"),
      ("PLAN.state.json", "topic plan claim --worker w PLAN.md"),
      ("out/state.json", "topic metrics aggregate --out out m.jsonl"),
      (".git/topic-renumber.specs", "topic renumber --apply specs"),
    ])
  func maintained(name: String, command: String) throws {
    let outcome = try script(
      """
      git init -q .; mkdir -p out; echo '{}' >m.jsonl; umask 077
      truncate -s $(((64 << 20) + 1)) '\(name)'
      \(command); echo $?; stat -c %s '\(name)'
      """)
    #expect(outcome.lines == ["65", "\(64 << 20 + 1)"], "\(outcome.text)\(outcome.error)")
    #expect(
      outcome.error.contains("/\(name)': File too large")
        || outcome.error.contains("'\(name)': File too large"), "\(outcome.error)")
  }
}
