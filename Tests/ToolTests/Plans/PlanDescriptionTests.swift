import Foundation
import TestSupport
import Testing

/// What the descriptions of `topic plan` make: usage errors, help, examples, completions.
@Suite(.timeLimit(.minutes(20))) struct PlanDescriptionTests {
  let directory = TemporaryDirectory()

  private func makePlan() throws {
    try directory.makeFile(
      "PLAN.md",
      "**Goal:** g\n\n| Group 1 | a, b, c |\n\n### Task a: First\n### Task b: Second\n### Task c\n")
  }

  /// The lines that the last word of the command line can be completed to.
  private func complete(_ line: String, home: String = "") throws -> [String] {
    let outcome = try bash(
      "timeout 20 topic --complete bash \(line)", in: directory.path, environment: ["HOME": home])
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(line): \(outcome.error)")
    return outcome.text.split(separator: "\n").map(String.init)
  }

  /// The lines of the help that are printed as they stand.
  private func verbatim(_ help: String, after mark: String = "") throws -> String {
    let text = try run([Product.topic, "help"] + help.split(separator: " ").map(String.init)).text
    let start = mark.isEmpty ? text.startIndex : try #require(text.firstRange(of: mark)).upperBound
    return text[start...].split(separator: "\n", omittingEmptySubsequences: false)
      .filter { $0.isEmpty || ($0.hasPrefix("  ") && !$0.hasPrefix("   -")) }
      .map { $0.dropFirst(2) + "\n" }.joined()
  }

  @Test(
    "Wrong usage is status 64, with what is wrong",
    arguments: [
      ("show --worker w PLAN.md", "--worker belongs to topic plan claim, done, fail, release"),
      ("done --worker w --lease 5 PLAN.md a", "--lease belongs to topic plan claim"),
      ("claim --worker w --watch PLAN.md", "--watch belongs to topic plan status"),
      ("done --worker w --force PLAN.md a", "--force belongs to topic plan release"),
      ("claim PLAN.md", "no --worker"), ("done PLAN.md a", "no --worker"),
      ("fail PLAN.md a", "no --worker"), ("release PLAN.md a", "no --worker and no --force"),
      ("release --force PLAN.md", "no ID"), ("check", "no PLAN"),
      ("check ''", "PLAN is an empty string"), ("status PLAN.md x", "unexpected argument 'x'"),
      ("claim --worker '' PLAN.md", "the name of the worker is an empty string"),
      ("claims PLAN.md", "did you mean 'claim'?"),
      // The value of an option is no option.
      ("show --format --worker --bogus PLAN.md", "unknown option '--bogus'"),
    ])
  func usage(command: String, message: String) throws {
    try makePlan()
    let outcome = try bash("topic plan \(command)", in: directory.path)
    #expect(outcome.code == 64 && outcome.error.contains(message), "\(outcome.error)")
    #expect(directory.entries() == ["PLAN.md"])
  }

  @Test(
    "Each command has a help, and its place in the help and the manual page of plan",
    arguments: ["check", "show", "graph", "status", "claim", "done", "fail", "release"])
  func help(command: String) throws {
    let help = try run([Product.topic, "help", "plan", command])
    #expect(help.code == 0 && help.text.hasPrefix("Usage: topic plan \(command) "))
    #expect(help.text.contains("Examples:\n  "))
    #expect(try run([Product.topic, "plan", command, "--help"]).text == help.text)
    #expect(try run([Product.topic, "help", "plan"]).text.contains("\n  \(command) "))
    let page = try run([Product.topic, "help", "--man", "plan"]).text
    #expect(page.contains("\n.SS topic plan \(command)\n"))
  }

  @Test("The plan that 'topic help plans' shows is valid")
  func page() throws {
    try directory.makeFile("PLAN.md", try verbatim("plans"))
    let outcome = try bash("topic plan check PLAN.md; topic plan show PLAN.md", in: directory.path)
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    #expect(outcome.lines.first == "4 tasks in 2 groups")
    #expect(outcome.text.contains("after client, by reviewer"))
  }

  @Test(
    "The loop in the help of claim does every task, and stops when all are done",
    .enabled(if: Product.hasProgram("jq")))
  func loop() throws {
    try makePlan()
    try directory.makeFile("work", "#!/bin/sh\nprintf '%s' \"$1\" | jq -r .id >>worked\n")
    let loop = try verbatim("plan claim", after: "Examples:\n")
    let outcome = try bash("chmod +x work\n\(loop)\ncat worked", in: directory.path)
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    #expect(outcome.lines.suffix(3) == ["a", "b", "c"], "\(outcome.text)")
  }

  @Test("The tasks of the plan complete an ID, those first that fit the command")
  func ids() throws {
    try makePlan()
    let all = ["a\tFirst", "b\tSecond", "c"]
    for command in ["done", "fail", "release"] {
      #expect(try complete("plan \(command) --worker w PLAN.md ''") == all)
    }
    #expect(try complete("plan release --force PLAN.md ''") == all)
    try bash(
      """
      for w in v w x; do topic plan claim --worker $w PLAN.md; done
      topic plan fail --worker x PLAN.md c
      """, in: directory.path)
    #expect(try complete("plan done --worker w PLAN.md ''") == ["b\tSecond"])
    #expect(try complete("plan done PLAN.md ''") == ["a\tFirst", "b\tSecond"])
    #expect(try complete("plan fail --worker=other PLAN.md a") == ["a\tFirst"])
    #expect(try complete("plan release --force PLAN.md ''") == all)
    #expect(try complete("plan done --worker w PLAN.md b ''") == [])
    #expect(
      try complete("plan done --worker w '~/PLAN.md' ''", home: directory.path)
        == ["b\tSecond"])
    #expect(directory.entries() == ["PLAN.lock", "PLAN.md", "PLAN.state.json"])
  }

  @Test(
    "Where there is no plan to read, nothing completes an ID, at once and without a message",
    arguments: ["missing.md", "-", "fifo", "invalid.md", ".", "''"])
  func noIDs(plan: String) throws {
    try directory.makeFile("invalid.md", "### Task a\n")
    try bash("mkfifo fifo", in: directory.path)
    #expect(try complete("plan done --worker w \(plan) ''") == [])
  }
}
