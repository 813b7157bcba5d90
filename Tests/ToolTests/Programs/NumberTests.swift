import Foundation
import TestSupport
import Testing

/// Files with numbers that no program writes: each is refused with its path, or accepted unchanged.
@Suite(.timeLimit(.minutes(20))) struct NumberTests {
  let directory = TemporaryDirectory()

  static let values = [
    "-1", "2147483648", "9223372036854775807", "18446744073709551616", "1e308", "\"x\"",
  ]

  init() throws { try directory.makeDirectories("specs/001_run") }

  @discardableResult
  private func script(_ text: String) throws -> Outcome {
    try bash(
      text, in: directory.path,
      environment: [
        "CLAUDE_PROJECT_DIR": directory.path, "HOME": directory.path, "TOPIC_PRICES": "",
      ])
  }

  private func contents(_ name: String) throws -> String {
    try String(contentsOfFile: directory(name), encoding: .utf8)
  }

  /// The text with each of its numbers replaced by each of the values, one at a time.
  private func variants(of text: String) -> [String] {
    text.ranges(of: /\b\d+\b/).filter { range in
      let before = range.lowerBound == text.startIndex ? " " : text[..<range.lowerBound].last ?? " "
      let after = text[range.upperBound...].first ?? " "
      return " :[,\"".contains(before) && " ,]}\"\n".contains(after)
    }.flatMap { range in
      Self.values.map { text.replacingCharacters(in: range, with: $0) }
    }
  }

  /// Runs `commands` twice on each variant of the file `name`. A command must end by itself, and
  /// name a file that it refuses. A file that it accepts must stay acceptable.
  private func check(
    _ name: String, _ commands: [String], codes: Set<Int32> = [0, 65], setUp: String = ""
  ) throws {
    let whole = try contents(name)
    let variants = variants(of: whole)
    #expect(!variants.isEmpty)
    for text in variants {
      for command in commands {
        try script(setUp)
        try directory.makeFile(name, text)
        let first = try script(command)
        #expect(codes.contains(first.code ?? -1), "\(command): \(first.error)\(text)")
        if first.code == 65 {
          let file = String(name.split(separator: "/").last ?? "")
          let isNamed = first.error.contains(file) || first.error.contains("the checkpoint of '")
          #expect(isNamed, "\(command): \(first.error)")
        } else {
          let second = try script(command)
          #expect(
            codes.subtracting([65]).contains(second.code ?? -1),
            "\(command), again: \(second.error)\(text)")
          #expect(!second.error.contains("damaged"), "\(command), again: \(second.error)\(text)")
        }
      }
    }
  }

  @Test("Any number in a plan and its state is accepted, or refused by file name")
  func plan() throws {
    try directory.makeFile(
      "PLAN.md",
      """
      **Goal:** g

      | Group 1 | a, b |
      | Group 2 | c |

      ### Task a
      Timeout: 300
      ### Task b
      ### Task c

      """)
    #expect(try script("topic plan claim --worker v --lease 1 PLAN.md").code == 0)
    let commands = ["check", "show -f json", "graph", "status", "claim --worker w"].map {
      "topic plan \($0) PLAN.md"
    }
    try check("PLAN.md", commands, codes: [0, 1, 65], setUp: "rm -f PLAN.state.json")
    try script("rm -f PLAN.state.json")
    try directory.makeFile(
      "PLAN.md", "**Goal:** g\n\n| Group 1 | a |\n| Group 2 | b |\n\n### Task a\n### Task b\n")
    #expect(try script("topic plan claim --worker v PLAN.md").code == 0)
    #expect(try script("topic plan release --force PLAN.md a").code == 0)
    try check(
      "PLAN.state.json",
      ["topic plan status PLAN.md", "topic plan claim --worker w PLAN.md"])
  }

  @Test("The count of attempts stops at its limit, and the plan continues")
  func attempts() throws {
    try directory.makeFile("PLAN.md", "**Goal:** g\n\n| Group 1 | a |\n\n### Task a\n")
    try directory.makeFile(
      "PLAN.state.json",
      #"{"version":1,"tasks":{"a":{"status":"pending","attempts":1000000000}}}"#)
    let claims = try script(
      "for w in 1 2; do topic plan claim --worker $w PLAN.md && topic plan release --worker $w PLAN.md a; done"
    )
    #expect(claims.code == 0 && claims.text.contains("\"attempts\": 1000000000"))
  }

  @Test(
    "Any number in a checkpoint and its round counter is accepted, or refused by file name")
  func checkpoint() throws {
    try script(
      """
      topic checkpoint save 1 --iteration 3
      topic retry check 1 --status needs_changes --feedback a
      rm -f specs/001_run/checkpoint.previous.json
      """)
    try check(
      "specs/001_run/checkpoint.json",
      [
        "topic checkpoint load 1", "topic checkpoint list", "topic checkpoint save 1 --status x",
        "topic retry check 1 --status needs_changes --feedback a --max-identical 1000000",
      ], setUp: "rm -f specs/001_run/checkpoint.previous.json")
    try directory.makeFile(
      "specs/001_run/checkpoint.json", #"{"version":1,"run_id":"r","iteration":1e308}"#)
    #expect(try script("topic checkpoint list").text.hasPrefix("001_run\t1e308\t"))
  }

  @Test(
    "Any number in prices and in the ledger of costs is accepted, or refused by file name")
  func costs() throws {
    try script("topic cost prices >all 2>/dev/null")
    try directory.makeFile(
      "prices.json",
      #"{"as_of": "d", "per_tokens": 1000000, "models": {"m": {"input": 2, "output": 4}}}"#)
    try check(
      "prices.json",
      [
        "topic cost add --role r --model m --input-tokens 1 --output-tokens 2 --prices prices.json 1",
        "topic cost check --max-usd 9223372036854775807 --model m --estimate-tokens 1000000000"
          + " --prices prices.json 1",
      ], codes: [0, 10, 65], setUp: "rm -f specs/001_run/cost.jsonl")
    try script(
      "topic cost add --role r --model gpt-5 --input-tokens 1000 --output-tokens 200 1 2>/dev/null")
    try check(
      "specs/001_run/cost.jsonl", ["topic cost total 1", "topic cost check --max-usd 5 1"])
  }

  @Test("Any number in metrics and their aggregates is accepted, or refused by file name")
  func metrics() throws {
    try directory.makeFile("m.jsonl", "{\"status\":\"ok\",\"n\":2,\"duration\":3}\n")
    let aggregate = "topic metrics aggregate --by n --require n --out out m.jsonl"
    try check("m.jsonl", ["topic metrics summary --by n m.jsonl", aggregate])
    try directory.makeFile("m.jsonl", "{\"status\":\"ok\",\"n\":2,\"duration\":3}\n")
    #expect(try script("rm -r out; \(aggregate)").code == 0)
    let whole = try contents("out/state.json")
    for text in variants(of: whole) {
      try directory.makeFile("m.jsonl", "{\"status\":\"ok\",\"n\":2,\"duration\":3}\n")
      try directory.makeFile("out/state.json", text)
      // New values are added to the stored ones, which are then read back.
      let outcome = try script(
        """
        set -e
        topic metrics append m.jsonl status=ok n=2 duration=3; \(aggregate)
        topic metrics append m.jsonl status=ok n=2 duration=3; \(aggregate) 2>&1
        """)
      #expect(outcome.code == 0 && outcome.text.isEmpty, "\(outcome.text)\(outcome.error)\(text)")
    }
  }

  @Test("A sum beyond the range of a double makes only the mean unknown")
  func sums() throws {
    let line = "{\"status\":\"ok\",\"epoch\":1,\"duration\":1e308}\n"
    try directory.makeFile("m.jsonl", line + line)
    for _ in 1...2 {
      let outcome = try script("topic metrics aggregate --out out m.jsonl")
      #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
      let means = try script("jq '.groups[0].fields.duration | .count, .mean' out/per-epoch.json")
      #expect(means.lines == ["2", "null"], "\(means.text)")
    }
    // The state is continued, not rebuilt.
    try script("echo '\(line.dropLast())' >>m.jsonl")
    let next = try script(
      "topic metrics aggregate -v --out out m.jsonl; jq .count out/mttr-delta.json")
    #expect(next.error.contains("1 entries read, 3 in all"), "\(next.error)")
    #expect(next.lines == ["2"])
    let summary = try script("topic metrics summary m.jsonl")
    #expect(
      summary.lines.last?.contains("duration      3     -  1e+308  1e+308") == true,
      "\(summary.text)")
    let median = try script("topic metrics summary -f json m.jsonl | jq .fields.duration.p50")
    #expect(abs((Double(median.lines.first ?? "") ?? 0) / 1e308 - 1) < 0.01, "\(median.text)")
  }

  @Test("Any number in the names of metrics segments is accepted, or refused by file name")
  func segments() throws {
    for number in [
      "2147483648", "999999999999999999", "9223372036854775807", "18446744073709551616", "-1",
      "1e308", "x",
    ] {
      let segment = "m.jsonl.99991231T235959Z-\(number)"
      try script("rm -f m.jsonl*")
      for name in ["m.jsonl", segment] { try directory.makeFile(name, "{\"n\":1}\n") }
      let isNumber = number.allSatisfy(\.isNumber)
      let isInRange = number.count <= 18
      for command in ["summary", "aggregate --out out", "rotate --max-lines 1"] {
        let outcome = try script("topic metrics \(command) m.jsonl")
        let isLast = command.hasPrefix("rotate") && number == "999999999999999999"
        let isRefused = isNumber && (!isInRange || isLast)
        #expect(outcome.code == (isRefused ? 65 : 0), "\(number), \(command): \(outcome.error)")
        if isRefused {
          #expect(outcome.error.contains("/\(segment)': Numerical result out of range"))
        }
        if command == "summary", !isRefused {
          #expect(outcome.text.hasPrefix(isNumber ? "2 entries" : "1 entry"), "\(number)")
        }
      }
      // Nothing is overwritten.
      #expect(try script("cat m.jsonl*").lines.count == 2, "\(number)")
    }
  }

  @Test(
    "Any number in a renumbering journal and in a reservation is accepted, or refused by file name",
    .enabled(if: Product.hasProgram("git"))
  )
  func git() throws {
    try script(
      """
      git init -q .; git config user.name x; git config user.email x@y; touch specs/001_run/f
      git add .; git commit -qm x
      topic-alloc --scope worktrees specs a >/dev/null
      """)
    let ref = try script("git for-each-ref --format='%(refname)' refs/topic-alloc").text
      .trimmingCharacters(in: .newlines)
    try #require(!ref.isEmpty)
    for value in Self.values {
      let journal = try script(
        """
        umask 077
        printf 'topic-renumber 1\\0.topic-renumber.0123456789abcdef\\0%s\\0001_run\\0002_run\\0001_a\\0' '\(value)' \
          >.git/topic-renumber.specs
        topic renumber --apply specs
        """)
      #expect(journal.code == 65, "\(value): \(journal.error)")
      #expect(journal.error.contains("topic-renumber.specs"), "\(journal.error)")
      try script("rm -f .git/topic-renumber.specs")
      let reservation = try script(
        """
        old=$(git rev-parse \(ref))
        git update-ref \(ref) "$(printf '002 a\\n\\nEntry: 002_a\\nHighest: %s\\n' '\(value)' | git commit-tree -p "$old" "$old^{tree}")"
        topic-alloc --scope worktrees specs b; code=$?
        git update-ref \(ref) "$old"; exit $code
        """)
      #expect(reservation.code == 65, "\(value): \(reservation.error)")
      #expect(reservation.error.contains(ref), "\(value): \(reservation.error)")
    }
  }
}
