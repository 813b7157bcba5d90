import JSON
import POSIX

/// One call of an allocator: an operation of the history, with the interval in which it took effect.
struct Call {
  /// What the harness did to it.
  enum Fate: String {
    /// Nothing.
    case free
    /// It was sent SIGKILL on purpose.
    case killed
    /// It did not end in time and was killed.
    case hung
    /// It printed without end and was killed.
    case runaway
    /// It was killed because the run was asked to end.
    case interrupted
  }

  /// Counts from 1.
  let iteration: Int
  /// Counts from 1 within the iteration.
  let process: Int
  /// Which of the run's allocators, from 0.
  let allocator: Int
  /// The name that it was to number, unique in the run.
  let name: String
  /// Nanoseconds from the beginning of the run to a moment before it could begin.
  let start: UInt64
  /// Nanoseconds from the beginning of the run to the moment when its end was seen.
  let end: UInt64
  /// How it ended.
  let ending: ChildProcess.End
  let fate: Fate
  /// Whether it was short of descriptors or of space, so that it may fail.
  let isStarved: Bool
  /// What it printed, the first ``Call/mostOutput`` bytes.
  let output: Bytes
  /// What it printed on standard error, likewise.
  let error: Bytes
  /// The number that it reported; nil when it reported none, or said that it failed.
  let answer: Answer?
  /// When it held the lock and how long it waited, where it says so.
  let lock: LockReport?

  /// How much of its output is kept, in bytes.
  static let mostOutput = 4_096

  /// Nanoseconds from its start to its end.
  var duration: UInt64 { end - start }

  /// Whether it was killed by the harness, so that nobody knows what it did.
  var isIndeterminate: Bool {
    ending != .exited(0) && fate != .free
  }

  /// As one line of the history.
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
  /// Reads a line of the history back; nil when it is none.
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

/// What an allocator says of the lock on standard error, as `topic-alloc --verbose` does:
/// `waited 0.012 ms for the lock, held it for 0.045 ms, from 81.123456789 s to 81.123501789 s`.
struct LockReport {
  /// Nanoseconds that it waited.
  let waited: UInt64
  /// From when to when it held the lock, in nanoseconds of the monotonic clock, or from the beginning
  /// of the run on (``since(_:)``).
  let held: ClosedRange<UInt64>

  /// The same, counted from `origin` on, a moment of the monotonic clock that may lie before its
  /// beginning; nil for what was before that.
  func since(_ origin: UInt64) -> LockReport? {
    let (from, to) = (held.lowerBound &- origin, held.upperBound &- origin)
    return from <= to && to < 1 << 62 ? LockReport(waited: waited, held: from...to) : nil
  }

  /// Nanoseconds from the first to the last moment.
  var duration: UInt64 { held.upperBound - held.lowerBound }
}

extension LockReport {
  /// Reads it from what a process printed.
  init?(parsing error: Bytes) {
    // The only part of the line that has to be there for words; the rest are the numbers.
    guard let line = error.split(separator: .newline).last,
      line.split(separator: UInt8(ascii: " ")).contains(where: { $0.elementsEqual(Self.mark) })
    else { return nil }
    // The words of the line that are numbers, as if all were seconds.
    let numbers = line.split(separator: UInt8(ascii: " ")).compactMap { Self.nanoseconds($0) }
    guard numbers.count == 4, numbers[2] <= numbers[3] else { return nil }
    self.init(waited: numbers[0] / 1_000, held: numbers[2]...numbers[3])
  }

  /// Reads it from a line of the history.
  fileprivate init?(_ entry: JSONValue) {
    guard let waited = entry["waited_ns"]?.integer, let from = entry["held_from_ns"]?.integer,
      let to = entry["held_to_ns"]?.integer, waited >= 0, from >= 0, to >= from
    else { return nil }
    self.init(waited: UInt64(waited), held: UInt64(from)...UInt64(to))
  }

  private static let mark = Bytes("held")

  /// A decimal number of seconds, in nanoseconds.
  private static func nanoseconds(_ digits: ArraySlice<UInt8>) -> UInt64? {
    let parts = digits.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 2, (1...9).contains(parts[1].count), (1...9).contains(parts[0].count),
      let whole = UInt64(String(decoding: parts[0], as: UTF8.self)),
      var fraction = UInt64(String(decoding: parts[1], as: UTF8.self))
    else { return nil }
    for _ in parts[1].count..<9 { fraction *= 10 }
    return whole * 1_000_000_000 + fraction
  }
}
