import CommandLine
import JSON
import POSIX

/// A call of `topic plan` in the history of a run of claims.
struct ClaimsCall {
  /// The subcommand.
  enum Kind: String {
    case claim, done
  }

  /// The answer to a claim.
  struct Answer: Equatable {
    var task: Int
    /// When others may take the task over, in seconds since 1970.
    var leaseUntil: Int
    /// The worker that held the task until its lease expired.
    var reclaimedFrom: String?
  }

  let kind: Kind
  let worker: String
  /// The task to be marked as done; nil for a claim.
  var task: Int?
  /// Start and end, in nanoseconds of the monotonic clock.
  var start: UInt64 = 0
  var end: UInt64 = 0
  /// Start and end by the wall clock, in seconds since 1970.
  var wallStart = 0
  var wallEnd = 0
  var ending = ChildProcess.End.exited(0)
  /// Whether it was killed on purpose. What such a call did is unknown.
  var isKilled = false
  /// Whether it did not end in time.
  var isHung = false
  var answer: Answer?
  /// The beginning of its standard error.
  var error = Bytes()

  /// Whether it is known to have succeeded.
  var isAcknowledged: Bool { ending == .exited(0) && (kind == .done || answer != nil) }

  /// Such as `claim of w3.1, 12.345 ms to 15.001 ms, code 0`.
  func title(since origin: UInt64) -> String {
    let words = Bytes(error.prefix { $0 != .newline }.prefix(200))
    return "\(kind.rawValue) of \(worker), \((start &- origin).asMilliseconds) to"
      + " \((end &- origin).asMilliseconds), \(ending.inWords)"
      + (answer.map { ", task \($0.task)" } ?? "")
      + (words.isEmpty ? "" : ", said \(words.quotedForMessage)")
  }

  /// Reads the output of a claim; nil if it is not the whole object.
  static func answer(_ output: Bytes, tasks: Int) -> Answer? {
    guard let value = try? JSONValue(parsing: output),
      let task = value["id"]?.string.flatMap({ Int($0.dropFirst()) }), (0..<tasks).contains(task),
      let until = value["lease_until"]?.string.flatMap(WallTime.init(rfc3339:)),
      let isReclaimed = value["reclaimed"]?.bool
    else { return nil }
    let holder = value["reclaimed_from"]?.string
    return (holder != nil) == isReclaimed
      ? Answer(task: task, leaseUntil: until.secondsSince1970, reclaimedFrom: holder) : nil
  }

  /// Its line in the history.
  func line(since origin: UInt64) -> Bytes {
    var json = JSONWriter(.compact)
    json.object { json in
      json.member("call", kind.rawValue)
      json.member("worker", worker)
      json.key("task")
      json.number(task ?? answer?.task)
      json.member("start_ns", Int(start &- origin))
      json.member("end_ns", Int(end &- origin))
      json.member("wall_start", wallStart)
      json.member("wall_end", wallEnd)
      switch ending {
      case .exited(let code): json.member("code", Int(code))
      case .signaled(let number): json.member("signal", Int(number))
      }
      if isKilled { json.member("killed", true) }
      if let answer {
        json.member("lease_until", answer.leaseUntil)
        if let holder = answer.reclaimedFrom { json.member("reclaimed_from", holder) }
      }
      if !error.isEmpty { json.member("error", error) }
    }
    json.endLine()
    return json.text
  }
}
