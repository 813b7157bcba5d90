import Foundation
import TestSupport
import Testing

/// `topic retry check`, with real processes.
@Suite(.timeLimit(.minutes(20))) struct RetryTests {
  let directory = TemporaryDirectory()
  private var run: String { directory("specs/001_a") }

  init() throws { try directory.makeDirectories("specs/001_a") }

  private func check(
    _ status: String, _ words: String..., input: String = "", fault: String = ""
  ) throws -> Outcome {
    try TestSupport.run(
      [Product.topic, "retry", "check", run, "--status", status] + words,
      environment: ["POSIX_FAULT": fault], input: Data(input.utf8))
  }

  private func state() throws -> [String: Any] {
    let data = try TestSupport.run([Product.topic, "checkpoint", "load", run]).output
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    return try #require(object?["retry"] as? [String: Any])
  }

  @Test("The same feedback twice in a row stops, in whatever order; other feedback continues")
  func identical() throws {
    let first = try check("needs_changes", "--feedback", "no tests", "--feedback", "typo")
    #expect(first.code == 0 && first.text == "go on: round 1, the first feedback\n")
    let other = try check("needs_changes", "--feedback", "no tests")
    #expect(other.code == 0 && other.text == "go on: round 2, other feedback\n")
    #expect(try check("needs_changes", "--feedback", "typo", " no tests ").code == 0)
    let same = try check("needs_changes", "--feedback-file", "-", input: "no tests\n\ntypo\n")
    #expect(same.code == 10 && same.text.isEmpty, "\(same.error)")
    #expect(same.error.contains("stop: the same feedback came 2 times in a row"))
    #expect(same.error.contains("hint: "))
    #expect(try state()["rounds"] as? Int == 4 && state()["identical"] as? Int == 2)
    // The same question gets the same answer, and other feedback starts over.
    #expect(try check("needs_changes", "--feedback", "typo", "no tests").code == 10)
    #expect(try check("needs_changes", "--feedback", "something else").code == 0)
  }

  @Test("An approval resets the round counter and keeps the rest of the checkpoint")
  func approved() throws {
    try TestSupport.run(
      [Product.topic, "checkpoint", "save", run, "--iteration", "7", "--cost", "0.10"])
    #expect(try check("needs_changes", "--feedback", "a").code == 0)
    #expect(try check("approved").text == "approved\n")
    #expect(try state()["rounds"] as? Int == 0 && state()["feedback_sha256"] is NSNull)
    #expect(try check("needs_changes", "--feedback", "a").code == 0)
    let text = try String(contentsOfFile: run + "/checkpoint.json", encoding: .utf8)
    #expect(text.contains("\"iteration\": 7") && text.contains("\"cost_usd\": 0.10"))
    let digest = "\"feedback_sha256\": \"\(try sha256("1:a"))\""
    #expect(text.contains(digest), "\(text)")
  }

  private func sha256(_ text: String) throws -> String {
    try String(bash("printf %s '\(text)' | sha256sum").text.prefix(64))
  }

  @Test("--max-rounds and --max-identical set the limits, and JSON gives the reason")
  func limits() throws {
    for round in 1...3 {
      let outcome = try check(
        "needs_changes", "--feedback", "\(round)", "--max-rounds", "3", "--format", "json")
      let object = try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any]
      #expect(outcome.code == (round == 3 ? 10 : 0) && outcome.error.isEmpty)
      #expect(object?["decision"] as? String == (round == 3 ? "stop" : "continue"))
      #expect(object?["rounds"] as? Int == round)
      let reason = object?["reason"] as? String
      #expect(round < 3 ? reason == nil : reason?.contains("--max-rounds 3") == true)
    }
    #expect(try check("approved").code == 0)
    for round in 1...4 {
      let outcome = try check("needs_changes", "--feedback", "x", "--max-identical", "4")
      #expect(outcome.code == (round == 4 ? 10 : 0))
      let ordinal =
        ["the first feedback", "the same feedback for the 2nd time"]
        + ["the same feedback for the 3rd time"]
      #expect(outcome.text == (round == 4 ? "" : "go on: round \(round), \(ordinal[round - 1])\n"))
    }
  }

  @Test(
    "Wrong usage is refused, and no round is counted",
    arguments: [
      (["--status", "need_changes", "--feedback", "a"], 64, "did you mean 'needs_changes'?"),
      (["--status", "needs_changes"], 64, "no feedback"), (["--feedback", "a"], 64, "no --status"),
      (["--status", "approved", "more"], 64, "unexpected argument 'more'"),
      (["--status", "needs_changes", "--feedback-file", "/nowhere"], 66, "'/nowhere'"),
      (["--status", "approved", "--max-rounds", "0"], 65, "from 1 to"),
    ])
  func refused(words: [String], code: Int, message: String) throws {
    let outcome = try TestSupport.run([Product.topic, "retry", "check", run] + words)
    #expect(outcome.code == Int32(code) && outcome.error.contains(message), "\(outcome.error)")
    #expect(directory.entries("specs/001_a").isEmpty)
  }

  @Test("A member that is not a count of rounds is status 65 and stays, and the hint removes it")
  func damaged() throws {
    for value in ["7", "{\"rounds\": 1, \"identical\": 2, \"status\": \"approved\"}"] {
      try TestSupport.run([Product.topic, "checkpoint", "save", run, "--set", "retry=\(value)"])
      let before = try String(contentsOfFile: run + "/checkpoint.json", encoding: .utf8)
      let outcome = try check("needs_changes", "--feedback", "a")
      #expect(outcome.code == 65 && outcome.output.isEmpty, "\(value)")
      #expect(
        outcome.error.contains(
          "the checkpoint of '\(run)' has a member retry that is not a count of rounds"))
      #expect(try String(contentsOfFile: run + "/checkpoint.json", encoding: .utf8) == before)
      let hint = try #require(outcome.error.firstMatch(of: /hint: '(.*)'/)).1
      #expect(try bash(String(hint)).code == 0)
      #expect(try check("needs_changes", "--feedback", "a").text.hasPrefix("go on: round 1,"))
    }
  }

  @Test("Ten processes that check at once lose no round and nothing that others save")
  func concurrent() throws {
    let outcome = try bash(
      """
      for i in 1 2 3 4 5 6 7 8 9 10; do
        for j in 1 2 3 4 5; do
          topic retry check '\(run)' --status needs_changes --feedback "$i $j" >/dev/null
          topic checkpoint save '\(run)' --set "k$i.$j=1"
        done &
      done; wait
      """)
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    #expect(try state()["rounds"] as? Int == 50)
    let text = try String(contentsOfFile: run + "/checkpoint.json", encoding: .utf8)
    #expect(text.matches(of: #/"k\d+\.\d"/#).count == 50)
  }

  @Test("A crash at any call counts the round or not, and the next check counts")
  func killed() throws {
    for fault in ["creat:1", "write:1", "fsync:1", "renameat:1", "fsync:2", "write:2"] {
      _ = try check("approved")
      _ = try check("needs_changes", "--feedback", "a", fault: fault + ":kill")
      let outcome = try check("needs_changes", "--feedback", "a")
      #expect([0, 10].contains(outcome.code), "\(fault): \(outcome.error)")
      let rounds = try state()["rounds"] as? Int
      #expect(rounds == (outcome.code == 10 ? 2 : 1), "\(fault)")
    }
  }
}
