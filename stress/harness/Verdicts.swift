import CommandLine
import JSON
import POSIX

/// The violations of a run, in constant memory: all are counted, the first ones are described.
struct Verdicts {
  /// The number of violations that are described, for each assertion.
  private static let mostTold = 5

  private(set) var counts: [Assertion: Int] = [:]
  private(set) var told: [(assertion: Assertion, text: String)] = []
  /// The number of calls that share their number with another call.
  var collisions = 0

  /// The number of violations.
  var total: Int { counts.values.reduce(0, +) }

  /// Counts a violation, and describes it if it is one of the first.
  mutating func add(_ violation: Violation, _ allocators: [AllocatorCommand]) {
    let count = counts[violation.assertion, default: 0] + 1
    counts[violation.assertion] = count
    if count <= Self.mostTold {
      told.append((violation.assertion, violation.text(allocators)))
    }
  }

  /// The descriptions of the violations of an assertion.
  func texts(of assertion: Assertion) -> [String] {
    told.filter { $0.assertion == assertion }.map(\.text)
  }
}

extension Verdicts {
  /// Reads what ``write(to:)`` wrote; nil if it is something else.
  init?(_ json: JSONValue) {
    let range = 0...1 << 40
    guard let collisions = json["collisions"]?.integer(in: range),
      let counts = json["counts"]?.members, let told = json["told"]?.elements
    else { return nil }
    self.collisions = collisions
    for member in counts {
      guard let assertion = Assertion(rawValue: member.key) else { continue }
      guard let count = member.value.integer(in: range) else { return nil }
      self.counts[assertion] = count
    }
    self.told = told.compactMap { entry in
      guard let assertion = entry["assertion"]?.string.flatMap({ Assertion(rawValue: $0) }),
        let text = entry["text"]?.string
      else { return nil }
      return (assertion, text)
    }
  }

  /// Writes an object that ``init(_:)`` reads back.
  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("collisions", collisions)
      json.key("counts")
      json.object { json in
        for assertion in Assertion.allCases {
          if let count = counts[assertion] { json.member(assertion.rawValue, count) }
        }
      }
      json.key("told")
      writeTold(to: &json)
    }
  }

  /// Writes the descriptions as an array.
  func writeTold(to json: inout JSONWriter) {
    json.array { json in
      for entry in told {
        json.object { json in
          json.member("assertion", entry.assertion.rawValue)
          json.member("text", entry.text)
        }
      }
    }
  }
}

extension Violation {
  /// The message, and a line for each of the first calls: when it ran, how it ended, what it
  /// printed.
  fileprivate func text(_ allocators: [AllocatorCommand]) -> String {
    let most = 12
    var lines = [message]
    for call in calls.prefix(most) {
      let times = "\(call.start.asMilliseconds) to \(call.end.asMilliseconds)"
      var line = "\(call.title), \(times), \(call.ending.inWords)"
      if let answer = call.answer { line += ", number \(answer.number)" }
      if allocators.count > 1 { line += ", \(allocators[call.allocator].text)" }
      if !call.output.isEmpty {
        line += ", printed \(Bytes(call.output.prefix(200)).quotedForMessage)"
      }
      let complaint = call.error.split(separator: .newline).first.map(Bytes.init) ?? []
      if call.answer == nil, !complaint.isEmpty {
        line += ", said \(Bytes(complaint.prefix(200)).quotedForMessage)"
      }
      lines.append(line)
    }
    if calls.count > most { lines.append("and \(calls.count - most) more") }
    return lines.joined(separator: "\n")
  }
}
