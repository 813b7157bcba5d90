import CommandLine
import JSON
import POSIX

/// How the result of a run is printed.
enum ReportFormat: String, CaseIterable {
  case text, json
}

/// One call of this program: it starts or resumes a run and reports the result.
struct StressSession {
  private let arguments: Arguments
  private let format: ReportFormat
  private let runs: Path
  private let pastRuns: PastRuns
  private let failBelow: Double?

  init(_ arguments: Arguments) throws(Failure) {
    self.arguments = arguments
    format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    runs = try Self.directoryOfRuns(arguments)
    pastRuns = PastRuns(in: runs)
    failBelow = try arguments.value(of: "fail-below").map { value throws(Failure) in
      guard let share = Double(String(decoding: value, as: UTF8.self)), share > 0, share < 10 else {
        throw .usage("--fail-below takes a share, such as 0.5, not \(value.quotedForMessage)")
      }
      return share
    }
  }

  /// The directory that keeps the runs: `--run-dir`, or else below the user's state.
  static func directoryOfRuns(_ arguments: Arguments) throws(Failure) -> Path {
    if let given = arguments.value(of: "run-dir") {
      if given.isEmpty { throw .emptyString("--run-dir") }
      return Path(given)
    }
    if let state = Environment.variable("XDG_STATE_HOME") {
      return Path(state).appending("topic-stress")
    }
    guard let home = Environment.variable("HOME") else {
      throw .usage("HOME is not set", advice: "choose a directory for the runs with --run-dir")
    }
    return Path(home).appending(".local/state/topic-stress")
  }

  /// Prints a summary of all runs.
  func printSummary() throws(Failure) {
    let summary = try pastRuns.summary()
    try printOut(format == .json ? summary.json : Bytes(summary.text))
  }

  /// Executes the run and records the outcome.
  func run() throws(Failure) -> Outcome {
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
    if run.hasWorked { try pastRuns.append(outcome) }
    return outcome
  }

  private func startedOrResumed() throws(Failure) -> StressRun {
    guard let name = arguments.value(of: "resume") else {
      return try StressRun(StressRequest(arguments), in: runs)
    }
    for option in StressRequest.options where arguments.has(option.name) {
      throw .usage(
        "--\(option.name) does not go with --resume",
        advice: "a resumed run keeps its options")
    }
    let path = name.contains(UInt8(ascii: "/")) ? Path(name) : runs.appending(name)
    let record = try RunRecord(resuming: path)
    guard let request = try record.read("manifest.json")["request"].flatMap({ StressRequest($0) }),
      let checkpoint = RunRecord.Checkpoint(try record.read("checkpoint.json"))
    else {
      throw Failure(
        .data, "cannot resume \(path.bytes.quotedForMessage): its files are incomplete",
        advice: "start a new run")
    }
    return try StressRun(request, record, resuming: checkpoint)
  }

  private func judgeSpeed(_ run: StressRun) throws(Failure) -> Outcome {
    let usual = try pastRuns.usualThroughput(run.request.configuration)
    let share = Outcome(run: run, speedAgainstEarlier: nil).relativeThroughput.flatMap { now in
      usual.flatMap { $0 > 0 ? now / $0 : nil }
    }
    if let share, let failBelow, share < failBelow, run.termination == nil {
      run.add(
        Violation(
          .speed, "\(share.asPercent) of the usual throughput, as a share of the process starts"))
    }
    return Outcome(run: run, speedAgainstEarlier: share)
  }

  /// Prints the report, and writes the page if `--report` is given.
  func report(_ outcome: Outcome) throws(Failure) {
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
