import POSIX

/// An option of a command.
public struct Option: Sendable {
  /// Its long name, without the dashes.
  public let name: String
  /// Its one-letter name.
  public let letter: UInt8?
  private let first: Value?
  private let second: Value?
  /// Whether it counts each time that it is given; of others, the last one counts.
  public let isRepeatable: Bool
  /// What it does, in the markup of ``Markup``.
  public let help: String

  /// - Parameters:
  ///   - name: The long name, without the dashes.
  ///   - letter: The one-letter name.
  ///   - first: What follows the option.
  ///   - second: What follows that.
  ///   - repeatable: Whether it counts each time that it is given.
  ///   - help: What it does, in the markup of ``Markup``.
  public init(
    _ name: String, _ letter: Unicode.Scalar, _ first: Value? = nil, _ second: Value? = nil,
    repeatable: Bool = false, help: String
  ) {
    self.init(name, letter, first, second, repeatable, help)
  }

  /// As above, without a one-letter name.
  public init(
    _ name: String, _ first: Value? = nil, _ second: Value? = nil, repeatable: Bool = false,
    help: String
  ) {
    self.init(name, nil, first, second, repeatable, help)
  }

  private init(
    _ name: String, _ letter: Unicode.Scalar?, _ first: Value?, _ second: Value?,
    _ isRepeatable: Bool, _ help: String
  ) {
    (self.name, self.letter) = (name, letter.map { UInt8(ascii: $0) })
    (self.first, self.second) = (first, second)
    (self.isRepeatable, self.help) = (isRepeatable, help)
  }

  /// How many values follow.
  var valueCount: Int { first == nil ? 0 : second == nil ? 1 : 2 }

  /// What follows it. Only built to be described, as each type of array costs time at the start.
  public var values: [Value] { [first, second].compactMap { $0 } }

  /// `--format FORMAT`
  var spelling: String { (["--\(name)"] + values.map(\.placeholder)).joined(separator: " ") }

  /// The first words of its help, up to a break.
  var summary: String {
    let line = help.replacing("`", with: "").split(whereSeparator: \.isWhitespace)
      .joined(separator: " ")
    // A list of choices is short, and makes sense as a whole only.
    let breaks = help.first == "`" ? [". "] : [". ", ": ", "; ", " ("]
    let ends = breaks.compactMap { line.firstRange(of: $0)?.lowerBound }
    let first = line[..<(ends.min() ?? line.endIndex)]
    return String(first.last == "." ? first.dropLast() : first)
  }

  /// The first paragraph of its help, for an error.
  var helpInMessage: String {
    let paragraph = help.firstRange(of: "\n\n").map { help[..<$0.lowerBound] } ?? help[...]
    let text = paragraph.replacing("`", with: "").split(whereSeparator: \.isWhitespace)
      .joined(separator: " ")
    return text.last == "." ? String(text.dropLast()) : text
  }

  /// Every command has these.
  public static var common: [Option] {
    [
      Option("help", "h", help: "Print this help."),
      Option("version", help: "Print the version."),
    ]
  }
}

/// Options below one title.
public struct OptionGroup: Sendable {
  let title: String
  let options: [Option]

  /// - Parameter title: Such as `Output`.
  public init(_ title: String, _ options: [Option]) {
    (self.title, self.options) = (title, options)
  }
}

/// What follows an option, or stands in place of an operand.
public struct Value: Sendable {
  /// What help and errors call it: `FILE`.
  public let placeholder: String
  /// What completions offer for it.
  let kind: Kind

  enum Kind: Sendable {
    case text, file, directory, program
    case choice(@Sendable () -> [String])
    /// Several choices, separated by commas.
    case choices(@Sendable () -> [String])
    /// Computed from what is typed before it; the flag says whether a directory will do, too.
    case computed(@Sendable (Arguments) -> [Candidate], orDirectory: Bool)
  }

  /// Any text, number or time.
  public static func text(_ placeholder: String) -> Value {
    Value(placeholder: placeholder, kind: .text)
  }

  /// The path of a file.
  public static func file(_ placeholder: String) -> Value {
    Value(placeholder: placeholder, kind: .file)
  }

  /// The path of a directory.
  public static func directory(_ placeholder: String) -> Value {
    Value(placeholder: placeholder, kind: .directory)
  }

  /// The name of a program.
  public static func program(_ placeholder: String) -> Value {
    Value(placeholder: placeholder, kind: .program)
  }

  /// One of `words`.
  public static func choice(
    _ placeholder: String, _ words: @escaping @autoclosure @Sendable () -> [String]
  ) -> Value {
    Value(placeholder: placeholder, kind: .choice(words))
  }

  /// One of the cases of `Choice`.
  public static func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
    _ placeholder: String, _: Choice.Type
  ) -> Value where Choice.RawValue == String {
    .choice(placeholder, Choice.allCases.map(\.rawValue))
  }

  /// Some of the cases of `Choice`, separated by commas.
  public static func choices<Choice: RawRepresentable & CaseIterable & Sendable>(
    _ placeholder: String, _: Choice.Type
  ) -> Value where Choice.RawValue == String {
    Value(placeholder: placeholder, kind: .choices { Choice.allCases.map(\.rawValue) })
  }

  /// One of the words that `candidates` finds, given the arguments before it; or a directory.
  public static func among(
    _ placeholder: String, orDirectory: Bool = false,
    _ candidates: @escaping @Sendable (Arguments) -> [Candidate]
  ) -> Value {
    Value(placeholder: placeholder, kind: .computed(candidates, orDirectory: orDirectory))
  }
}

/// A word that a completion offers, with what it stands for.
public struct Candidate: Sendable {
  let word: String
  let meaning: String

  /// - Parameter meaning: A few words beside it, where the shell shows them.
  public init(_ word: String, _ meaning: String = "") {
    (self.word, self.meaning) = (word, meaning)
  }
}

/// What a command works on.
public struct Operand: Sendable {
  let value: Value
  let isOptional: Bool
  let isRepeated: Bool

  /// One that has to be there.
  public static func one(_ value: Value) -> Operand {
    Operand(value: value, isOptional: false, isRepeated: false)
  }

  /// One that may be left out.
  public static func optional(_ value: Value) -> Operand {
    Operand(value: value, isOptional: true, isRepeated: false)
  }

  /// One or more.
  public static func several(_ value: Value) -> Operand {
    Operand(value: value, isOptional: false, isRepeated: true)
  }

  /// Any number, or none.
  public static func any(_ value: Value) -> Operand {
    Operand(value: value, isOptional: true, isRepeated: true)
  }

  /// `[ROOT]`, `NAME...`
  var spelling: String {
    let word = isOptional ? "[\(value.placeholder)]" : value.placeholder
    return isRepeated ? word + "..." : word
  }
}
