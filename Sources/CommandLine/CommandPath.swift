import POSIX

/// A command with the commands above it: `topic`, `plan`, `claim`.
struct CommandPath {
  private let parents: [Command]
  let command: Command

  init(_ root: Command) {
    self.init([], root)
  }

  private init(_ parents: [Command], _ command: Command) {
    (self.parents, self.command) = (parents, command)
  }

  /// The commands from the program's down to this one.
  var commands: [Command] { parents + [command] }

  /// As it is typed: `topic plan claim`.
  var words: String { commands.map(\.name).joined(separator: " ") }

  /// The path to the command above.
  var parent: CommandPath? {
    parents.last.map { CommandPath(Array(parents.dropLast()), $0) }
  }

  /// The path to a subcommand.
  func appending(_ command: Command) -> CommandPath { CommandPath(commands, command) }

  /// The commands that do something, from here downwards, in the order of the help.
  var leaves: [CommandPath] {
    let subcommands = command.subcommands
    return subcommands.isEmpty ? [self] : subcommands.flatMap { appending($0).leaves }
  }

  /// The subcommand of this name.
  func subcommand(named word: Bytes) -> Command? {
    let name = String(decoding: word, as: UTF8.self)
    return command.subcommands.first { $0.name == name }
  }
}

extension CommandPath {
  /// Runs the command that `words` call, from here downwards.
  func run(_ words: ArraySlice<Bytes>) throws(Failure) {
    switch command.content {
    case .leaf(let syntax, let body):
      let syntax = syntax()
      let arguments = try Arguments(
        Array(words), accepting: Option.common + syntax.allOptions, unknown: owned)
      if arguments.has("help") { return try printOut(help) }
      if arguments.has("version") { return try printVersion() }
      try check(arguments, syntax)
      try body(arguments)
    case .branch: try runSubcommand(words)
    }
  }

  private func runSubcommand(_ words: ArraySlice<Bytes>) throws(Failure) {
    guard let place = try placeOfSubcommand(in: words) else { return }
    guard let subcommand = subcommand(named: words[place]) else {
      let kind = commands.count == 1 ? "command" : "\(command.name) command"
      throw .unknown(kind, words[place], command.subcommands.map(\.name))
    }
    var rest = Array(words)
    rest.remove(at: place - words.startIndex)
    try appending(subcommand).run(rest[...])
  }

  /// The place of the name of a subcommand, which the subcommand's options may precede; nil if help
  /// or the version was asked for, and printed.
  private func placeOfSubcommand(in words: ArraySlice<Bytes>) throws(Failure) -> Int? {
    if let first = words.first, first.first != UInt8(ascii: "-") { return words.startIndex }
    let isRoot = commands.count == 1
    let options = isRoot ? Option.common : optionsBelow
    if let place = Self.placeOfOperand(in: words, options) {
      if !isRoot { return place }
      throw .usage(
        "unknown option \(words[words.startIndex].quotedForMessage)",
        advice: "options follow the COMMAND")
    }
    let arguments = try Arguments(Array(words), accepting: options)
    if arguments.has("help") {
      try printOut(help)
    } else if arguments.has("version") {
      try printVersion()
    } else {
      throw .usage("no command", advice: "\(helpCommand) lists the commands")
    }
    return nil
  }

  /// The place of the name of a subcommand in a line that is not complete; nil if there is none yet.
  func placeOfSubcommand(typedIn words: ArraySlice<Bytes>) -> Int? {
    Self.placeOfOperand(in: words, optionsBelow)
  }

  /// The options of all subcommands.
  private var optionsBelow: [Option] {
    Option.common + leaves.flatMap { $0.syntax?.allOptions ?? [] }
  }

  private static func placeOfOperand(in words: ArraySlice<Bytes>, _ options: [Option]) -> Int? {
    words.indices.first { place in
      (try? Arguments(Array(words[...place]), accepting: options))?.operands.isEmpty == false
    }
  }

  /// What the command takes, if it does something.
  var syntax: Syntax? {
    if case .leaf(let syntax, _) = command.content { syntax() } else { nil }
  }

  /// The call that prints the help: `topic help plan claim`.
  var helpCommand: String {
    commands.count == 1
      ? "\(words) --help"
      : "\(commands[0].name) help \(commands.dropFirst().map(\.name).joined(separator: " "))"
  }

  private func printVersion() throws(Failure) {
    try printOut("\(commands[0].name) \(version)\n")
  }

  // MARK: Usage errors

  private func check(_ arguments: Arguments, _ syntax: Syntax) throws(Failure) {
    let count = arguments.operands.count
    let range = syntax.operandCount
    if count < range.lowerBound {
      let required = syntax.operands.filter { !$0.isOptional }
      throw .usage("no \(required[count].value.placeholder)", advice: synopsis(syntax))
    }
    if count > range.upperBound {
      throw .usage(
        "unexpected argument \(arguments.operands[range.upperBound].quotedForMessage)",
        advice: synopsis(syntax))
    }
    for option in syntax.required where !arguments.has(option.name) {
      throw .usage("no --\(option.name)", advice: "\(option.spelling): \(option.helpInMessage)")
    }
  }

  /// The failure for an option that only other commands take; nil if none does.
  private func owned(_ option: String) -> Failure? {
    // Those beside this command are meant, if there are any.
    let siblings = parent?.leaves ?? []
    let all = CommandPath(commands[0]).leaves
    let owners = [siblings, all].lazy.map { $0.filter { $0.has(option) } }.first { !$0.isEmpty }
    guard let owners else { return nil }
    let list = owners.count > 8 ? "other commands" : Self.list(owners)
    return .usage(
      "\(option) belongs to \(list)", advice: "run '\(helpCommand)' to see what \(words) takes")
  }

  /// Whether the command takes the option that is spelled like this.
  private func has(_ spelling: String) -> Bool {
    syntax?.allOptions.contains { option in
      "--\(option.name)" == spelling || option.letter.map { "-\(UnicodeScalar($0))" } == spelling
    } ?? false
  }

  /// `topic plan claim, done, fail; topic retry check`
  private static func list(_ paths: [CommandPath]) -> String {
    var groups: [(parent: String, names: [String])] = []
    for path in paths {
      let parent = path.parents.map(\.name).joined(separator: " ")
      if groups.last?.parent == parent {
        groups[groups.count - 1].names.append(path.command.name)
      } else {
        groups.append((parent, [path.command.name]))
      }
    }
    return groups.map { "\($0.parent) \($0.names.joined(separator: ", "))" }.joined(separator: "; ")
  }
}
