import CommandLine
import JSON
import POSIX

/// A call of `topic plan` in the history of a workload of claims.
struct ClaimsCall {
  /// What was called.
  enum Kind: String {
    case claim, done
  }

  /// What a claim was answered with.
  struct Answer: Equatable {
    var task: Int
    /// From then on others may take the task over, in seconds since 1970.
    var leaseUntil: Int
    /// Who had the task until its lease ran out.
    var reclaimedFrom: String?
  }

  let kind: Kind
  let worker: String
  /// The task that is to be done; nil for a claim.
  var task: Int?
  /// When it began and ended, in nanoseconds of the monotonic clock.
  var start: UInt64 = 0
  var end: UInt64 = 0
  /// The same by the wall clock, in seconds since 1970.
  var wallStart = 0
  var wallEnd = 0
  var ending = ChildProcess.End.exited(0)
  /// Whether it was killed on purpose. What such a call did is not known.
  var isKilled = false
  /// Whether it did not end in time.
  var isHung = false
  var answer: Answer?
  /// The beginning of what it printed on standard error.
  var error = Bytes()

  /// Whether it is known to have done what it was called for.
  var isAcknowledged: Bool { ending == .exited(0) && (kind == .done || answer != nil) }

  /// Such as `claim of w3.1, 12.345 ms to 15.001 ms, code 0`.
  func title(since origin: UInt64) -> String {
    let result =
      switch ending {
      case .exited(let code): "code \(code)"
      case .signaled(let number): "signal \(number)"
      }
    let words = Bytes(error.prefix { $0 != .newline }.prefix(200))
    return "\(kind.rawValue) of \(worker), \((start &- origin).asMilliseconds) to"
      + " \((end &- origin).asMilliseconds), \(result)"
      + (answer.map { ", task \($0.task)" } ?? "")
      + (words.isEmpty ? "" : ", said \(words.quotedForMessage)")
  }

  /// Reads what a claim printed; nil when that is not the whole object.
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

  /// As a line of the history.
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
