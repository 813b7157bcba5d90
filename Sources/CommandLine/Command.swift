/// A command, described once: usage errors, help, completions and manual pages are printed from this.
///
/// Builds only names and summaries on the path to the called command. The syntax of a command is
/// built when it is called, or described.
public struct Command: Sendable {
  /// The word that calls it: `claim` in `topic plan claim`.
  public let name: String
  /// What it does, in one line: in the imperative, without a full stop.
  public let summary: String
  let content: Content
  let pages: @Sendable () -> [Page]

  enum Content: Sendable {
    case leaf(@Sendable () -> Syntax, @Sendable (Arguments) throws(Failure) -> Void)
    case branch(@Sendable () -> String, @Sendable () -> [CommandGroup])
  }

  /// A command that does something.
  ///
  /// - Parameters:
  ///   - syntax: What it takes, and what its help says.
  ///   - pages: The long explanations that belong in its manual page.
  ///   - body: What it does.
  public init(
    _ name: String, _ summary: String, _ syntax: @escaping @autoclosure @Sendable () -> Syntax,
    pages: @escaping @autoclosure @Sendable () -> [Page] = [],
    body: @escaping @Sendable (Arguments) throws(Failure) -> Void
  ) {
    (self.name, self.summary, self.pages) = (name, summary, pages)
    content = .leaf(syntax, body)
  }

  /// A command that only has subcommands.
  ///
  /// - Parameters:
  ///   - text: What its subcommands have in common, in the markup of ``Markup``.
  ///   - subcommands: Its subcommands, in the order in which help lists them.
  ///   - pages: The long explanations that belong in its manual page.
  public init(
    _ name: String, _ summary: String, text: @escaping @autoclosure @Sendable () -> String,
    subcommands: @escaping @autoclosure @Sendable () -> [Command],
    pages: @escaping @autoclosure @Sendable () -> [Page] = []
  ) {
    self.init(
      name, summary, text: text(), groups: [CommandGroup("Commands", subcommands())],
      pages: pages())
  }

  /// As above, with subcommands below several titles.
  public init(
    _ name: String, _ summary: String, text: @escaping @autoclosure @Sendable () -> String,
    groups: @escaping @autoclosure @Sendable () -> [CommandGroup],
    pages: @escaping @autoclosure @Sendable () -> [Page] = []
  ) {
    (self.name, self.summary, self.pages) = (name, summary, pages)
    content = .branch(text, groups)
  }

  /// The subcommands, or none.
  public var subcommands: [Command] {
    if case .branch(_, let groups) = content { groups().flatMap(\.commands) } else { [] }
  }
}

/// Subcommands below one title.
public struct CommandGroup: Sendable {
  let title: String
  let commands: [Command]

  /// - Parameter title: Such as `Plans and runs`.
  public init(_ title: String, _ commands: [Command]) {
    (self.title, self.commands) = (title, commands)
  }
}

/// What a command takes, and what its help says.
public struct Syntax: Sendable {
  private let first: Operand?
  private let second: Operand?
  private let third: Operand?
  let required: [Option]
  private let others: @Sendable () -> [OptionGroup]
  let text: String
  let examples: String

  /// - Parameters:
  ///   - first: What follows the options.
  ///   - second: What follows that.
  ///   - third: The last operand.
  ///   - required: The options without which the command cannot do.
  ///   - options: All other options besides `--help` and `--version`. They are built when one is
  ///     given, or described.
  ///   - text: What the command does, in the markup of ``Markup``.
  ///   - examples: Lines of shell, each to be tried as it stands.
  public init(
    _ first: Operand? = nil, _ second: Operand? = nil, _ third: Operand? = nil,
    required: [Option] = [],
    options: @escaping @autoclosure @Sendable () -> [OptionGroup], text: String,
    examples: String = ""
  ) {
    (self.first, self.second, self.third) = (first, second, third)
    (self.required, others) = (required, options)
    (self.text, self.examples) = (text, examples)
  }

  /// As above, with options that need no titles.
  public init(
    _ first: Operand? = nil, _ second: Operand? = nil, _ third: Operand? = nil,
    required: [Option] = [],
    options: @escaping @autoclosure @Sendable () -> [Option] = [], text: String,
    examples: String = ""
  ) {
    self.init(
      first, second, third, required: required,
      options: [OptionGroup("Options", required + options())],
      text: text, examples: examples)
  }

  /// The options below their titles.
  var groups: [OptionGroup] { others() }

  var allOptions: [Option] {
    var options: [Option] = []
    for group in groups { options += group.options }
    return options
  }

  /// What follows the options, in order. Only built to be described, as each type of array costs
  /// time at the start.
  var operands: [Operand] { [first, second, third].compactMap { $0 } }

  /// How many operands there may be.
  var operandCount: ClosedRange<Int> {
    var (least, most) = (0, 0)
    func count(_ operand: Operand?) {
      guard let operand else { return }
      if !operand.isOptional { least += 1 }
      most = operand.isRepeated ? .max : most + 1
    }
    count(first)
    count(second)
    count(third)
    return least...most
  }
}

/// A long explanation: `topic help guarantees`.
public struct Page: Sendable {
  /// The word that `help` takes.
  public let name: String
  /// What it explains, in one line.
  public let summary: String
  let text: String

  /// - Parameter text: In the markup of ``Markup``.
  public init(_ name: String, _ summary: String, text: String) {
    (self.name, self.summary, self.text) = (name, summary, text)
  }
}
