import POSIX

// The beginnings of lines in Markdown, and pieces of lines: CommonMark 0.31.

extension UInt8 {
  /// A space, a tab, or the carriage return before a newline.
  var isSpace: Bool {
    self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") || self == UInt8(ascii: "\r")
  }

  var isDigit: Bool { self &- UInt8(ascii: "0") <= 9 }

  /// The letter in lower case; any other byte unchanged.
  var lowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }
}

extension ArraySlice<UInt8> {
  /// Without the white space around it.
  var trimmed: ArraySlice<UInt8> {
    var start = startIndex
    while start < endIndex, self[start].isSpace { start += 1 }
    return self[start...].withoutTrailingSpace
  }

  var withoutTrailingSpace: ArraySlice<UInt8> {
    var end = endIndex
    while end > startIndex, self[end - 1].isSpace { end -= 1 }
    return self[..<end]
  }

  /// As text; bytes that are not UTF-8 become U+FFFD.
  var text: String { String(decoding: self, as: UTF8.self) }

  /// Whether it contains `part`.
  func holds(_ part: Bytes) -> Bool { place(of: part) != nil }

  /// The place where `part` begins.
  func place(of part: Bytes) -> Int? {
    guard let first = part.first else { return startIndex }
    var start = startIndex
    while let place = self[start...].firstIndex(of: first) {
      if self[place...].starts(with: part) { return place }
      start = place + 1
    }
    return nil
  }

  /// Whether it begins with `word`, in upper or lower case.
  ///
  /// - Parameter word: In lower case.
  func startsIgnoringCase(with word: Bytes) -> Bool {
    guard count >= word.count else { return false }
    var place = startIndex
    for byte in word {
      if self[place].lowercased != byte { return false }
      place += 1
    }
    return true
  }

  /// The level of the heading; nil if the line is not one.
  var headingLevel: Int? {
    guard first == UInt8(ascii: "#") else { return nil }
    let level = prefix { $0 == UInt8(ascii: "#") }.count
    return level <= 6 && dropFirst(level).first?.isSpace ?? true ? level : nil
  }

  /// The text of a heading, without closing `#`.
  var headingText: ArraySlice<UInt8> {
    let text = trimmed
    guard let last = text.lastIndex(where: { $0 != UInt8(ascii: "#") }) else {
      return text.prefix(0)
    }
    return text[last].isSpace ? text[...last].trimmed : text
  }

  var isUnderline: Bool {
    guard let mark = first, mark == UInt8(ascii: "=") || mark == UInt8(ascii: "-") else {
      return false
    }
    return drop { $0 == mark }.isBlank
  }

  var isThematicBreak: Bool {
    guard let mark = first,
      mark == UInt8(ascii: "-") || mark == UInt8(ascii: "_") || mark == UInt8(ascii: "*")
    else { return false }
    var count = 0
    for byte in self where !byte.isSpace {
      if byte != mark { return false }
      count += 1
    }
    return count >= 3
  }

  /// Whether the text of a quote is a paragraph, which lines outside the quote can continue.
  var beginsParagraph: Bool {
    var blocks = MarkdownBlocks()
    var text = self
    while text.trimmed.first == UInt8(ascii: ">") { text = text.trimmed.dropFirst() }
    if case .plain = blocks.kind(of: text) { return true }
    // So can the paragraph of a list item in the quote.
    return MarkdownCursor(text).next.map { Bytes("-*+").contains($0) || $0.isDigit } ?? false
  }

  /// What ends the HTML block that the line begins, any one of these; nil if the line begins none
  /// that continues across blank lines.
  var endsOfHTML: [Bytes]? {
    guard first == UInt8(ascii: "<") else { return nil }
    if starts(with: Bytes("<!--")) { return [Bytes("-->")] }
    if starts(with: Bytes("<?")) { return [Bytes("?>")] }
    if starts(with: Bytes("<![CDATA[")) { return [Bytes("]]>")] }
    let second = dropFirst(2).first.map { $0.lowercased &- UInt8(ascii: "a") < 26 } ?? false
    if starts(with: Bytes("<!")), second { return [Bytes(">")] }
    let names = ["pre", "script", "style", "textarea"]
    for name in names where dropFirst().startsIgnoringCase(with: Bytes(name)) {
      let after = dropFirst(1 + name.utf8.count).first
      if after?.isSpace ?? true || after == UInt8(ascii: ">") {
        return names.flatMap { [Bytes("</\($0)>"), Bytes("</\($0.uppercased())>")] }
      }
    }
    return nil
  }

  /// Without HTML comments.
  var withoutComments: ArraySlice<UInt8> {
    guard contains(UInt8(ascii: "<")), holds(Bytes("<!--")) else { return self }
    var (rest, kept) = (self, Bytes())
    while let start = rest.place(of: Bytes("<!--")),
      let end = rest[(start + 4)...].place(of: Bytes("-->"))
    {
      kept += rest[..<start]
      rest = rest[(end + 3)...]
    }
    return (kept + rest)[...].trimmed
  }

  /// The cells of a row of a table, which begins with `|`; nil if the line is not one.
  var cells: [ArraySlice<UInt8>]? {
    guard first == UInt8(ascii: "|") else { return nil }
    var cells: [ArraySlice<UInt8>] = []
    var start = startIndex + 1
    var place = start
    while place < endIndex {
      if self[place] == UInt8(ascii: "\\") {
        place += 2
      } else if self[place] == UInt8(ascii: "|") {
        cells.append(self[start..<place].trimmed)
        place += 1
        start = place
      } else {
        place += 1
      }
    }
    let last = self[Swift.min(start, endIndex)...].trimmed
    if !last.isEmpty { cells.append(last) }
    return cells
  }

  /// Without `*` and backquotes around it.
  var unmarked: ArraySlice<UInt8> {
    var text = self
    while text.count > 1, let first = text.first, first == text.last,
      first == UInt8(ascii: "*") || first == UInt8(ascii: "`")
    {
      text = text.dropFirst().dropLast()
    }
    return text.trimmed
  }
}
