import JSON
import POSIX
import TestSupport
import Testing

@testable import StressHarness

/// A call of a history, valid except for what the test says.
private func call(
  _ process: Int, _ number: Int?, from start: UInt64 = 0, to end: UInt64 = 100,
  ending: ChildProcess.End = .exited(0), fate: Call.Fate = .free, isStarved: Bool = false,
  entry: String? = nil, output: String = "1\n", held: ClosedRange<UInt64>? = nil
) -> Call {
  Call(
    iteration: 1, process: process, allocator: 0, name: "i1p\(process)", start: start, end: end,
    ending: ending, fate: fate, isStarved: isStarved, output: Bytes(output), error: [],
    answer: number.map { Answer(number: $0, entry: entry.map { Bytes($0) }) },
    lock: held.map { LockReport(waited: 0, held: $0) })
}

@Suite(.timeLimit(.minutes(20))) struct CheckerTests {
  private func judge(
    _ calls: [Call], base: Int? = nil, entries: [String]?
  ) -> [Assertion] {
    Checker(
      calls: calls, base: base, entries: entries?.map { Bytes($0) }, lastIteration: 1
    ).violations().map(\.assertion)
  }

  @Test("A valid history has no violations")
  func clean() {
    let calls = [
      call(1, 1, from: 0, to: 9, entry: "001_i1p1", held: 1...2),
      call(2, 2, from: 0, to: 8, entry: "002_i1p2", held: 3...4),
      call(3, 3, from: 10, to: 20, held: 12...13),
      call(4, nil, ending: .signaled(9), fate: .killed),
      call(5, nil, ending: .exited(73), isStarved: true),
    ]
    let entries = ["001_i1p1", "002_i1p2", "003_i1p3", "004_i1p4", ".topic_number.lock", "notes"]
    #expect(judge(calls, entries: entries) == [])
    #expect(judge(calls, entries: nil) == [])
  }

  @Test("Duplicate numbers are found among answers, among entries, and with earlier entries")
  func unique() {
    let twice = [call(1, 1), call(2, 1)]
    #expect(judge(twice, entries: ["001_i1p1", "001_i1p2"]) == [.unique])
    #expect(Checker(calls: twice, base: nil, entries: [], lastIteration: 1).collisions == 2)
    let killed = [call(1, 1), call(2, nil, ending: .signaled(9), fate: .killed)]
    #expect(judge(killed, entries: ["001_i1p1", "001_i1p2"]) == [.unique])
    #expect(
      judge([call(1, 7)], base: 9, entries: ["007_old", "009_old", "007_i1p1"]).contains(.unique))
  }

  @Test("Gaps are found at the start, in the middle, and after earlier entries")
  func contiguous() {
    #expect(judge([call(1, 2)], entries: ["002_i1p1"]) == [.contiguous])
    #expect(judge([call(1, 1), call(2, 3)], entries: ["001_i1p1", "003_i1p2"]) == [.contiguous])
    #expect(judge([call(1, 12)], base: 10, entries: ["010_old", "012_i1p1"]) == [.contiguous])
    #expect(judge([call(1, 0)], entries: ["000_i1p1"]) == [], "some begin with 0")
  }

  @Test("Acknowledged topics that do not exist are found, by number and by name")
  func exists() {
    #expect(judge([call(1, 1)], entries: []) == [.exists])
    #expect(judge([call(1, 1, entry: "001_i1p1")], entries: ["001_other"]).contains(.exists))
  }

  @Test(
    "Answers that contradict themselves, lead elsewhere, or name another call's entry are found"
  )
  func wrongEntry() {
    #expect(
      judge([call(1, 1, entry: "002_i1p1")], entries: ["001_i1p1", "002_i1p1"]).contains(.exists))
    #expect(judge([call(1, 1, entry: "/elsewhere/001_i1p1")], entries: ["001_i1p1"]) == [.exists])
    let others = [call(1, 1, entry: "001_i1p2"), call(2, 2)]
    #expect(judge(others, entries: ["001_i1p2", "002_x"]) == [.exists])
  }

  @Test("Entries that no call acknowledged are found, unless the call was killed")
  func accounted() {
    let failed = [call(1, 1), call(2, nil, ending: .exited(74), isStarved: true)]
    #expect(judge(failed, entries: ["001_i1p1", "002_i1p2"]) == [.accounted])
    #expect(judge([call(1, 1)], entries: ["001_i1p1", "002_stranger"]) == [.accounted])
    let killed = [call(1, 1), call(2, nil, ending: .signaled(9), fate: .killed)]
    #expect(judge(killed, entries: ["001_i1p1", "002_i1p2"]) == [])
  }

  @Test("Directories of a bystander or an interrupted iteration are ignored")
  func others() {
    let entries = ["001_i1p1", "001_bystander_7", "002_i2p1"]
    #expect(judge([call(1, 1)], entries: entries) == [])
  }

  @Test("A call that began after another ended but got the lower number is found")
  func order() {
    let entries = ["001_i1p1", "002_i1p2"]
    let late = [call(1, 1, from: 50, to: 60), call(2, 2, from: 0, to: 49)]
    #expect(judge(late, entries: entries) == [.order])
    let atOnce = [call(1, 1, from: 49, to: 60), call(2, 2, from: 0, to: 49)]
    #expect(judge(atOnce, entries: entries) == [], "they overlap")
  }

  @Test("Two calls that held the lock at once are found")
  func exclusion() {
    let entries = ["001_i1p1", "002_i1p2"]
    #expect(
      judge([call(1, 1, held: 1...5), call(2, 2, held: 4...9)], entries: entries) == [.exclusion])
    #expect(judge([call(1, 1, held: 1...5), call(2, 2, held: 5...9)], entries: entries) == [])
  }

  @Test("Hung, crashed, silent and garbled calls are found, each with its own message")
  func answers() {
    func messages(_ call: Call) -> [String] {
      Checker(calls: [call], base: nil, entries: [], lastIteration: 1).violations().map(\.message)
    }
    let title = "process 1 of iteration 1"
    #expect(
      messages(call(1, nil, ending: .signaled(9), fate: .hung)) == [
        "\(title) did not end and was killed"
      ])
    #expect(messages(call(1, nil, ending: .signaled(11))) == ["\(title) was ended by signal 11"])
    #expect(messages(call(1, nil, output: "")) == ["\(title) printed nothing"])
    #expect(messages(call(1, nil)) == ["\(title) printed no number, path or JSON with one of them"])
    #expect(messages(call(1, nil, ending: .exited(3))) == ["\(title) failed with code 3"])
    #expect(messages(call(1, nil, ending: .exited(3), isStarved: true)) == [])
  }

  @Test("Reading a line of the history restores the call")
  func roundTrip() throws {
    let calls = [
      call(1, 12, from: 5, to: 9, entry: "012_i1p1", output: "/a/\"012\"\n", held: 6...7),
      call(2, nil, ending: .signaled(9), fate: .killed, isStarved: true, output: ""),
    ]
    for call in calls {
      let back = try #require(try Call(JSONValue(parsing: Bytes(call.line.dropLast()))))
      #expect(back.line == call.line && back.answer == call.answer && back.fate == call.fate)
    }
  }
}

@Suite(.timeLimit(.minutes(20))) struct AnswerTests {
  private let root = Path("/r")

  @Test(
    "The number is found in the output of allocators",
    arguments: [
      ("12\n", 12, nil), ("012", 12, nil), ("012|/r/012_a\n", 12, "012_a"),
      ("/r/012_a\n", 12, "012_a"), ("/r/012-a/spec.md", 12, "012-a"),
      ("created\n/r/012_a\n", 12, "012_a"), ("specs/012_a/", 12, "012_a"),
      ("{\n  \"topic_number\": \"012\",\n  \"topic_path\": \"/r/012_a\"\n}\n", 12, "012_a"),
      (#"{"BRANCH_NAME":"012-a","SPEC_FILE":"/r/012-a/spec.md","FEATURE_NUM":"012"}"#, 12, "012-a"),
      ("/else/where/012_a", 12, "/else/where/012_a"),
      (#"{"id":7,"path":"/r/0012-a.md"}"#, 12, "0012-a.md"), (#"{"number": 12}"#, 12, nil),
    ] as [(String, Int, String?)])
  func found(output: String, number: Int, entry: String?) {
    #expect(
      Answer(parsing: Bytes(output), root: root)
        == Answer(number: number, entry: entry.map { Bytes($0) }))
  }

  @Test(
    "Output without a number is not an answer",
    arguments: [
      "", "\n", "hello", "-1", "12345678", "/r/a", "{}", "{\"a\":", "1 2", "{\"n\":\"x\"}",
    ])
  func none(output: String) {
    #expect(Answer(parsing: Bytes(output), root: root) == nil)
  }

  @Test("Random bytes do not crash the parser")
  func random() {
    var random = seededRandom()
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...30, using: &random)).map { _ in
        Bool.random(using: &random)
          ? UInt8.random(in: 0...255, using: &random)
          : Bytes("/r0129|_{}\":,\n").randomElement(using: &random) ?? 0
      }
      _ = Answer(parsing: bytes, root: root)
      _ = LockReport(parsing: Bytes("held ") + bytes)
    }
  }

  @Test("The lock times of topic-alloc are read")
  func lockReport() throws {
    let line =
      "topic-alloc: waited 0.012 ms for the lock, held it for 0.045 ms,"
      + " from 81.000000001 s to 81.000045001 s\n"
    let report = try #require(LockReport(parsing: Bytes(line)))
    #expect(report.waited == 12_000 && report.held == 81_000_000_001...81_000_045_001)
    #expect(report.since(81_000_000_000)?.held == 1...45_001)
    #expect(report.since(0 &- 5)?.held == 81_000_000_006...81_000_045_006, "a run before this boot")
    #expect(report.since(90_000_000_000) == nil)
    #expect(LockReport(parsing: Bytes("the lock was held\n")) == nil)
  }
}

@Suite(.timeLimit(.minutes(20))) struct AllocatorCommandTests {
  @Test("A command is split into words as in a shell, and its placeholders are replaced")
  func words() throws {
    let command = try AllocatorCommand(
      parsing: Bytes(#"sh -c 'echo "$1"' "a b\"" c\ d {root}/x {name}"#))
    #expect(
      command.arguments(root: Path("/r s"), name: "n").map { String(decoding: $0, as: UTF8.self) }
        == ["sh", "-c", "echo \"$1\"", "a b\"", "c d", "/r s/x", "n"])
  }

  @Test(
    "Commands that cannot run are refused",
    arguments: [
      "", "sh {root}", "sh {name}", "sh {root} {name} | cat", "sh 'x {root} {name}",
      "no-such-program {root} {name}", "./no-such-program {root} {name}",
      "/etc/passwd {root} {name}",
      "/ {root} {name}",
    ])
  func refused(command: String) {
    #expect(throws: (any Error).self) { try AllocatorCommand(parsing: Bytes(command)) }
  }
}
