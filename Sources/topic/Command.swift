import CommandLine
import POSIX

extension Tool {
  static let topic = Tool("topic")
}

/// One command of `topic`.
struct Command: Sendable {
  /// The word that calls it.
  let name: String
  /// What `topic help NAME` prints.
  let help: String
  /// The options that it takes, besides the common ones.
  let options: [Option]
  /// How many operands it takes.
  let operands: ClosedRange<Int>
  /// What it does.
  let body: @Sendable (Arguments) throws(Failure) -> Void

  static let all = [
    locate, list, find, verify, renumber, artifact, log, metrics, checkpoint, plan, retry, cost,
    `try`,
    gate, slug,
  ]

  func run(_ words: ArraySlice<Bytes>) throws(Failure) {
    let arguments = try Arguments(Array(words), accepting: Option.common + options)
    if arguments.has("help") { return try printOut(help) }
    if arguments.has("version") { return try printOut("topic \(version)\n") }
    guard operands.contains(arguments.operands.count) else {
      let isFew = arguments.operands.count < operands.lowerBound
      throw .usage(
        "too \(isFew ? "few" : "many") arguments for '\(name)'",
        advice: "topic help \(name) says which it takes")
    }
    try body(arguments)
  }
}

/// The value of an option that goes into JSON, which is UTF-8; nil when it is not given.
func text(of option: String, _ arguments: Arguments) throws(Failure) -> String? {
  guard let value = arguments.value(of: option) else { return nil }
  guard let text = String(validating: value, as: UTF8.self) else {
    throw Failure(.data, "--\(option) \(value.quotedForMessage) is not UTF-8, as JSON has to be")
  }
  return text
}
