import JSON
import POSIX

/// A call of an allocator: an operation of the history, with the interval in which it took effect.
struct Call {
  /// What the harness did to it.
  enum Fate: String {
    /// Nothing.
    case free
    /// Killed on purpose.
    case killed
    /// Killed, because it did not end in time.
    case hung
    /// Killed, because it printed without end.
    case runaway
    /// Killed, because the run was interrupted.
    case interrupted
  }

  /// Counts from 1.
  let iteration: Int
  /// Counts from 1 within the iteration.
  let process: Int
  /// Which of the run's allocators, from 0.
  let allocator: Int
  /// The name that it numbers, unique in the run.
  let name: String
  /// Nanoseconds from the start of the run to just before the call could begin.
  let start: UInt64
  /// Nanoseconds from the start of the run to the moment when its end was seen.
  let end: UInt64
  /// How it ended.
  let ending: ChildProcess.End
  let fate: Fate
  /// Whether it was short of descriptors or of space, so that it may fail.
  let isStarved: Bool
  /// The first ``Call/mostOutput`` bytes of its standard output.
  let output: Bytes
  /// The first ``Call/mostOutput`` bytes of its standard error.
  let error: Bytes
  /// The number that it reported; nil if it reported none or failed.
  let answer: Answer?
  /// When it held the lock and how long it waited, if it says so.
  let lock: LockReport?

  /// How many bytes of its output are kept.
  static let mostOutput = 4_096

  /// Nanoseconds from its start to its end.
  var duration: UInt64 { end - start }

  /// Whether the harness killed it, so that its effect is unknown.
  var isIndeterminate: Bool {
    ending != .exited(0) && fate != .free
  }

  /// Its line in the history.
  var line: Bytes {
    var json = JSONWriter(.compact)
    json.object { json in
      json.member("iteration", iteration)
      json.member("process", process)
      json.member("name", name)
      json.member("allocator", allocator)
      json.member("start_ns", Int(start))
      json.member("end_ns", Int(end))
      switch ending {
      case .exited(let code): json.member("exit", Int(code))
      case .signaled(let number): json.member("signal", Int(number))
      }
      if fate != .free { json.member("fate", fate.rawValue) }
      if isStarved { json.member("starved", true) }
      if let answer {
        json.member("number", answer.number)
        if let entry = answer.entry { json.member("entry", entry) }
      }
      if let lock {
        json.member("waited_ns", Int(lock.waited))
        json.member("held_from_ns", Int(lock.held.lowerBound))
        json.member("held_to_ns", Int(lock.held.upperBound))
      }
      json.member("output", output)
      json.member("error", error)
    }
    json.endLine()
    return json.text
  }
}

extension Call {
  /// Reads a line of the history; nil if it is something else.
  init?(_ entry: JSONValue) {
    let counts = 0...1 << 40
    guard let iteration = entry["iteration"]?.integer(in: counts),
      let process = entry["process"]?.integer(in: counts), let name = entry["name"]?.string,
      let allocator = entry["allocator"]?.integer(in: counts),
      let end = entry["end_ns"]?.integer(in: 0...1 << 60),
      let start = entry["start_ns"]?.integer(in: 0...end),
      (entry["number"] ?? .number("0")).integer(in: 0...9_999_999) != nil,
      let ending = ChildProcess.End(entry)
    else { return nil }
    self.init(
      iteration: iteration, process: process, allocator: allocator, name: name,
      start: UInt64(start), end: UInt64(end), ending: ending,
      fate: entry["fate"]?.string.flatMap { Fate(rawValue: $0) } ?? .free,
      isStarved: entry["starved"]?.bool ?? false,
      output: Bytes(entry["output"]?.string ?? ""), error: Bytes(entry["error"]?.string ?? ""),
      answer: entry["number"]?.integer.map {
        Answer(number: $0, entry: entry["entry"]?.string.map { Bytes($0) })
      },
      lock: LockReport(entry))
  }
}

extension ChildProcess.End {
  fileprivate init?(_ entry: JSONValue) {
    if let code = entry["exit"]?.integer {
      self = .exited(Int32(truncatingIfNeeded: code))
    } else if let number = entry["signal"]?.integer {
      self = .signaled(Int32(truncatingIfNeeded: number))
    } else {
      return nil
    }
  }
}
