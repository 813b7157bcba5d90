import Foundation
import TestSupport
import Testing

/// `topic verify`.
@Suite(.timeLimit(.minutes(20))) struct VerifyTests {
  let directory = TemporaryDirectory()

  private func topic(
    _ words: String..., in name: String = ".", environment: [String: String] = [:]
  ) throws -> Outcome {
    try run([Product.topic] + words, in: directory(name), environment: environment)
  }

  private func object(_ outcome: Outcome) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: outcome.output) as? [String: Any])
  }

  @Test("verify exits with 1 on a violation, unless --enforce says otherwise")
  func verify() throws {
    try directory.makeDirectories("specs/001_a", "specs/001_b", "specs/003_c")
    let strict = try topic("verify", "specs")
    #expect(strict.code == 1)
    #expect(strict.text.contains("duplicate: number 001 belongs to '001_a', '001_b'"))
    #expect(strict.text.contains("gap: number 002 is missing"))
    let warned = try topic("verify", "specs", "--enforce", "warn", "--allow-gaps")
    #expect(warned.code == 0 && warned.text.contains("duplicate") && !warned.text.contains("gap"))
    let off = try topic("verify", "specs", "--enforce=off")
    #expect(off.code == 0 && off.output.isEmpty)
    let json = try JSONSerialization.jsonObject(with: topic("verify", "specs", "-f", "json").output)
    let violations = (json as? [String: Any])?["violations"] as? [[String: Any]]
    #expect(violations?.map { $0["kind"] as? String } == ["duplicate", "gap"])
    #expect(violations?.first?["entries"] as? [String] == ["001_a", "001_b"])
  }

  @Test("verify checks styles that make files")
  func verifyFiles() throws {
    #expect(try run([Product.topicAlloc, "--style", "adr", directory("adr"), "a", "b"]).code == 0)
    #expect(try topic("verify", "--style", "adr", "adr").code == 0)
    let wrong = try topic("verify", "adr")
    #expect(wrong.code == 1)
    #expect(
      wrong.text.hasPrefix("unrecognised: none of the 2 entries is numbered in this style")
        && wrong.text.contains("use --style adr"), "\(wrong.text)")
  }

  @Test("A missing ROOT is status 66, and so is a project without one, with a hint")
  func missing() throws {
    let named = try topic("verify", "missing")
    #expect(named.code == 66 && named.error.contains("'\(directory("missing"))'"))
    #expect(try topic("verify", environment: ["CLAUDE_SPECS_ROOT": directory("x")]).code == 66)
    let none = try topic("verify")
    #expect(none.code == 66 && none.output.isEmpty)
    #expect(none.error.contains(".claude/specs, specs, docs/adr, doc/adr"), "\(none.error)")
    let hint = try #require(none.error.firstMatch(of: #/mkdir -p .*/#))
    #expect(try bash(String(hint.output)).code == 0)
    #expect(try topic("verify").text == "'\(directory(".claude/specs"))': empty\n")
    let records = try topic("verify", "--style", "adr")
    #expect(records.code == 66 && !records.error.contains("specs"), "\(records.error)")
  }

  @Test("An empty root is valid; a root with only unnumbered entries is a violation")
  func unrecognised() throws {
    try directory.makeDirectories("specs")
    try directory.makeFile("specs/.gitkeep")
    #expect(try topic("verify", "specs").text == "'\(directory("specs"))': empty\n")
    try directory.makeDirectories("specs/001.a", "specs/notes")
    let found = try topic("verify", "--only", "duplicates", "specs")
    #expect(
      found.code == 1
        && found.text.hasPrefix(
          "unrecognised: none of the 2 entries is numbered in this style, as '042_name' is\n"),
      "\(found.text)")
    #expect(found.text.contains("--separator"))
    #expect(try topic("verify", "--separator", ".", "specs").code == 0)
    try directory.makeDirectories("specs/2025-11-29-a")
    #expect(try topic("verify", "specs").code == 0)
  }

  @Test("Without ROOT, one report covers every root of the project, each in its style")
  func everyRoot() throws {
    try directory.makeDirectories(
      ".claude/specs", "specs/001-a", "specs/001-b", "specs/002_c", "docs/adr", "docs/decisions")
    for name in ["adr/0001-a.md", "adr/0001-b.md", "decisions/0001-a.md", "decisions/0003-b.md"] {
      try directory.makeFile("docs/\(name)")
    }
    let text = try topic("verify")
    #expect(text.code == 1)
    let rename =
      "  give it 3 digits or more, '-' and a name, or a name that does not begin with a digit"
    #expect(
      text.lines == [
        "'\(directory(".claude/specs"))': empty",
        "duplicate: number 001 belongs to '001-a', '001-b'",
        "  rename all but one to the next free number",
        "name: '002_c' does not follow the naming style",
        rename,
        "'\(directory("specs"))': 2 topics, 001 to 001, 2 violations",
        "duplicate: number 0001 belongs to '0001-a.md', '0001-b.md'",
        "  rename all but one to the next free number",
        "'\(directory("docs/adr"))': 2 topics, 0001 to 0001, 1 violation",
        "'\(directory("docs/decisions"))': 2 topics, 0001 to 0003, no violation",
      ])
    let all = try object(topic("verify", "-f", "json"))
    #expect(all["root"] as? String == directory.path && all["topics"] as? Int == 6)
    #expect(all["lowest"] == nil)
    let violations = try #require(all["violations"] as? [[String: Any]])
    #expect(
      violations.map { $0["root"] as? String }
        == ["specs", "specs", "docs/adr"].map { directory($0) })
    let roots = try #require(all["roots"] as? [[String: Any]])
    #expect(roots.map { ($0["violations"] as? [Any])?.count } == [0, 2, 1, 0])
    let alone = try object(topic("verify", "-f", "json", "--style", "spec-kit", "specs"))
    #expect(NSDictionary(dictionary: roots[1]) == NSDictionary(dictionary: alone))
  }

  @Test("A naming option checks only the roots of that kind")
  func someRoots() throws {
    try directory.makeDirectories("specs/001_a", "doc/adr", "own/001_b")
    try directory.makeFile("doc/adr/0001-a.md")
    let specs = "'\(directory("specs"))': 1 topic, 001 to 001, no violation"
    let records = "'\(directory("doc/adr"))': 1 topic, 0001 to 0001, no violation"
    #expect(try topic("verify").lines == [specs, records])
    #expect(try topic("verify", "--style", "topic").lines == [specs])
    #expect(try topic("verify", "--width", "3").lines == [specs])
    #expect(try topic("verify", "--style", "adr").lines == [records])
    #expect(
      try topic("verify", environment: ["CLAUDE_SPECS_ROOT": directory("own")]).lines
        == ["'\(directory("own"))': 1 topic, 001 to 001, no violation"])
    try directory.makeDirectories(".claude")
    try run(["ln", "-s", "../specs", directory(".claude/specs")])
    #expect(try topic("verify").lines == [specs, records])
  }

  @Test("Gaps are violations in the style topic, and elsewhere on request")
  func gaps() throws {
    try directory.makeDirectories("specs/001_a", "specs/003_b", "kit/002-a", "kit/004-b")
    #expect(try topic("verify", "specs").code == 1)
    #expect(try topic("verify", "--strict", "--allow-gaps", "specs").code == 0)
    let kit = ["verify", "--style", "spec-kit", "kit"]
    for (options, code) in [
      ([], 0), (["--strict"], 1), (["--only", "gap"], 1), (["--only=gaps"], 1),
      (["--only", "gap", "--scope", "worktrees"], 1), (["--strict", "--scope", "worktrees"], 1),
      (["--start", "2"], 0), (["--start", "1"], 1), (["--start", "1", "--allow-gaps"], 0),
    ] {
      let outcome = try run([Product.topic] + kit + options, in: directory.path)
      #expect(outcome.code == Int32(code), "\(options): \(outcome.text)\(outcome.error)")
    }
  }

  @Test("--only reports the kinds that it names; contradictions are usage errors")
  func only() throws {
    try directory.makeDirectories("specs/001_a", "specs/001_b", "specs/003_C")
    func kinds(_ words: String...) throws -> [String] {
      let outcome = try run([Product.topic, "verify", "specs"] + words, in: directory.path)
      return outcome.lines.dropLast().filter { !$0.hasPrefix(" ") }
        .map { String($0.prefix { $0 != ":" }) }
    }
    #expect(try kinds() == ["duplicate", "gap", "name"])
    #expect(try kinds("--only", "duplicates") == ["duplicate"])
    #expect(try kinds("--only", "name", "--only", "gap") == ["gap", "name"])
    #expect(try topic("verify", "specs", "--only", "kind").code == 0)
    let unknown = try topic("verify", "specs", "--only", "gapz")
    #expect(unknown.code == 64 && unknown.error.contains("did you mean 'gap'?"))
    #expect(try topic("verify", "specs", "--only", "clash").code == 64)
    #expect(try topic("verify", "specs", "--only", "gap", "--allow-gaps").code == 64)
  }

  @Test("Every --against is checked")
  func against() throws {
    let outcome = try bash(
      """
      export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
      git init -q -b main .; git commit -q --allow-empty -m x
      for name in one two; do
        git checkout -q -b $name main; mkdir -p specs/001_$name; touch specs/001_$name/f
        git add .; git commit -q -m x
      done
      git checkout -q -b three main; mkdir -p specs/001_three specs/002_x
      topic verify --against one --against main specs && exit 9
      topic verify --against one --against two specs && exit 9
      topic verify --against main --against main specs
      """, in: directory.path)
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    #expect(
      outcome.lines.filter { $0.hasPrefix("clash") }.map { $0.suffix(5) }
        == ["'one'", "'one'", "'two'"], "\(outcome.text)\(outcome.error)")
    #expect(outcome.lines.last?.hasSuffix("no violation") == true)
  }

  @Test("A dangling symlink does not hide a root that is asked for")
  func unmounted() throws {
    try directory.makeDirectories(".claude/specs")
    for link in ["specs", "docs"] {
      try run(["ln", "-s", "/nowhere", directory(link)])
      let outcome = try topic("verify")
      #expect(outcome.code == 66 && outcome.output.isEmpty)
      #expect(outcome.error.contains("'\(directory(link))' is a dangling symbolic link"))
      try run(["rm", directory(link)])
    }
    try run(["ln", "-s", "/nowhere", directory("docs")])
    #expect(try topic("verify", "--style", "topic").code == 0)
  }
}
