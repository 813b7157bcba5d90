import CommandLine
import JSON
import POSIX

/// What processes do at once.
package enum Workload: String, CaseIterable {
  /// They take numbers.
  case numbers
  /// They claim and finish the tasks of a plan.
  case claims
}

/// What a run of claims is to do.
struct ClaimsRequest {
  var processes = 10
  var tasks = 1_000
  /// The seconds for which a task is claimed.
  var lease = 1
  var chaos: [ChaosKind] = [.kill, .pause, .lockfile]
  var seed: UInt64
  /// Nanoseconds after which a call counts as hung.
  var timeout: UInt64 = 60_000_000_000

  init(_ arguments: Arguments) throws(Failure) {
    processes = try arguments.number("processes", in: 1...1_000) ?? processes
    tasks = try arguments.number("tasks", in: 1...100_000) ?? tasks
    timeout = try arguments.seconds("timeout") ?? timeout
    seed = UInt64(
      try arguments.number("seed", in: 0...Int.max) ?? Int.random(in: 0..<1_000_000_000))
    if arguments.has("chaos") { chaos = [] }
    let known: [ChaosKind] = [.kill, .pause, .lockfile]
    for list in arguments.values(of: "chaos") {
      for word in list.split(separator: UInt8(ascii: ",")) where !word.elementsEqual(Bytes("none"))
      {
        let kind = ChaosKind(rawValue: String(decoding: word, as: UTF8.self))
        guard let kind, known.contains(kind) else {
          throw .unknown("chaos", Bytes(word), known.map(\.rawValue) + ["none"])
        }
        chaos.append(kind)
      }
    }
  }
}

/// One call of this program for a workload of claims.
package struct ClaimsSession {
  /// Options that go with claims.
  private static let own = [
    "workload", "tasks", "processes", "chaos", "seed", "timeout", "run-dir", "format",
  ]

  private let run: ClaimsRun
  private let format: Session.Format

  /// Reads what is asked for, and prepares it.
  package init(_ arguments: Arguments) throws(Failure) {
    for option in Session.options
    where arguments.has(option.name) && !Self.own.contains(option.name) {
      throw .usage("--\(option.name) does not go with --workload claims")
    }
    format = try arguments.choice("format", of: Session.Format.self) ?? .text
    guard let program = AllocatorCommand.beside("topic") else {
      throw .usage(
        "there is no topic beside this program or in PATH",
        advice: "build it with 'swift build -c release'")
    }
    run = try ClaimsRun(
      ClaimsRequest(arguments), program: program, in: Session.directoryOfRuns(arguments))
  }

  /// Does it, prints the report, and returns whether all assertions hold; ends with the signal of a user
  /// who breaks it off.
  package func execute() throws(Failure) -> Bool {
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
    let seconds = Double(run.elapsed / 1_000_000) / 1_000
    var text =
      "\(done.grouped) of \(run.request.tasks.grouped) tasks acknowledged as done by"
      + " \(run.request.processes) processes in \(seconds) s\n"
      + "\(run.calls.count.grouped) calls, \(killed) of them killed; \(takenOver) leases taken over\n\n"
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
          json.member(
            assertion.rawValue, !run.violations.contains { $0.assertion == assertion })
        }
      }
    }
    json.endLine()
    return json.text
  }
}
