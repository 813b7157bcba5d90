import TestSupport
import Testing

/// The description of the command: usage errors, help, completions and the manual page.
@Suite(.timeLimit(.minutes(20))) struct CommandTests {
  let directory = TemporaryDirectory()

  private func stress(_ words: String...) throws -> Outcome {
    try run([Product.topicStress] + words, in: directory.path)
  }

  private func completions(_ words: String...) throws -> [String] {
    try run([Product.topicStress, "--complete", "bash"] + words, in: directory.path).lines
  }

  @Test("The help shows all groups of options and fits into 80 columns")
  func help() throws {
    let help = try stress("--help")
    #expect(help.code == 0 && help.lines.first == "Usage: topic-stress [option]...")
    for title in [
      "Runs and processes", "What is tested", "Numbers beyond one root", "What is done to it",
      "What is left",
    ] {
      #expect(help.lines.contains("\(title):"))
    }
    #expect(help.lines.allSatisfy { $0.count <= 80 || $0.hasPrefix("  topic-stress ") })
  }

  @Test("mandoc accepts the manual page", .enabled(if: Product.hasProgram("mandoc")))
  func manual() throws {
    try directory.makeFile("page.1", stress("--man").text)
    let lint = try run(["mandoc", "-T", "lint", "-W", "warning", directory("page.1")])
    #expect(lint.code == 0, "\(lint.text)")
  }

  @Test(
    "The last kind of a list of chaos is completed, without the kinds before it",
    arguments: [
      (["--chaos", "kill,pa"], ["kill,pause"]), (["--chaos=sysc"], ["--chaos=syscall-kill"]),
      (["-ckill,s"], ["-ckill,syscall-kill", "-ckill,slow"]),
      (["-n", "5", "--chaos", "full,f"], ["full,foreign"]), (["--chaos", "x,"], nil),
    ] as [([String], [String]?)])
  func chaos(words: [String], expected: [String]?) throws {
    let found = try run([Product.topicStress, "--complete", "bash"] + words).lines
    if let expected {
      #expect(found == expected)
    } else {
      #expect(found.count == 9 && found.allSatisfy { $0.hasPrefix("x,") })
    }
  }

  @Test("Runs with a checkpoint are completed for --resume")
  func resume() throws {
    for run in ["20261121T083000Z-001", "20261122T083000Z-001"] {
      try directory.makeDirectories("runs/\(run)")
      try directory.makeFile("runs/\(run)/checkpoint.json", "{}")
    }
    try directory.makeDirectories("runs/20261123T083000Z-001")
    #expect(
      try completions("--run-dir", "runs", "--resume", "2026")
        == [":directories\t", "20261121T083000Z-001", "20261122T083000Z-001"])
  }

  @Test("Choices and paths are completed")
  func values() throws {
    #expect(try completions("--scope", "") == ["worktrees", "remote"])
    #expect(try completions("--workload", "c") == ["claims"])
    #expect(try completions("--format", "") == ["text", "json"])
    #expect(try completions("--run-dir", "") == [":directories\t"])
    #expect(try completions("--report", "") == [":files\t"])
    #expect(try completions("--allocator", "") == [":programs\t"])
  }
}
