import CommandLine
import JSON
import POSIX
import Runs
import TopicAllocation

/// The files of a run: `history.jsonl`, `checkpoint.json`, `manifest.json` and `report.html`.
///
/// Each iteration is appended to the history, and then the checkpoint records how much of it
/// counts. A resume cuts off what follows, and repeats that iteration.
final class RunRecord {
  /// The directory of the run.
  let path: Path
  private let history: LineFile
  /// Locked while the run is in progress, so that no other process resumes it.
  private let directory: Descriptor

  /// What a resume needs to know.
  struct Checkpoint {
    /// The number of complete iterations.
    var iterations = 0
    /// The number of times that the run was resumed.
    var resumes = 0
    /// Nanoseconds that the run took so far.
    var elapsed: UInt64 = 0
    /// Processor time in nanoseconds, of the harness and of its children.
    var processorTime: UInt64 = 0
    var processorTimeOfChildren: UInt64 = 0
    /// The length of the history.
    var historyBytes: UInt64 = 0
    /// The number of processes that can be started and ended per second if they do nothing.
    var floor: Double = 0
    /// The current root.
    var root = Path("")
    /// The highest number in the root before the first iteration that is not judged yet.
    var base: Int?
    /// The last iteration that is judged.
    var judged = 0
    var verdicts = Verdicts()
  }

  /// Creates a new directory in `parent` for a run.
  init(in parent: Path) throws(Failure) {
    path = try attempt(RunDirectory.create(in: parent), otherwise: .cannotCreate)
    directory = try Self.locked(path)
    history = try attempt(
      LineFile(opening: path.appending("history.jsonl")), otherwise: .cannotCreate)
  }

  /// Opens the run in the directory `path`.
  init(resuming path: Path) throws(Failure) {
    self.path = path
    _ = try attempt(FileStatus.of(path.appending("checkpoint.json")), otherwise: .data)
    directory = try Self.locked(path)
    history = try attempt(LineFile(opening: path.appending("history.jsonl")), otherwise: .data)
  }

  private static func locked(_ path: Path) throws(Failure) -> Descriptor {
    let directory = try attempt(Descriptor(opening: path, .directory), otherwise: .data)
    guard try attempt(directory.tryLock(), otherwise: .data) else {
      throw Failure(
        .temporary,
        "the run \(path.bytes.quotedForMessage) is already in progress\(LockHolder.clause(path))",
        advice: "wait until it ends, or stop it with Ctrl-C")
    }
    return directory
  }

  /// The id of the run: the name of its directory.
  var id: String { String(decoding: path.lastComponent, as: UTF8.self) }

  /// Appends the calls of an iteration to the history.
  func append(_ calls: [Call]) throws(SystemError) {
    try history.append(calls.reduce(into: Bytes()) { $0 += $1.line })
    // What the checkpoint counts must be on disk before it.
    try history.synchronize()
  }

  /// The length of the history.
  func historyBytes() throws(SystemError) -> UInt64 { try history.size() }

  /// Cuts off the history where `checkpoint` ends, and passes its calls to `body`, one iteration at
  /// a time.
  ///
  /// - Returns: The number of calls.
  func replay(_ checkpoint: Checkpoint, _ body: ([Call]) -> Void) throws(SystemError) -> Int {
    if try history.size() > checkpoint.historyBytes {
      try history.truncate(to: checkpoint.historyBytes)
    }
    var count = 0
    var iteration: [Call] = []
    try history.forEachLine { line, _ in
      guard let call = line.flatMap({ try? JSONValue(parsing: $0) }).flatMap({ Call($0) }) else {
        return
      }
      if let first = iteration.first, first.iteration != call.iteration {
        body(iteration)
        iteration.removeAll(keepingCapacity: true)
      }
      iteration.append(call)
      count += 1
    }
    if !iteration.isEmpty { body(iteration) }
    return count
  }

  /// Replaces a file of the run atomically.
  func write(_ contents: Bytes, to name: String) throws(SystemError) {
    try AtomicFile.write(contents, to: path.appending(name))
  }

  /// Replaces the checkpoint.
  func save(_ checkpoint: Checkpoint) throws(SystemError) {
    var json = JSONWriter(.indented)
    checkpoint.write(to: &json)
    json.endLine()
    try write(json.text, to: "checkpoint.json")
  }

  /// Reads one of its files that holds an object.
  func read(_ name: String) throws(Failure) -> JSONValue {
    let file = path.appending(name)
    let text = try attempt(file.maintainedContents(), otherwise: .data)
    do throws(JSONError) {
      return try JSONValue(parsing: text)
    } catch {
      throw Failure(
        .data,
        "cannot read \(file.bytes.quotedForMessage): \(error.message) at byte \(error.offset)")
    }
  }
}

extension RunRecord.Checkpoint {
  /// Reads what ``write(to:)`` wrote; nil if it is something else.
  init?(_ json: JSONValue) {
    // Within these ranges, neither sums nor iterations times processes overflow.
    let (counts, sizes) = (0...1 << 40, 0...1 << 60)
    guard let iterations = json["iterations"]?.integer(in: counts),
      let resumes = json["resumes"]?.integer(in: counts),
      let elapsed = json["elapsed_ns"]?.integer(in: sizes),
      let own = json["processor_ns"]?.integer(in: sizes),
      let children = json["processor_ns_of_children"]?.integer(in: sizes),
      let historyBytes = json["history_bytes"]?.integer(in: sizes),
      let floor = json["floor"]?.double, (0...1e9).contains(floor),
      let root = json["root"]?.string, let judged = json["judged"]?.integer(in: 0...iterations),
      let verdicts = json["verdicts"].flatMap({ Verdicts($0) })
    else { return nil }
    if let base = json["base"], base.integer(in: 0...9_999_999) == nil { return nil }
    self.init(
      iterations: iterations, resumes: resumes, elapsed: UInt64(elapsed),
      processorTime: UInt64(own), processorTimeOfChildren: UInt64(children),
      historyBytes: UInt64(historyBytes), floor: floor, root: Path(root),
      base: json["base"]?.integer, judged: judged, verdicts: verdicts)
  }

  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("iterations", iterations)
      json.member("resumes", resumes)
      json.member("elapsed_ns", Int(elapsed))
      json.member("processor_ns", Int(processorTime))
      json.member("processor_ns_of_children", Int(processorTimeOfChildren))
      json.member("history_bytes", Int(historyBytes))
      json.member("floor", floor)
      json.member("root", root.bytes)
      if let base { json.member("base", base) }
      json.member("judged", judged)
      json.key("verdicts")
      verdicts.write(to: &json)
    }
  }
}
