import POSIX

extension Command {
  /// `help`, and the manual pages, of the programs `roots`: the first one is the program at hand.
  public static func help(_ roots: @escaping @Sendable () -> [Command]) -> Command {
    Command(
      "help", "explain a command, or a subject",
      Syntax(
        [.any(.among("NAME") { names(in: roots(), $0.operands) })],
        options: [
          Option("man", help: "Print the manual page, as `man` takes it, instead of the help.")
        ],
        text: """
          Explains a command, such as `plan claim`, or a subject, such as `guarantees`. Without NAME,
          lists the commands and the subjects.
          """,
        examples: """
          \(roots()[0].name) help --man | man -l -
          """)
    ) { arguments throws(Failure) in
      let roots = roots()
      let words = arguments.operands
      if !arguments.has("man"), words.count == 1,
        let page = roots.lazy.flatMap({ $0.pages() }).first(where: { Bytes($0.name) == words[0] })
      {
        return try printOut(page.help)
      }
      let path = try path(to: words[...], in: roots)
      try printOut(arguments.has("man") ? Manual(path).text : path.help)
    }
  }

  private static func path(
    to words: ArraySlice<Bytes>, in roots: [Command]
  ) throws(Failure) -> CommandPath {
    if let first = words.first, let root = roots.first(where: { Bytes($0.name) == first }) {
      return try path(from: CommandPath([root]), words.dropFirst())
    }
    // A manual page is named like topic-plan-claim.
    if words.count == 1, let first = words.first, first.starts(with: Bytes("\(roots[0].name)-")) {
      let parts = first.split(separator: UInt8(ascii: "-")).map { Bytes($0) }
      return try path(from: CommandPath([roots[0]]), parts[1...])
    }
    return try path(from: CommandPath([roots[0]]), words)
  }

  private static func path(
    from root: CommandPath, _ words: ArraySlice<Bytes>
  ) throws(Failure) -> CommandPath {
    var path = root
    for word in words {
      guard let subcommand = path.subcommand(named: word) else {
        let known = path.command.subcommands.map(\.name) + path.command.pages().map(\.name)
        if known.isEmpty { throw .usage("'\(path.words)' has no commands") }
        throw .unknown(path.commands.count == 1 ? "command" : "\(path.words) command", word, known)
      }
      path = path.appending(subcommand)
    }
    return path
  }

  private static func names(in roots: [Command], _ words: [Bytes]) -> [Candidate] {
    let path = try? path(to: words[...], in: roots)
    let commands = path?.command.subcommands ?? []
    let others = words.isEmpty ? Array(roots.dropFirst()) : []
    let pages = words.isEmpty ? roots[0].pages() : []
    return (commands + others).map { Candidate($0.name, $0.summary) }
      + pages.map { Candidate($0.name, $0.summary) }
  }

  /// `completions`: the scripts that complete the words of `programs`.
  public static func completions(for programs: [String]) -> Command {
    Command(
      "completions", "print the completions of all programs for a shell",
      Syntax(
        [.one(.choice("SHELL", Shell.self))],
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
