import CommandLine
import JSON
import POSIX

/// One call of this program for the workload ``Workload/claims``.
struct ClaimsSession {
  /// The options that go with claims.
  private static let ownOptions = [
    "workload", "tasks", "processes", "chaos", "seed", "timeout", "run-dir", "format",
  ]

  private let run: ClaimsRun
  private let format: ReportFormat

  init(_ arguments: Arguments) throws(Failure) {
    for option in StressRequest.options + StressSession.options
    where arguments.has(option.name) && !Self.ownOptions.contains(option.name) {
      throw .usage("--\(option.name) does not go with --workload claims")
    }
    format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    guard let program = AllocatorCommand.beside("topic") else {
      throw .usage(
        "there is no topic beside this program or in PATH",
        advice: "build it with 'swift build -c release'")
    }
    run = try ClaimsRun(
      ClaimsRequest(arguments), program: program, in: StressSession.directoryOfRuns(arguments))
  }

  /// Executes the run and prints the report. A signal that interrupts the run ends the process.
  ///
  /// - Returns: Whether all assertions hold.
  func execute() throws(Failure) -> Bool {
    try run.execute()
    if let signal = run.termination {
      ProcessEvents.raiseAgain(signal)
      return true
    }
    try printOut(format == .json ? json : Bytes(text))
    return run.violations.isEmpty
  }

  private var killed: Int { run.calls.count { $0.isKilled } }
  private var takenOver: Int { run.calls.count { $0.answer?.reclaimedFrom != nil } }
  private var done: Int {
    Set(run.calls.filter { $0.kind == .done && $0.isAcknowledged }.map(\.task)).count
  }

  private var text: String {
    var text =
      "\(done.grouped) of \(run.request.tasks.counted("task")) acknowledged as done by"
      + " \(run.request.processes.counted("process", plural: "processes"))"
      + " in \(run.elapsed.seconds) s\n"
      + "\(run.calls.count.counted("call")), \(killed) of them killed;"
      + " \(takenOver.counted("lease")) taken over\n\n"
    for assertion in ClaimsAssertion.allCases {
      let found = run.violations.filter { $0.assertion == assertion }
      text += (found.isEmpty ? "  ok      " : "  FAILED  ") + assertion.title + "\n"
      for violation in found.prefix(5) {
        text += "          \(violation.message)\n"
        for call in violation.calls.prefix(6) {
          text += "            \(call.title(since: run.origin))\n"
        }
      }
      if found.count > 5 { text += "          and \(found.count - 5) more\n" }
    }
    return text + "\nSeed \(run.request.seed); plan and history are in "
      + "\(run.directory.bytes.quotedForMessage)\n"
  }

  private var json: Bytes {
    var json = JSONWriter(.indented)
    json.object { json in
      json.member("run", run.directory.lastComponent)
      json.member("status", run.violations.isEmpty ? "passed" : "failed")
      json.member("tasks", run.request.tasks)
      json.member("done", done)
      json.member("processes", run.request.processes)
      json.member("calls", run.calls.count)
      json.member("killed", killed)
      json.member("taken_over", takenOver)
      json.member("elapsed_s", Double(run.elapsed) / 1e9)
      json.member("seed", Int(run.request.seed))
      json.key("assertions")
      json.object { json in
        for assertion in ClaimsAssertion.allCases {
          json.member(assertion.rawValue, !run.violations.contains { $0.assertion == assertion })
        }
      }
    }
    json.endLine()
    return json.text
  }
}
