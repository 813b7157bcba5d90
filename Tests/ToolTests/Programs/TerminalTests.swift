import Foundation
import TestSupport
import Testing

/// Data from others cannot affect the terminal that shows it.
@Suite(
  .timeLimit(.minutes(20)), .enabled(if: Product.hasProgram("script"), "needs script(1)")
) struct TerminalTests {
  let directory = TemporaryDirectory()

  init() throws { try directory.makeDirectories("run") }

  /// ESC, CSI as one character, a backspace, and a mark that reverses the writing direction.
  private static let hostile = "\u{1B}[31m\u{9B}1m\u{8}\u{202E}'\\"
  private static let escaped = "\\u{1b}[31m\\u{9b}1m\\u{8}\\u{202e}'\\"

  /// The output of `command` on a terminal, both streams.
  private func shown(_ command: String) throws -> String {
    let outcome = try bash(
      "timeout 60 script -qec \"$COMMAND\" /dev/null </dev/null", in: directory.path,
      environment: ["COMMAND": command])
    return outcome.text
  }

  private func expectHarmless(_ text: String, _ comment: Comment) {
    for scalar in text.unicodeScalars where scalar != "\r" && scalar != "\n" && scalar != "\t" {
      let value = scalar.value
      #expect(value >= 0x20 && !(0x7F..<0xA0).contains(value) && value != 0x202E, comment)
    }
  }

  @Test("No character is split on a terminal, however long the line")
  func longLine() throws {
    for start in ["", "x", "xx", "xxx"] {
      let event = "\"\(start)" + String(repeating: "é€😀", count: 30_000) + "\""
      try directory.makeFile("events", event + "\n")
      let shown = try shown("'\(Product.topic)' log tail events")
      #expect(shown == event + "\r\n", "\(start)")
    }
  }

  @Test(
    "Data cannot act on a terminal",
    arguments: [
      "topic gate -v run --step 'a' 'cat text'", "topic gate run --step a 'cat text; false'",
      "topic plan claim -f text --worker a PLAN.md", "topic plan show PLAN.md",
      "topic plan graph PLAN.md", "topic plan graph -f dot PLAN.md",
      "topic plan show -f json PLAN.md",
      "topic log tail events", "topic checkpoint load run", "topic cost prices --prices prices",
      "topic list specs", "topic list -f path specs", "topic find -f json specs 1",
      "topic-alloc -f path \"$(cat text)\" a", "topic-alloc -f shell \"$(cat text)\" a",
      "topic-alloc \"$(cat text)\" a", "topic verify specs", "topic renumber specs",
      "topic metrics summary --by a metrics", "topic slug \"$(cat text)\"",
      "topic artifact \"$(cat text)\" reports", "topic log append events \"$(cat text)\"",
    ])
  func harmless(command: String) throws {
    let text = Self.hostile
    try directory.makeFile("text", text + "\n")
    try directory.makeFile(
      "PLAN.md", "**Goal:** g \(text)\n\n| Group 1 | a |\n\n### Task a: t \(text)\nDo \(text)\n")
    try directory.makeFile("events", "{\"a\": \"x\u{9B}\u{202E}\u{7F}\"}\n")
    try directory.makeFile("metrics", "{\"a\": \"x\u{9B}\u{202E}\u{7F}\", \"status\": \"ok\"}\n")
    try directory.makeDirectories("run", "specs/001_a\(text)", "specs/001_b\(text)")
    try directory.makeFile("run/checkpoint.json", "{\"status\": \"x\u{9B}\u{202E}\u{7F}\"}\n")
    try directory.makeFile(
      "prices",
      "{\"as_of\": \"2026\u{9B}\", \"currency\": \"USD\", \"per_tokens\": 1000000, \"models\":"
        + " {\"m\u{202E}\": {\"input\": \"1\", \"output\": \"1\"}}}")
    let shown = try shown("export PATH='\(Product.directory)':$PATH; \(command)")
    #expect(!shown.isEmpty)
    expectHarmless(shown, "\(command): \(shown.debugDescription)")
  }

  @Test("Gate steps and instructions are shown in full, line by line, with unchanged quotes")
  func lines() throws {
    try directory.makeFile("text", "one\ttwo\n\(Self.hostile)\nno end")
    let text = try shown("\(Product.topic) gate -v run --step a 'cat text'")
    #expect(
      text.contains("step 'a':\r\none\ttwo\r\n\(Self.escaped)\r\nno end"),
      "\(text.debugDescription)")
    try directory.makeFile(
      "PLAN.md", "**Goal:** g\n\n| Group 1 | a |\n\n### Task a: x\nDo:\n\t\(Self.hostile)\n")
    let claimed = try shown("\(Product.topic) plan claim -f text --worker w PLAN.md")
    #expect(claimed.contains("Do:\r\n\t\(Self.escaped)\r\n"), "\(claimed.debugDescription)")
  }

  @Test("A character at the edge of a block is not split")
  func blocks() throws {
    let text = try shown(
      "\(Product.topic) gate -v run --step a 'for i in $(seq 3000); do echo ääääääääääääääääääää; done'"
    )
    #expect(!text.contains("\u{FFFD}") && text.count(where: { $0 == "ä" }) == 60_000)
  }

  @Test("JSON on a terminal is the same JSON")
  func json() throws {
    let line = "{\"a\": \"x\u{9B}\u{202E}\u{7F}'\\\\\"}"
    try directory.makeFile("events", line + "\r\n")
    let shown = try shown("\(Product.topic) log tail events")
    #expect(shown.contains(#"{"a": "x\u009b\u202e\u007f'\\"}"#), "\(shown.debugDescription)")
    let same = try JSONSerialization.jsonObject(with: Data(shown.utf8)) as? [String: String]
    #expect(same == ["a": "x\u{9B}\u{202E}\u{7F}'\\"])
  }

  @Test("The output of the command of topic try is unchanged, even on a terminal")
  func attempt() throws {
    try directory.makeFile("text", Self.hostile + "\n")
    let text = try shown("\(Product.topic) try -n --timeout 60 --model text -- cat {model}")
    #expect(text == Self.hostile + "\r\n", "\(text.debugDescription)")
  }

  @Test("In a pipe or file, bytes stay unchanged")
  func pipe() throws {
    try directory.makeFile("text", Self.hostile + "\n")
    let gate = try bash("topic gate -v run --step a 'cat text'", in: directory.path)
    #expect(gate.error.hasSuffix("\n\(Self.hostile)\n"))
    let line = "{\"a\": \"x\u{9B}\u{202E}\"}\r\n"
    try directory.makeFile("events", line)
    #expect(try bash("topic log tail events", in: directory.path).text == line)
  }

  @Test("Quotes and backslashes in messages are not escaped")
  func quotes() throws {
    let missing = try bash("topic verify \"can't C:\\\\dir\"", in: directory.path)
    #expect(missing.error.contains("/can't C:\\dir'"), "\(missing.error)")
  }
}
