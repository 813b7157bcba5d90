import CommandLine
import JSON
import POSIX

/// One call of this program: a new run or the rest of an old one, and what is told of it.
package struct Session {
  enum Format: String, CaseIterable {
    case text, json
  }

  /// What may be asked for.
  package static let options: [Option] =
    StressRequest.options + [
      Option("run-dir", "d", takesValue: true), Option("resume", "r", takesValue: true),
      Option("report", takesValue: true), Option("format", "f", takesValue: true),
      Option("fail-below", takesValue: true), Option("summary"),
      Option("workload", takesValue: true), Option("tasks", takesValue: true),
    ]

  private let arguments: Arguments
  private let format: Format
  private let runs: Path
  private let metrics: Metrics
  private let failBelow: Double?

  /// Reads what is asked for.
  package init(_ arguments: Arguments) throws(Failure) {
    self.arguments = arguments
    format = try arguments.choice("format", of: Format.self) ?? .text
    runs = try Self.directoryOfRuns(arguments)
    metrics = Metrics(in: runs)
    failBelow = try arguments.value(of: "fail-below").map { value throws(Failure) in
      guard let share = Double(String(decoding: value, as: UTF8.self)), share > 0, share < 10 else {
        throw .usage("--fail-below takes a share, such as 0.5, not \(value.quotedForMessage)")
      }
      return share
    }
  }

  static func directoryOfRuns(_ arguments: Arguments) throws(Failure) -> Path {
    if let given = arguments.value(of: "run-dir") {
      if given.isEmpty { throw .usage("the run-dir is empty") }
      return Path(given)
    }
    if let state = Environment.variable("XDG_STATE_HOME") {
      return Path(state).appending("topic-stress")
    }
    guard let home = Environment.variable("HOME") else {
      throw .usage("HOME is not set", advice: "say where runs are kept with --run-dir")
    }
    return Path(home).appending(".local/state/topic-stress")
  }

  /// Prints what the metrics of all runs add up to.
  package func printSummary() throws(Failure) {
    let summary = try metrics.summary()
    try printOut(format == .json ? summary.json : Bytes(summary.text))
  }

  /// Does the run, and writes down how it ended.
  package func run() throws(Failure) -> Outcome {
    let run = try startedOrResumed()
    defer { run.finish() }
    var manifest = Manifest(
      request: run.request, command: [Bytes("topic-stress")] + Environment.arguments,
      allocators: run.allocators, root: run.rootParent, started: WallTime.now.rfc3339)
    try run.execute { request throws(SystemError) in
      manifest.request = request
      try run.record.write(manifest.text, to: "manifest.json")
    }
    let outcome = try judgeSpeed(run)
    manifest.outcome = outcome
    do throws(SystemError) {
      try run.record.write(Bytes(HTMLReport(outcome).text), to: "report.html")
      try run.record.write(manifest.text, to: "manifest.json")
    } catch {
      throw Failure(error, otherwise: .inputOutput)
    }
    if run.hasWorked { try metrics.append(outcome) }
    return outcome
  }

  private func startedOrResumed() throws(Failure) -> StressRun {
    guard let name = arguments.value(of: "resume") else {
      return try StressRun(StressRequest(arguments), in: runs)
    }
    for option in StressRequest.options where arguments.has(option.name) {
      throw .usage(
        "--\(option.name) does not go with --resume",
        advice: "a run that is resumed goes on as it was begun")
    }
    let path = name.contains(UInt8(ascii: "/")) ? Path(name) : runs.appending(name)
    let record = try RunRecord(resuming: path)
    guard let request = try record.read("manifest.json")["request"].flatMap({ StressRequest($0) }),
      let checkpoint = RunRecord.Checkpoint(try record.read("checkpoint.json"))
    else {
      throw Failure(
        .data, "cannot resume \(path.bytes.quotedForMessage): its files are not complete",
        advice: "begin a new run")
    }
    return try StressRun(request, record, resuming: checkpoint)
  }

  private func judgeSpeed(_ run: StressRun) throws(Failure) -> Outcome {
    let usual = try metrics.usualThroughput(run.request.configuration)
    let share = Outcome(run: run, speedAgainstEarlier: nil).relativeThroughput.flatMap { now in
      usual.flatMap { $0 > 0 ? now / $0 : nil }
    }
    if let share, let failBelow, share < failBelow, run.termination == nil {
      run.add(
        Violation(
          .speed, "\(Outcome.percent(share)) of what it was, as a share of the process starts"))
    }
    return Outcome(run: run, speedAgainstEarlier: share)
  }

  /// Prints the report, and copies the page where it was asked for.
  package func report(_ outcome: Outcome) throws(Failure) {
    switch format {
    case .text: try printOut(outcome.text)
    case .json:
      var json = JSONWriter(.indented)
      outcome.write(to: &json, details: true)
      try printOut(json.text)
    }
    if let file = arguments.value(of: "report") {
      try attempt(
        AtomicFile.write(Bytes(HTMLReport(outcome).text), to: Path(file)), otherwise: .cannotCreate)
    }
  }
}
