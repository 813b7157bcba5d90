/// The text of a help page, taken apart. It is written like this, and wrapped where it is printed:
///
/// - A blank line ends a paragraph.
/// - `- ` begins an item of a list, which may continue on the next lines.
/// - `* TERM: ` does, too; its meaning is printed beside the term.
/// - Four spaces in front make a line that is printed as it stands.
/// - `# ` begins a section. The sections of a command follow its options.
/// - Backquotes enclose what is typed or printed literally.
struct Markup {
  enum Block: Equatable {
    case paragraph(String)
    case item(String)
    case term(String, meaning: String)
    case lines([String])
    case heading(String)
  }

  private(set) var blocks: [Block] = []

  init(_ text: String) {
    var isContinued = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("    ") {
        add(verbatim: line.dropFirst(4))
        isContinued = false
      } else if line.isEmpty {
        // Between two lines that are printed as they stand, it is another one.
        if case .lines = blocks.last { add(verbatim: "") }
        isContinued = false
      } else if line.hasPrefix("# ") {
        blocks.append(.heading(String(line.dropFirst(2))))
        isContinued = false
      } else if line.hasPrefix("- ") {
        blocks.append(.item(String(line.dropFirst(2))))
        isContinued = true
      } else if line.hasPrefix("* "), let colon = line.firstRange(of: ": ") {
        let term = line[..<colon.lowerBound].dropFirst(2)
        blocks.append(.term(String(term), meaning: String(line[colon.upperBound...])))
        isContinued = true
      } else if isContinued {
        blocks.append(Self.join(blocks.removeLast(), line.drop { $0 == " " }))
      } else {
        blocks.append(.paragraph(String(line)))
        isContinued = true
      }
    }
    blocks = blocks.map { block in
      guard case .lines(var lines) = block else { return block }
      while lines.last == "" { lines.removeLast() }
      return .lines(lines)
    }
  }

  private mutating func add(verbatim line: Substring) {
    if case .lines(let lines) = blocks.last {
      blocks[blocks.count - 1] = .lines(lines + [String(line)])
    } else {
      blocks.append(.lines([String(line)]))
    }
  }

  private static func join(_ block: Block, _ line: Substring) -> Block {
    switch block {
    case .paragraph(let text): .paragraph("\(text) \(line)")
    case .item(let text): .item("\(text) \(line)")
    case .term(let term, let meaning): .term(term, meaning: "\(meaning) \(line)")
    case .lines, .heading: block
    }
  }
}

extension Markup {
  /// As plain text, at most `width` characters wide: sections indented, literals of several words in
  /// quotes.
  func text(width: Int) -> String {
    var text = ""
    var margin = ""
    for (place, block) in blocks.enumerated() {
      if place > 0, !Self.isTight(blocks[place - 1], block) { text += "\n" }
      let width = width - margin.count
      switch block {
      case .paragraph(let words): text += Self.wrap(words, width: width).indented(by: margin)
      case .item(let words):
        text += Self.wrap(words, width: width, first: "- ", rest: "  ").indented(by: margin)
      case .term(let term, let meaning):
        let list = Self.list([(Self.plain(term), meaning)], column: termColumn, width: width)
        text += list.indented(by: margin)
      case .lines(let lines):
        text += lines.map { $0.isEmpty ? "\n" : "  \($0)\n" }.joined().indented(by: margin)
      case .heading(let title):
        text += "\(title):\n"
        margin = isIndented(at: place + 1) ? "" : "  "
      }
    }
    return text
  }

  /// Whether the lines of the block are indented anyway.
  private func isIndented(at place: Int) -> Bool {
    switch place < blocks.count ? blocks[place] : nil {
    case .term, .lines: true
    default: false
    }
  }

  /// Where the meanings of all terms begin.
  private var termColumn: Int {
    Self.column(
      blocks.compactMap { block in
        if case .term(let term, _) = block { Self.plain(term) } else { nil }
      })
  }

  /// Where the meanings of these labels begin; longer labels stand on lines of their own.
  static func column(_ labels: [String]) -> Int { min(labels.map(\.count).max() ?? 0, 22) + 4 }

  /// Labels, and beside them, from `column`, their meanings in markup.
  static func list(
    _ entries: [(label: String, meaning: String)], column: Int, width: Int
  ) -> String {
    entries.map { label, meaning in
      let lines = Markup(meaning).text(width: width - column)
        .indented(by: String(repeating: " ", count: column))
      if lines.isEmpty || label.count + 4 > column { return "  \(label)\n\(lines)" }
      let space = String(repeating: " ", count: column - 2 - label.count)
      return "  \(label)\(space)\(lines.dropFirst(column))"
    }.joined()
  }

  /// Whether no blank line stands between two blocks.
  private static func isTight(_ first: Block, _ second: Block) -> Bool {
    switch (first, second) {
    case (.item, .item), (.term, .term), (.heading, _): true
    default: false
    }
  }

  /// The words in lines of at most `width` characters. What stands in backquotes is not broken.
  static func wrap(
    _ text: String, width: Int, first: String = "", rest: String = ""
  ) -> String {
    var lines: [String] = []
    var line = first
    var isEmpty = true
    for word in words(of: text) {
      if !isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = rest
        isEmpty = true
      }
      line += isEmpty ? word : " \(word)"
      isEmpty = false
    }
    return (lines + [line]).map { $0 + "\n" }.joined()
  }

  private static func plain(_ text: String) -> String { words(of: text).joined(separator: " ") }

  /// The words, with literals of several words as one, in quotes.
  private static func words(of text: String) -> [String] {
    var words: [String] = [""]
    for (place, part) in text.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
      if place % 2 == 1 {
        words[words.count - 1] += part.contains(" ") ? "'\(part)'" : String(part)
        continue
      }
      let pieces = part.split(separator: " ", omittingEmptySubsequences: false)
      words[words.count - 1] += pieces[0]
      words += pieces.dropFirst().map(String.init)
    }
    return words.filter { !$0.isEmpty }
  }
}

extension String {
  /// With `margin` before each line that is not empty.
  fileprivate func indented(by margin: String) -> String {
    split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : margin + $0 }.joined(separator: "\n")
  }
}
