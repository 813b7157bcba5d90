import CommandLine
import Metrics
import POSIX

extension Operand {
  /// The file of metrics.
  static let metricsFile = Operand.one(.file("FILE"))
}

extension Option {
  /// A condition on the entries that count.
  static let metricsWhere = Option(
    "where", .text("KEY=VALUE"), repeatable: true,
    help: "Count only entries with this value; spell numbers as the entries do.")
  /// A `status` that means success.
  static let metricsSuccess = Option(
    "success", .text("VALUE"), repeatable: true,
    help: """
      Count VALUE as a success (default: `passed`, `success`, `succeeded`, `ok`, `completed` and
      `done`).
      """)
}

extension MetricsFile {
  /// The file that the first operand names.
  init(_ arguments: Arguments) throws(Failure) {
    self.init(Path(arguments.operands[0]))
    if path.bytes.isEmpty {
      throw .emptyString("FILE")
    }
  }

  /// Throws if there is neither a file nor a segment.
  func checkExists() throws(Failure) {
    do throws(SystemError) {
      _ = try FileStatus.ofLink(path)
      return
    } catch {
      if error.errno != .notFound { throw Failure(error, otherwise: .inputOutput) }
    }
    // Between a rotation and the next entry, there are only segments.
    if try !attempt(segments(), otherwise: .inputOutput).isEmpty { return }
    throw Failure(
      .noInput, "cannot open \(path.bytes.quotedForMessage): there are no such metrics",
      advice: "check the spelling, or create it with 'topic metrics append'")
  }
}

extension MetricsSummary.Question {
  /// The question that the options ask.
  ///
  /// - Parameters:
  ///   - by: The key that groups entries unless `--by` names another one.
  ///   - required: The keys of a complete entry.
  init(_ arguments: Arguments, by: String? = nil, required: [String] = []) throws(Failure) {
    var conditions: [Condition] = []
    for text in try arguments.texts("where") {
      guard let (key, value) = try keyAndValue(Bytes(text)) else {
        throw .usage("--where takes KEY=VALUE, not \(Bytes(text).quotedForMessage)")
      }
      conditions.append(Condition(key, value))
    }
    let success = try arguments.texts("success")
    self.init(
      by: try arguments.text("by") ?? by, where: conditions, required: required,
      success: success.isEmpty ? Self.usualSuccess : success)
  }
}

extension Arguments {
  /// All values of an option, as text.
  func texts(_ option: String) throws(Failure) -> [String] {
    var texts: [String] = []
    for value in values(of: option) {
      guard let text = String(validating: value, as: UTF8.self), !text.isEmpty else {
        throw .usage("--\(option) is empty or not UTF-8")
      }
      texts.append(text)
    }
    return texts
  }
}

/// The two sides of KEY=VALUE; nil if there is no key.
func keyAndValue(_ word: Bytes) throws(Failure) -> (key: String, value: String)? {
  let parts = word.split(
    separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
  guard parts.count == 2, !parts[0].isEmpty else { return nil }
  guard let key = String(validating: parts[0], as: UTF8.self),
    let value = String(validating: parts[1], as: UTF8.self)
  else { throw Failure(.data, "\(word.quotedForMessage) is not UTF-8") }
  return (key, value)
}

extension MetricsSummary {
  /// Reports keys named by options that no entry has: otherwise, their figures would be zero
  /// without a word.
  func noteMissingKeys(_ arguments: Arguments) throws(Failure) {
    if keys.isEmpty { return }
    var asked: [(option: String, key: String)] = []
    if let key = try arguments.text("by") { asked.append(("by", key)) }
    asked += question.conditions.map { ("where", $0.key) }
    for key in try arguments.texts("require") { asked.append(("require", key)) }
    if let key = try arguments.text("duration") { asked.append(("duration", key)) }
    let fields = fields(of: all).map(\.name)
    for (option, key) in asked {
      let needsNumber = option == "duration" && all.entries > 0 && !isBounded
      let known = needsNumber ? fields : keys
      if known.contains(key) { continue }
      let what = needsNumber && keys.contains(key) ? "a number under" : "the key"
      let near = nearest(to: key, in: known)
      Tool.topic.note(
        "no entry has \(what) \(Bytes(key).quotedForMessage) (--\(option))"
          + (near.map { "; did you mean \(Bytes($0).quotedForMessage)?" } ?? ""))
    }
  }
}
