import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// `topic gate`, with real steps.
@Suite(.timeLimit(.minutes(20))) struct GateTests {
  let directory = TemporaryDirectory()

  init() throws { try directory.makeDirectories("run") }

  private func gate(_ words: [String], input: String = "", fault: String = "") throws -> Outcome {
    try run(
      [Product.topic, "gate", directory("run")] + words, in: directory.path,
      environment: ["POSIX_FAULT": fault], input: Data(input.utf8))
  }

  private func events() throws -> [[String: Any]] {
    let log = try? String(contentsOfFile: directory("run/events.jsonl"), encoding: .utf8)
    return try (log ?? "").split(separator: "\n").compactMap {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  private func failures(_ object: [String: Any]) -> [[String: Any]] {
    object["steps_failed"] as? [[String: Any]] ?? []
  }

  @Test("All steps run in order, and a failed step is reported with its last ten lines")
  func strict() throws {
    let outcome = try gate([
      "--step", "first", "echo hidden; echo 1 >>order", "--step", "bad",
      "echo 2 >>order; seq 20; echo why >&2; exit 3", "--step", "last", "echo 3 >>order; cat",
    ])
    #expect(outcome.code == 1 && outcome.lines.count == 3, "\(outcome.error)")
    #expect(outcome.lines.map { $0.split(separator: " ").first } == ["passed", "failed", "passed"])
    #expect(try String(contentsOfFile: directory("order"), encoding: .utf8) == "1\n2\n3\n")
    let lines = (12...20).map { "  | \($0)\n" }.joined()
    #expect(
      outcome.error
        == "topic: 1 of 3 steps failed\nstep 'bad': exit code 3\n\(lines)  | why\n")
    let event = try #require(try events().first)
    #expect(event["event"] as? String == "gate" && event["enforce"] as? String == "strict")
    #expect(event["steps_completed"] as? [String] == ["first", "last"])
    let failed = failures(event)
    #expect(failed.count == 1 && failed[0]["step"] as? String == "bad")
    #expect(failed[0]["code"] as? Int == 3 && failed[0]["seconds"] is Double)
    #expect(failed[0]["error"] as? String == "exit code 3")
  }

  @Test("If all steps pass, the status is 0 and standard error is empty; steps may follow --")
  func passes() throws {
    let outcome = try gate(["--", "--step", "a", "true", "--step", "b", "echo x; true"])
    #expect(outcome.code == 0 && outcome.error.isEmpty && outcome.lines.count == 2)
    let shown = try gate(["-v", "--step", "b", "echo x; echo y >&2"])
    #expect(shown.code == 0 && shown.error == "topic: step 'b':\nx\ny\n")
  }

  @Test("warn reports failures and passes; off runs, reads and records nothing")
  func enforcement() throws {
    let warn = try gate(["--enforce", "warn", "--step", "bad", "echo why; false"])
    #expect(warn.code == 0 && warn.error.contains("step 'bad': exit code 1\n  | why\n"))
    #expect(warn.error.contains("warning: the run may continue despite failures"))
    #expect(try events().map { $0["enforce"] as? String } == ["warn"])
    let off = try gate(["--enforce", "off", "--step", "bad", "touch ran; false"])
    #expect(off.code == 0 && off.text.isEmpty && off.error.isEmpty)
    #expect(try gate(["--enforce", "off", "-v"]).error.contains("nothing is run"))
    #expect(!directory.entries().contains("ran"))
    #expect(try events().count == 1)
  }

  @Test("--fail-fast runs nothing after a failure, and records the skipped steps")
  func failFast() throws {
    let outcome = try gate([
      "--fail-fast", "-fjson", "--step", "a", "true", "--step", "b", "exit 2", "--step", "c",
      "touch ran",
    ])
    #expect(outcome.code == 1 && !directory.entries().contains("ran"))
    let object = try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any]
    #expect(object?["passed"] as? Bool == false)
    #expect(object?["steps_completed"] as? [String] == ["a"])
    #expect(object?["steps_skipped"] as? [String] == ["c"])
    #expect(failures(object ?? [:]).map { $0["step"] as? String } == ["b"])
    #expect(try events()[0]["steps_skipped"] as? [String] == ["c"])
  }

  @Test(
    "A step that hangs is ended with all that it started, and the next one runs")
  func hangs() throws {
    let time = "1\(Int.random(in: 100_000...999_999)).5"
    let start = Date()
    let outcome = try gate([
      "--timeout", "0.3", "--step", "hangs", "sleep \(time) & echo on it; sleep \(time)", "--step",
      "next", "true",
    ])
    #expect(outcome.code == 1 && -start.timeIntervalSinceNow < 5)
    #expect(outcome.error.contains("step 'hangs': not done after 0.3 s\n  | on it\n"))
    #expect(runningCommands(containing: "sleep \(time)").isEmpty)
    let event = try events()[0]
    #expect(event["steps_completed"] as? [String] == ["next"])
    #expect(failures(event)[0]["code"] is NSNull)
  }

  @Test("A signal ends the step and the gate, and the result so far is recorded")
  func interrupted() throws {
    let time = "1\(Int.random(in: 100_000...999_999)).5"
    let process = try RunningProcess(
      [
        Product.topic, "gate", "run", "--step", "a", "true", "--step", "b",
        "touch ready; sleep \(time)", "--step", "c", "touch ran",
      ], in: directory.path)
    try waitUntil(directory.entries().contains("ready"))
    kill(process.id, SIGINT)
    #expect(try process.wait().signal == SIGINT)
    #expect(runningCommands(containing: "sleep \(time)").isEmpty)
    #expect(!directory.entries().contains("ran"))
    let event = try #require(try events().first)
    #expect(event["steps_completed"] as? [String] == ["a"])
    #expect(failures(event)[0]["error"] as? String == "interrupted by signal 2")
    #expect(event["steps_skipped"] as? [String] == ["c"])
  }

  @Test("The output of a step can neither control the terminal nor flood it")
  func printable() throws {
    let outcome = try gate([
      "--step", "a", "printf '\\033[2Jred\\377\\n'; head -c 300000 /dev/zero | tr '\\0' x; exit 1",
    ])
    #expect(outcome.code == 1 && !outcome.error.contains("\u{1B}"))
    #expect(outcome.error.utf8.count < 20_000)
    #expect(try events()[0]["steps_failed"] != nil)
  }

  @Test("The last lines of a long output are shown; with -v all of it, from a file in TMPDIR")
  func much() throws {
    let step = "seq 300000; readlink /proc/$PPID/fd/* | grep -c \"^$TMPDIR/.*(deleted)\"; exit 1"
    let environment = ["TMPDIR": directory.path]
    let words = [Product.topic, "gate", directory("run")]
    let end = try run(words + ["--step", "a", step], environment: environment)
    #expect(end.error.hasSuffix("\n  | 299999\n  | 300000\n  | 0\n"), "\(end.error.suffix(100))")
    let all = try run(words + ["-v", "--step", "a", step], environment: environment)
    let lines = (1...300_000).map { "\($0)\n" }.joined()
    #expect(
      all.error
        == "topic: step 'a':\n\(lines)1\ntopic: 1 of 1 step failed\nstep 'a': exit code 1\n")
    #expect(directory.entries() == ["run"])
  }

  @Test("A step whose output does not fit on the disk can still pass")
  func noRoom() throws {
    let outcome = try run(
      [Product.topic, "gate", directory("run"), "-v", "--step", "a", "echo x; sleep 0.2; echo y"],
      environment: ["POSIX_FAULT": "pwrite:2:\(ENOSPC)", "TMPDIR": directory.path])
    #expect(outcome.code == 0)
    #expect(
      outcome.error == """
        topic: step 'a':
        x
        topic: the rest of the step's output is lost: cannot write to '\(directory.path)': \
        No space left on device

        """)
  }

  @Test("The result of another program passes or fails, and is recorded")
  func input() throws {
    let passed = try gate([], input: #"{"steps_completed": ["a"], "steps_failed": [], "x": 1}"#)
    #expect(passed.code == 0 && passed.error.isEmpty, "\(passed.error)")
    let failed = try gate(
      [], input: #"{"steps_completed": [], "steps_failed": [{"step": "b", "error": "why"}]}"#)
    #expect(failed.code == 1 && failed.error == "topic: 1 of 1 step failed\nstep 'b': why\n")
    let events = try events()
    #expect(events.count == 2 && failures(events[1])[0]["error"] as? String == "why")
  }

  @Test(
    "An invalid result is an error, even with warn, and nothing is recorded",
    arguments: [
      "", "{", "[]", #"{"steps_completed": ["a"]}"#, #"{"steps_failed": []}"#,
      #"{"steps_completed": [], "steps_failed": []}"#,
      #"{"steps_completed": [1], "steps_failed": []}"#,
      #"{"steps_completed": ["a", "a"], "steps_failed": []}"#,
      #"{"steps_completed": ["a"], "steps_failed": [{"step": "a", "error": "x"}]}"#,
      #"{"steps_completed": ["a"], "steps_failed": [{"step": "", "error": "x"}]}"#,
      #"{"steps_completed": ["a"], "steps_failed": [{"step": "b", "error": 1}]}"#,
      #"{"steps_completed": ["a"], "steps_failed": [""]}"#,
      #"{"steps_completed": [{"id": "a"}], "steps_failed": []}"#,
      #"{"steps_completed": ["a"], "steps_failed": [], "has_failures": "no"}"#,
      #"{"steps_completed": ["a"], "steps_failed": [], "has_failures": null}"#,
      #"{"steps_completed": ["a"], "has_failures": true}"#,
      #"{"has_failures": true, "has_failures": false}"#,
      #"{"steps_completed": ["a"], "steps_failed": [], "enforcement_level": "none"}"#,
      #"{"has_failures": false, "workflow_name": 1}"#,
    ])
  func badInput(text: String) throws {
    let outcome = try gate(["--enforce", "warn"], input: text)
    #expect(outcome.code == 65 && outcome.error.contains("standard input"), "\(outcome.error)")
    #expect(try events().isEmpty)
  }

  @Test(
    "A misspelt member is refused with the right name, and unknown members are ignored",
    arguments: [
      ("steps_fail", "steps_failed"), ("step_failed", "steps_failed"),
      ("hasFailures", "has_failures"), ("failures", "has_failures"),
      ("steps-completed", "steps_completed"), ("enforcement", "enforcement_level"),
      ("steps_passed", nil), ("steps_skipped", nil), ("steps", nil), ("enforce", nil), ("e", nil),
      ("workflow_id", nil), ("has_warnings", nil),
    ] as [(String, String?)])
  func misspelt(key: String, right: String?) throws {
    let outcome = try gate(
      [], input: #"{"steps_completed": ["a"], "steps_failed": [], "\#(key)": ["b"]}"#)
    #expect(outcome.code == (right == nil ? 0 : 65), "\(outcome.error)")
    if let right {
      #expect(outcome.error.contains("unknown member '\(key)'; did you mean '\(right)'?"))
    }
    #expect(try events().count == (right == nil ? 1 : 0))
  }

  @Test("A result fails if it claims or names a failure, and the worse of two answers counts")
  func contradictions() throws {
    let unnamed = try gate(
      ["-fjson"], input: #"{"workflow_name": "ci", "has_failures": true, "steps_failed": []}"#)
    #expect(
      unnamed.code == 1
        && unnamed.error
          == "topic: workflow 'ci': has_failures is true, but steps_failed names no step\n"
    )
    let object = try JSONSerialization.jsonObject(with: unnamed.output) as? [String: Any] ?? [:]
    for object in [object, try events()[0]] {
      #expect(object["workflow_name"] as? String == "ci" && object["has_failures"] as? Bool == true)
      #expect(object["enforcement_level"] as? String == "strict")
      #expect(object["enforce"] as? String == "strict")
    }
    #expect(object["passed"] as? Bool == false)
    let named = try gate([], input: #"{"has_failures": false, "steps_failed": ["b"]}"#)
    #expect(named.code == 1)
    #expect(
      named.error
        == "topic: 1 of 1 step failed, although has_failures is false\nstep 'b': no reason given\n"
    )
    let passed = try gate([], input: #"{"has_failures": false, "workflow_name": "ci"}"#)
    #expect(passed.code == 0 && passed.text == "passed  ci\n" && passed.error.isEmpty)
    #expect(try events().map { $0["has_failures"] as? Bool } == [true, true, false])
  }

  @Test("A step is a string or an object, and steps_completed may be missing")
  func shapes() throws {
    let text = """
      \u{FEFF}{"steps_completed": [{"step": "a"}, {"name": "b"}, "c"],
      "steps_failed": ["d", {"name": "e"}, {"step": "f", "error": "why"}]}
      """
    #expect(try gate([], input: text).error.hasPrefix("topic: 3 of 6 steps failed\n"))
    let event = try events()[0]
    #expect(event["steps_completed"] as? [String] == ["a", "b", "c"])
    #expect(failures(event).map { $0["step"] as? String } == ["d", "e", "f"])
    #expect(failures(event)[2]["error"] as? String == "why")
    #expect(try gate([], input: #"{"steps_failed": ["d"]}"#).code == 1)
  }

  @Test("The enforcement_level of a result counts, and --enforce overrides it")
  func level() throws {
    func result(_ level: String) -> String {
      #"{"steps_failed": ["a"], "enforcement_level": "\#(level)"}"#
    }
    let warn = try gate([], input: result("warn"))
    #expect(warn.code == 0 && warn.error.contains("(enforcement_level warn)"), "\(warn.error)")
    #expect(try gate(["--enforce", "strict"], input: result("warn")).code == 1)
    #expect(try gate([], input: result("strict")).code == 1)
    #expect(try gate(["--enforce", "warn"], input: result("strict")).code == 0)
    let off = try gate(["-v"], input: result("off"))
    #expect(off.code == 0 && off.error.contains("off by enforcement_level"), "\(off.error)")
    #expect(
      try events().map { $0["enforcement_level"] as? String }
        == ["warn", "strict", "strict", "warn"])
    #expect(try gate(["--enforce", "strict"], input: result("off")).code == 1)
  }

  @Test(
    "Wrong usage is refused, and nothing runs",
    arguments: [
      (["--step", "a"], "'--step' needs 2 values"), (["--step", "", "touch ran"], "is empty"),
      (["--step", "a", "touch ran", "--step", "a", "true"], "step 'a' is given twice"),
      (["--step", "a", "touch", "ran"], "unexpected argument 'ran'"),
      (["--enforce", "strickt", "--step", "a", "touch ran"], "did you mean 'strict'?"),
      (["--timeout", "0", "--step", "a", "touch ran"], "more than 0"),
    ])
  func refused(words: [String], message: String) throws {
    let outcome = try gate(words)
    #expect(outcome.code == 64 && outcome.error.contains(message), "\(outcome.error)")
    #expect(directory.entries("run").isEmpty && directory.entries() == ["run"])
  }

  @Test("A log that cannot be written is an error, and failed steps are still reported")
  func fullLog() throws {
    try directory.makeFile("run/events.jsonl", "{}\n")
    let outcome = try gate(["--step", "a", "echo why; false"], fault: "fsync:1:\(ENOSPC)")
    #expect(outcome.code == 1 && outcome.error.contains("  | why"))
    #expect(outcome.error.contains("events.jsonl': No space left on device"), "\(outcome.error)")
    let passed = try gate(["--step", "a", "true"], fault: "fsync:1:\(ENOSPC)")
    #expect(passed.code == 74 && passed.error.contains("events.jsonl"), "\(passed.error)")
    let closed = try bash(
      "topic gate run --step a true --step b 'touch ran' >&-; echo $?", in: directory.path)
    #expect(closed.text == "74\n" && directory.entries().contains("ran"), "\(closed.error)")
  }
}
