import POSIX

extension Command {
  /// `help`, and the manual pages, of the programs `roots`: the first one is the program at hand.
  /// The programs `others` explain themselves.
  public static func help(
    _ roots: @escaping @Sendable () -> [Command], others: [String] = []
  ) -> Command {
    Command(
      "help", "explain a command, or a subject",
      Syntax(
        .any(.among("NAME") { names(in: roots(), others, $0.operands) }),
        options: [
          Option("man", help: "Print the manual page, as `man` takes it, instead of the help.")
        ],
        text: """
          Explains a command, such as `plan claim`, or a subject, such as `guarantees`. Without NAME,
          lists the commands and the subjects. Each program also prints its manual page with `--man`.
          """,
        examples: """
          \(roots()[0].name) help plan claim
          \(roots()[0].name) help --man | man -l -
          """)
    ) { arguments throws(Failure) in
      let roots = roots()
      let words = arguments.operands
      if let other = others.first(where: { Bytes($0) == words.first }) {
        throw .usage(
          "\(other) explains itself",
          advice: "run '\(other) --help', or '\(other) --man | man -l -'")
      }
      let pages = roots.flatMap { $0.pages() }
      if let page = pages.first(where: { words.contains(Bytes($0.name)) }),
        (try? path(to: words[...], in: roots)) == nil
      {
        if words.count == 1, !arguments.has("man") { return try printOut(page.help) }
        throw .usage(
          "'\(page.name)' is a subject, not a command",
          advice:
            "run '\(roots[0].name) help \(page.name)'; the manual page of \(roots[0].name) has it, too"
        )
      }
      let path = try path(to: words[...], in: roots)
      try printOut(arguments.has("man") ? Manual(path).text : path.help)
    }
  }

  private static func path(
    to words: ArraySlice<Bytes>, in roots: [Command]
  ) throws(Failure) -> CommandPath {
    if let first = words.first, let root = roots.first(where: { Bytes($0.name) == first }) {
      return try path(from: CommandPath(root), words.dropFirst())
    }
    // A manual page is named like topic-plan-claim.
    if words.count == 1, let first = words.first, first.starts(with: Bytes("\(roots[0].name)-")) {
      let parts = first.split(separator: UInt8(ascii: "-")).map { Bytes($0) }
      if let path = try? path(from: CommandPath(roots[0]), parts[1...]) { return path }
    }
    return try path(from: CommandPath(roots[0]), words)
  }

  private static func path(
    from root: CommandPath, _ words: ArraySlice<Bytes>
  ) throws(Failure) -> CommandPath {
    var path = root
    for word in words {
      let subcommands = path.command.subcommands
      if subcommands.isEmpty { throw .usage("'\(path.words)' has no subcommands") }
      guard let subcommand = path.subcommand(named: word) else {
        let pages = path.commands.count == 1 ? path.command.pages().map(\.name) : []
        throw .unknown(
          path.commands.count == 1 ? "command or subject" : "\(path.command.name) command", word,
          subcommands.map(\.name) + pages)
      }
      path = path.appending(subcommand)
    }
    return path
  }

  private static func names(
    in roots: [Command], _ others: [String], _ words: [Bytes]
  ) -> [Candidate] {
    let path = try? path(to: words[...], in: roots)
    let commands = (path?.command.subcommands ?? []).map { Candidate($0.name, $0.summary) }
    if !words.isEmpty { return commands }
    return commands + roots.dropFirst().map { Candidate($0.name, $0.summary) }
      + others.map { Candidate($0) } + roots[0].pages().map { Candidate($0.name, $0.summary) }
  }

  /// `completions`: the scripts that complete the words of `programs`.
  public static func completions(for programs: [String]) -> Command {
    Command(
      "completions", "print the completions of all programs for a shell",
      Syntax(
        .one(.choice("SHELL", Shell.self)),
        text: """
          Prints a script for bash, zsh or fish that completes \(programs.joined(separator: ", ")).
          `shell/install.sh` installs it where the shells look for it. It asks the programs
          themselves what fits: options, choices, files, topics, the tasks of a plan.
          """,
        examples: """
          source <(topic completions bash)
          topic completions zsh >"${fpath[1]}/_topic"
          topic completions fish >~/.config/fish/completions/topic.fish
          """)
    ) { arguments throws(Failure) in
      let operand = arguments.operands[0]
      guard let shell = Shell(rawValue: String(decoding: operand, as: UTF8.self)) else {
        throw .unknown("shell", operand, Shell.allCases.map(\.rawValue))
      }
      try printOut(shell.completionScript(for: programs))
    }
  }
}
