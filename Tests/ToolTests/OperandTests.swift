import Foundation
import TestSupport
import Testing

/// RUN, TOPIC and PLAN: found by path, number or name, and never made by a typo.
@Suite struct OperandTests {
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
    "One that does not exist is status 66, names the nearest that does, and is not made",
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
      #expect(outcome.error.contains("hint: '"), "\(outcome.error)")
    }
    #expect(directory.entries("project") == ["PLAN.md", "other", "specs"])
    #expect(directory.entries("project/specs") == ["001_real_run"])
  }

  @Test("It is found by path, number and name", arguments: commands)
  func found(command: String) throws {
    for name in ["1", "001", "real_run", "001_real_run", "specs/001_real_run", "other"] {
      let outcome = try script(command.replacing("RUN", with: name))
      #expect(outcome.code == (command.contains(" load ") ? 1 : 0), "\(name): \(outcome.error)")
      if command.contains("artifact") { #expect(outcome.text.hasSuffix("/reports\n")) }
    }
    #expect(directory.entries("project") == ["PLAN.md", "other", "specs"])
  }

  @Test("The hint for a missing run works when it is typed")
  func hint() throws {
    let outcome = try script(
      """
      hint=$(topic checkpoint save "my run" --iteration 1 2>&1 | sed -n "s/.*hint: '\\(.*\\)' makes it/\\1/p")
      eval "$hint" && topic checkpoint save "my run" --iteration 1 && ls "my run"
      """)
    #expect(outcome.lines == ["checkpoint.json"], "\(outcome.error)")
  }

  @Test(
    "A plan that does not exist is status 66, with the nearest one",
    arguments: ["check", "show", "graph", "status", "claim --worker w", "done --worker w"])
  func plan(command: String) throws {
    let id = command.hasPrefix("done") ? " a" : ""
    let outcome = try script("topic plan \(command) PLAM.md\(id); echo $?")
    #expect(outcome.lines == ["66"] && outcome.error.contains("did you mean 'PLAN.md'?"))
    #expect(directory.entries("project") == ["PLAN.md", "other", "specs"])
  }

  @Test(
    "A document over 64 MiB is status 65, and so is a stream that does not end",
    arguments: [
      "topic cost prices --prices FILE", "topic plan check FILE",
      "topic try -n --timeout 9 --model m --fallback FILE -- echo {model}",
      "topic retry check --status needs_changes --feedback-file FILE other",
    ])
  func documents(command: String) throws {
    for file in ["/dev/zero", directory("large")] {
      try run(["truncate", "-s", "\(64 << 20 + 1)", directory("large")])
      let outcome = try script(command.replacing("FILE", with: file) + "; echo $?")
      #expect(
        outcome.lines == ["65"] && outcome.error.contains("File too large"), "\(outcome.error)")
    }
  }
}
