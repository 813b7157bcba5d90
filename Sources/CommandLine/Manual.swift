/// A manual page in the macros of man(7).
struct Manual {
  private let path: CommandPath

  /// The page of a program or of one of its commands.
  init(_ path: CommandPath) {
    self.path = path
  }

  /// The page.
  var text: String {
    let name = path.commands.map(\.name).joined(separator: "-")
    var text = """
      .TH \(escape(name.uppercased())) 1 \(releaseDate) "\(path.commands[0].name) \(version)"\
       "User Commands"
      .SH NAME
      \(escape(name)) \\- \(escape(path.command.summary))
      .SH SYNOPSIS

      """
    let leaves = path.leaves
    for (place, leaf) in leaves.enumerated() {
      text += (place > 0 ? ".br\n" : "") + synopsis(leaf) + "\n"
    }
    text += ".SH DESCRIPTION\n"
    if let syntax = path.syntax {
      text += body(of: syntax, isNested: false)
    } else {
      text += branch(path, heading: ".SH COMMANDS\n")
    }
    for page in path.command.pages() {
      text += ".SH \(escape(Self.title(of: page)))\n" + roff(page.text)
    }
    return text + seeAlso
  }

  private static func title(of page: Page) -> String {
    page.name.uppercased().replacing("-", with: " ")
  }

  private func branch(_ path: CommandPath, heading: String) -> String {
    guard case .branch(let text, _) = path.command.content else { return "" }
    var page = roff(text(), isNested: heading.isEmpty) + heading
    for subcommand in path.command.subcommands {
      let below = path.appending(subcommand)
      page += ".SS \(escape(below.words))\n"
      if let syntax = below.syntax {
        page += "\(synopsis(below))\n.PP\n" + body(of: syntax, isNested: true)
      } else {
        page += branch(below, heading: "")
      }
    }
    return page
  }

  /// The text, options and examples of a command; nested, in the page of a program.
  private func body(of syntax: Syntax, isNested: Bool) -> String {
    var text = roff(syntax.text, isNested: isNested) + (isNested ? "" : ".SH OPTIONS\n")
    for group in syntax.groups where !group.options.isEmpty {
      if syntax.groups.count > 1 { text += heading(group.title, isNested: isNested) }
      text += group.options.map(describe).joined()
    }
    if !isNested { text += Option.common.map(describe).joined() }
    if !syntax.examples.isEmpty {
      text += isNested ? heading("Examples", isNested: true) : ".SH EXAMPLES\n"
      let lines = syntax.examples.split(separator: "\n", omittingEmptySubsequences: false)
      text += ".IP\n" + example(lines.map(String.init))
    }
    return text
  }

  private func describe(_ option: Option) -> String {
    let letter = option.letter.map { "\\fB\\-\(UnicodeScalar($0))\\fP, " } ?? ""
    let values = option.values.map { " \\fI\(escape($0.placeholder))\\fP" }.joined()
    return ".TP\n\(letter)\\fB\\-\\-\(escape(option.name))\\fP\(values)\n"
      + roff(option.completeHelp, isIndented: true)
  }

  private func synopsis(_ path: CommandPath) -> String {
    guard let syntax = path.syntax else { return "" }
    let required = syntax.required.map { option in
      ([" \\fB\\-\\-\(escape(option.name))\\fP"]
        + option.values.map { "\\fI\(escape($0.placeholder))\\fP" }).joined(separator: " ")
    }
    let others = syntax.allOptions.count > required.count ? " [\\fIoption\\fP]..." : ""
    let operands = syntax.operands.map { operand in
      let word = "\\fI\(escape(operand.value.placeholder))\\fP"
      return (operand.isOptional ? " [\(word)]" : " \(word)") + (operand.isRepeated ? "..." : "")
    }
    return "\\fB\(escape(path.words))\\fP\(required.joined())\(others)\(operands.joined())"
  }

  private var seeAlso: String {
    let pages = [
      "topic(1)", "topic-alloc(1)", "flock(1)", "grep(1)", "flock(2)", "mkdir(2)", "sysexits(3)",
    ]
    .filter { $0 != "\(path.words)(1)" }
    .map { "\\fB\(escape(String($0.dropLast(3))))\\fP\($0.suffix(3))" }
    return ".SH SEE ALSO\n" + pages.joined(separator: ",\n") + "\n"
  }

  // MARK: roff

  private func roff(
    _ markup: String, isIndented: Bool = false, isNested: Bool = false
  ) -> String {
    var text = ""
    // What goes before a paragraph.
    var pause = ""
    for block in Markup(markup).blocks {
      switch block {
      case .paragraph(let words): text += pause + line(words)
      case .item(let words): text += list(".IP \\(bu 2\n\(line(words))", isIndented)
      case .term(let term, let meaning):
        text += list(
          ".TP\n\(line("`\(term.replacing("`", with: ""))`"))\(line(meaning))", isIndented)
      case .lines(let lines): text += ".IP\n" + example(lines)
      case .heading(let title): text += heading(title, isNested: isNested)
      }
      pause = isIndented ? ".IP\n" : ".PP\n"
      if case .heading = block { pause = isNested ? ".br\n" : "" }
    }
    return text
  }

  private func list(_ entry: String, _ isIndented: Bool) -> String {
    isIndented ? ".RS\n\(entry).RE\n" : entry
  }

  /// A title; if nested, not a section of the page.
  private func heading(_ title: String, isNested: Bool) -> String {
    isNested ? ".PP\n\\fB\(escape(title))\\fP\n" : ".SS \(escape(title))\n"
  }

  private func example(_ lines: [String]) -> String {
    ".EX\n" + lines.map { atStart(escape($0)) + "\n" }.joined() + ".EE\n"
  }

  /// A paragraph as one line of input, with literals in bold face.
  private func line(_ words: String) -> String {
    let parts = words.split(separator: "`", omittingEmptySubsequences: false).map(String.init)
    let text = parts.enumerated().map { place, part in
      if place % 2 == 0 { return escape(part) }
      // The subjects are sections of the same page.
      let subject = path.command.pages().first { part == "topic help \($0.name)" }
      return "\\fB\(escape(subject.map(Self.title(of:)) ?? part))\\fP"
    }
    return atStart(text.joined()) + "\n"
  }

  /// Escapes a line that would be taken for a request.
  private func atStart(_ line: String) -> String {
    line.first == "." || line.first == "'" ? "\\&" + line : line
  }

  private func escape(_ text: String) -> String {
    text.reduce(into: "") { escaped, character in
      switch character {
      case "\\": escaped += "\\e"
      case "-": escaped += "\\-"
      case "'": escaped += "\\(aq"
      case "^": escaped += "\\(ha"
      case "~": escaped += "\\(ti"
      case _ where character.isASCII: escaped.append(character)
      default:
        for scalar in character.unicodeScalars {
          let code = String(scalar.value, radix: 16, uppercase: true)
          escaped += "\\[u" + String(repeating: "0", count: max(4 - code.count, 0)) + "\(code)]"
        }
      }
    }
  }
}
