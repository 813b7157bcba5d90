import Foundation
import TestSupport
import Testing

/// The commands of `topic`.
@Suite(.timeLimit(.minutes(20))) struct TopicTests {
  let directory = TemporaryDirectory()

  private func topic(
    _ words: String..., in name: String = ".", environment: [String: String] = [:]
  ) throws -> Outcome {
    try run([Product.topic] + words, in: directory(name), environment: environment)
  }

  private func path(_ outcome: Outcome) throws -> String? {
    let object = try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any]
    return object?["topic_path"] as? String
  }

  @Test("locate finds the root in the order of the contract")
  func locate() throws {
    try directory.makeDirectories("repo/.git", "repo/deep/er", "elsewhere", "worktree/sub", "git")
    try directory.makeFile("repo/.git/HEAD")
    try directory.makeFile("git/HEAD")
    try directory.makeFile("worktree/.git", "gitdir: ../git\n")
    #expect(
      try path(topic("locate", "a", in: "repo/deep/er")) == directory("repo/.claude/specs/001_a"))
    #expect(
      try path(topic("locate", "a", in: "worktree/sub"))
        == directory("worktree/.claude/specs/001_a"))
    #expect(
      try path(topic("locate", "a", in: "elsewhere")) == directory("elsewhere/.claude/specs/001_a"))
    try directory.makeDirectories("plain/specs")
    #expect(try path(topic("locate", "a", in: "plain")) == directory("plain/specs/001_a"))
    try directory.makeDirectories("plain/.claude/specs")
    #expect(try path(topic("locate", "a", in: "plain")) == directory("plain/.claude/specs/001_a"))
    let project = ["CLAUDE_PROJECT_DIR": directory("repo")]
    #expect(
      try path(topic("locate", "b", in: "plain", environment: project))
        == directory("repo/.claude/specs/002_b"))
    let root = ["CLAUDE_SPECS_ROOT": directory("own")]
    #expect(
      try path(topic("locate", "a", in: "plain", environment: root)) == directory("own/001_a"))
  }

  @Test(
    "A description without a name becomes untitled, with a warning; several words form one name")
  func description() throws {
    let untitled = try topic("locate", "-f", "number", "😀")
    #expect(untitled.lines == ["001"] && untitled.error.contains("'untitled'"))
    #expect(
      try topic("locate", "-f", "path", "OAuth", "2.0", "login").text.hasSuffix(
        "/002_oauth_20_login\n"))
    #expect(directory.entries(".claude/specs") == ["001_untitled", "002_oauth_20_login"])
    #expect(try topic("locate", "--reuse", "-f", "number", "OAuth 2.0 login").lines == ["002"])
  }

  @Test("list prints number, name, age and artifacts, with tabs in a pipe and as JSON")
  func list() throws {
    try directory.makeDirectories("specs/001_a/reports/x", "specs/001_a/plans", "specs/010_b")
    #expect(
      try topic("list", "specs").lines.map { $0.split(separator: "\t").first ?? "" } == [
        "001", "010",
      ])
    #expect(try topic("list", "specs").text.contains("\treports 1, plans 0\n"))
    let output = try topic("list", "specs", "--format", "json").output
    let array = try #require(JSONSerialization.jsonObject(with: output) as? [[String: Any]])
    #expect(array.count == 2 && array[0]["topic_path"] as? String == directory("specs/001_a"))
    #expect(array[0]["artifacts"] as? [String: Int] == ["reports": 1, "plans": 0])
    #expect(array[0]["age_seconds"] is Int)
    #expect(try topic("list", "specs", "-f", "jsonl").lines.count == 2)
    #expect(
      try topic("list", "-f", "path", "specs").lines == [
        directory("specs/001_a"), directory("specs/010_b"),
      ])
    #expect(try topic("list", "missing").code == 66)
    #expect(try topic("find", "missing", "x").code == 66)
  }

  @Test("A project without topics has nothing to list or find")
  func noRootYet() throws {
    #expect(try topic("list").code == 0)
    #expect(try topic("find", "x").code == 1)
    #expect(directory.entries(".") == [])
  }

  @Test(
    "A table on a terminal has a header and fits the width",
    .enabled(if: Product.hasProgram("script")))
  func table() throws {
    try directory.makeDirectories("specs/001_" + String(repeating: "long", count: 60))
    let outcome = try bash(
      "script -qc \"stty cols 40; topic list specs\" /dev/null", in: directory.path)
    let lines = outcome.text.split(whereSeparator: \.isNewline)
    #expect(lines.first?.hasPrefix("NUMBER  NAME") == true, "\(outcome.text)")
    #expect(lines.allSatisfy { $0.count <= 40 && $0.last != " " })
  }

  @Test("find prints the numbers of matching names, lowest first, and exits with 1 if none matches")
  func find() throws {
    try directory.makeDirectories("specs/010_oauth_20", "specs/002_auth", "specs/003_billing")
    #expect(try topic("find", "specs", "^o?auth").lines == ["002", "010"])
    #expect(
      try topic("find", "specs", "-f", "path", "bill").lines == [directory("specs/003_billing")])
    let none = try topic("find", "specs", "nothing")
    #expect(none.code == 1 && none.output.isEmpty && none.error.isEmpty)
    #expect(try topic("find", "specs", "(").code == 64)
    #expect(
      try topic("find", "bill", environment: ["CLAUDE_SPECS_ROOT": directory("specs")]).lines == [
        "003"
      ])
  }

  @Test("verify sees no violation while healthy allocators work")
  func verifyWhileAllocating() throws {
    let script = """
      for i in 1 2 3 4; do seq 300 | topic-alloc specs - >/dev/null & done
      while [[ -n $(jobs -r) ]]; do topic verify --start 1 specs >>out || cat out; done
      topic verify specs | grep -c 'no violation'
      """
    #expect(try bash("mkdir specs; " + script, in: directory.path).lines == ["1"])
  }

  @Test("Empty arguments are errors")
  func emptyArguments() throws {
    for words in [["list", ""], ["verify", ""], ["find", "", "x"], ["artifact", "", "plans"]] {
      let outcome = try run([Product.topic] + words, in: directory.path)
      #expect(
        outcome.code == 64 && outcome.error.contains("is an empty string"), "\(outcome.error)")
    }
  }

  @Test(
    "A path with a newline is an error in line output; unreadable artifacts show a question mark")
  func unreadable() throws {
    try directory.makeDirectories("specs/001_a", "specs/002_b\nc")
    #expect(try topic("list", "specs", "-f", "path").code == 65)
    #expect(try topic("list", "specs", "-f", "number").lines == ["001", "002"])
    try directory.makeDirectories("specs/001_a/reports")
    // The root is opened for its lock and for its entries, then the reports.
    let outcome = try run(
      [Product.topic, "list", directory("specs")], environment: ["POSIX_FAULT": "open:3:\(EACCES)"])
    #expect(outcome.lines.first?.hasSuffix("\treports ?") == true, "\(outcome.text)")
  }

  @Test("A symlink does not count as an artifact directory")
  func linkedArtifacts() throws {
    try directory.makeDirectories("specs/001_a", "specs/002_b/plans", "elsewhere/x")
    for topic in ["001_a", "002_b"] {
      try run(["ln", "-s", directory("elsewhere"), directory("specs/\(topic)/reports")])
    }
    let lines = try topic("list", "specs").lines
    #expect(lines.allSatisfy { !$0.contains("reports") } && lines[1].hasSuffix("plans 0"))
  }

  @Test("artifact creates the directory of a kind on demand")
  func artifact() throws {
    try directory.makeDirectories("specs/042_a")
    #expect(
      try topic("artifact", "specs/042_a", "reports").text == directory("specs/042_a/reports")
        + "\n")
    #expect(try topic("artifact", "42", "reports").text == directory("specs/042_a/reports") + "\n")
    #expect(directory.entries("specs/042_a") == ["reports"])
    #expect(
      try topic("artifact", "042_a", "plans", "First cut").lines == [
        directory("specs/042_a/plans/001_first_cut")
      ])
    #expect(
      try topic("artifact", "a", "plans", "x", "--suffix", ".md").lines == [
        directory("specs/042_a/plans/002_x.md")
      ])
    #expect(try topic("artifact", "specs/042_a", "plan").error.contains("did you mean 'plans'?"))
    let missing = try topic("artifact", "43", "plans")
    #expect(missing.code == 66)
    #expect(
      missing.error.contains(
        "there is no topic '43': no such directory, and no such topic in '\(directory("specs"))'\n")
    )
    #expect(
      try topic("artifact", "no/thing", "plans").error.contains(
        "there is no topic 'no/thing': no such directory\n"))
    #expect(
      try topic("artifact", "42", "plans", "--reuse").error.contains("--reuse needs a NAME"))
    #expect(try topic("artifact", "42").error.contains("no KIND"))
    #expect(directory.entries("specs") == ["042_a"])
  }

  @Test(
    "Concurrent artifacts of one kind get different numbers",
    .enabled(if: Product.hasProgram("seq")))
  func concurrentArtifacts() throws {
    try directory.makeDirectories("specs/001_a")
    let script =
      "for i in $(seq 20); do topic artifact 1 reports r >>out & done; wait; sort -u out | wc -l"
    #expect(try bash(script, in: directory.path).text.contains("20"))
    #expect(directory.entries("specs/001_a/reports").count == 20)
  }

  @Test("slug prints the name and creates nothing")
  func slug() throws {
    #expect(try topic("slug", "OAuth 2.0 login", "Ärger").lines == ["oauth_20_login", "arger"])
    #expect(try topic("slug", "--style", "spec-kit", "OAuth 2.0").lines == ["oauth-2-0"])
    #expect(try topic("slug", "😀").code == 65)
    #expect(directory.entries().isEmpty)
  }

  @Test("The overview lists every topic command, and each has help")
  func help() throws {
    let overview = try topic("help").text
    #expect(try topic("--help").text == overview)
    for command in ["locate", "list", "find", "verify", "renumber", "artifact", "slug"] {
      #expect(overview.contains("\n  \(command) "))
      let help = try topic("help", command)
      #expect(help.code == 0 && help.text.hasPrefix("Usage: topic \(command) "))
      #expect(help.text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(help.text)")
      #expect(try topic(command, "--help").text == help.text)
      #expect(try topic(command, "--nonsense", "x").code == 64)
    }
    #expect(try topic("--version").text == "topic 0.2.0\n")
  }

  @Test("Help prints the options before the sections, and examples last")
  func sections() throws {
    let lines = try topic("help", "verify").lines.filter { $0.hasSuffix(":") && $0.first != " " }
    #expect(
      lines == [
        "What counts as a violation:", "Result:", "Naming:", "Without ROOT:", "JSON:", "Examples:",
      ])
  }

  @Test(
    "A usage error suggests a correction",
    arguments: [
      (["lits"], "did you mean 'list'?"), (["-v", "list"], "unknown option '-v'"),
      ([], "no command"),
      (["find"], "no REGEX\ntopic: hint: topic find [option]... [ROOT] REGEX"),
      (["list", "a", "b"], "unexpected argument 'b'"),
      (["list", "--allow-gaps"], "--allow-gaps belongs to topic verify"),
      (["slug", "--width", "4", "x"], "--width belongs to topic list, find, verify, renumber"),
    ])
  func usage(arguments: [String], message: String) throws {
    let outcome = try run([Product.topic] + arguments, in: directory.path)
    #expect(outcome.code == 64 && outcome.error.contains(message), "\(outcome.error)")
  }

  @Test(
    "Completions offer only valid words",
    arguments: [
      (["ver"], ["verify"]), (["verify", "--only", "c"], ["clash"]),
      (["artifact", "oauth", "pl"], ["plans"]), (["artifact", "oau"], ["oauth_20"]),
      (["slug", "--style=s"], ["--style=spec-kit"]), (["list", "--format", "t"], ["table"]),
    ])
  func completions(words: [String], expected: [String]) throws {
    try directory.makeDirectories("specs/042_oauth_20")
    let outcome = try run([Product.topic, "--complete", "bash"] + words, in: directory.path)
    let found = outcome.lines.filter { !$0.hasPrefix(":") }.map { $0.prefix { $0 != "\t" } }
    #expect(found == expected.map { $0[...] }, "\(outcome.text)")
  }
}
