import POSIX

/// Lines are wrapped at the width of the terminal, and at 80 characters at most.
private var width: Int { min(80, max(StandardStream.output.columns ?? 80, 40)) }

extension Page {
  /// What `help NAME` prints.
  var help: String { Markup(text).text(width: width) }
}

extension CommandPath {
  /// What `--help` prints.
  public var help: String {
    switch command.content {
    case .leaf(let syntax, _): help(of: syntax())
    case .branch(let text, let groups): help(text(), groups())
    }
  }

  private func help(of syntax: Syntax) -> String {
    let groups = syntax.groups + [OptionGroup("", Option.common)]
    let column = Markup.column(groups.flatMap(\.options).map(\.label))
    let sections = syntax.text.firstRange(of: "\n# ")?.lowerBound ?? syntax.text.endIndex
    let introduction = Markup(String(syntax.text[..<sections])).text(width: width)
    var text = Markup.wrap(synopsis(syntax), width: width, first: "Usage: ", rest: "         ")
    text += "\n\(introduction)"
    for group in groups where !group.options.isEmpty {
      text += "\n" + (group.title.isEmpty ? "" : "\(group.title):\n")
      text += Markup.list(
        group.options.map { ($0.label, $0.completeHelp) }, column: column, width: width)
    }
    let rest = Markup(String(syntax.text[sections...])).text(width: width)
    if !rest.isEmpty { text += "\n\(rest)" }
    if !syntax.examples.isEmpty {
      let lines = syntax.examples.split(separator: "\n", omittingEmptySubsequences: false)
      text += "\nExamples:\n" + lines.map { $0.isEmpty ? "\n" : "  \($0)\n" }.joined()
    }
    return text + listOfPages
  }

  /// The first paragraph of `text`, the commands, and the rest of `text`.
  private func help(_ text: String, _ groups: [CommandGroup]) -> String {
    let parts = text.split(separator: "\n\n", maxSplits: 1).map {
      Markup(String($0)).text(width: width)
    }
    let column = Markup.column(groups.flatMap(\.commands).map(\.name))
    let lists = groups.map { group in
      let entries = group.commands.map { ($0.name, $0.summary) }
      return "\(group.title):\n" + Markup.list(entries, column: column, width: width) + "\n"
    }
    let call = ([commands[0].name, "help"] + commands.dropFirst().map(\.name)).joined(
      separator: " ")
    return "Usage: \(words) COMMAND [option]... [argument]...\n\n\(parts.first ?? "")\n"
      + lists.joined() + Markup("`\(call) COMMAND` explains a command.").text(width: width)
      + parts.dropFirst().map { "\n\($0)" }.joined() + listOfPages
  }

  private var listOfPages: String {
    let pages = command.pages()
    if pages.isEmpty { return "" }
    let list = Markup.list(
      pages.map { ($0.name, $0.summary) }, column: Markup.column(pages.map(\.name)), width: width)
    return "\nMore in 'topic help SUBJECT':\n" + list
  }

  /// `topic plan claim --worker W [option]... PLAN`
  func synopsis(_ syntax: Syntax) -> String {
    let required = syntax.required.map(\.spelling)
    let others = syntax.allOptions.count > required.count ? ["[option]..."] : []
    return ([words] + required + others + syntax.operands.map(\.spelling)).joined(separator: " ")
  }
}

extension Option {
  /// `-f, --format FORMAT`
  fileprivate var label: String {
    (letter.map { "-\(UnicodeScalar($0)), " } ?? "    ") + spelling
  }

  /// Its help, which says so if the option is repeatable.
  var completeHelp: String { isRepeatable ? help + " Repeatable." : help }
}
