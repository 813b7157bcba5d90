import POSIX

/// Finds out, line by line, what is at the top level of a Markdown text and what is inside
/// something else: fenced and indented code, HTML comments and `<pre>`, block quotes, lists.
///
/// The rules are those of CommonMark 0.31, sections 4 and 5, as far as they matter here. The only
/// HTML blocks are those that continue across blank lines (kinds 1 to 5).
struct MarkdownBlocks {
  /// The kinds of lines.
  enum Kind: Equatable {
    /// Nothing but white space.
    case blank
    /// A heading: its level, from 1 to 6, and its text.
    case heading(Int, ArraySlice<UInt8>)
    /// A line that makes the paragraph before it a heading.
    case underline
    /// A line of a paragraph or of a table, without the white space around it.
    case plain(ArraySlice<UInt8>)
    /// A line inside something else.
    case inside
  }

  /// List items that are nested deeper are read as text.
  private static let deepest = 100

  private struct Fence {
    let mark: UInt8
    let length: Int
  }

  private enum Paragraph {
    case none
    /// In the innermost list item, or at the top level if there is none.
    case open
    /// In a block quote.
    case quoted
  }

  /// The columns at which the contents of the open list items begin.
  private var items: [Int] = []
  private var fence: Fence?
  /// Each of these ends the open HTML block.
  private var htmlEnds: [Bytes] = []
  private var paragraph = Paragraph.none

  /// The kind of the next line, which is given without its newline.
  mutating func kind(of line: ArraySlice<UInt8>) -> Kind {
    var cursor = MarkdownCursor(line)
    guard let first = cursor.next else { return blankLine() }
    if let kind = kindOfCommonLine(cursor, first) { return kind }
    var matched = 0
    while matched < items.count, cursor.column >= items[matched] { matched += 1 }
    let isWithin = matched == items.count
    if isWithin, isInsideLeaf(cursor) { return .inside }
    if !isWithin { (fence, htmlEnds) = (nil, []) }
    // A heading, for example, ends a paragraph; text continues it.
    let interrupts = paragraph == .open && isWithin
    if let kind = startOfBlock(&cursor, first, &matched, interrupts) { return kind }
    if paragraph == .quoted || (paragraph == .open && matched < items.count) { return .inside }
    items.removeLast(items.count - matched)
    paragraph = .open
    return items.isEmpty ? .plain(cursor.rest.trimmed) : .inside
  }

  /// A shortcut for most lines: text at the top level, and lines of code.
  private mutating func kindOfCommonLine(_ cursor: MarkdownCursor, _ first: UInt8) -> Kind? {
    guard items.isEmpty, htmlEnds.isEmpty, cursor.column < 4 else { return nil }
    if let fence { return first == fence.mark ? nil : .inside }
    guard paragraph != .quoted, first.lowercased &- UInt8(ascii: "a") < 26 else { return nil }
    paragraph = .open
    return .plain(cursor.rest.withoutTrailingSpace)
  }

  private mutating func blankLine() -> Kind {
    if fence != nil || !htmlEnds.isEmpty { return .inside }
    paragraph = .none
    return .blank
  }

  /// Whether the line belongs to the open code or HTML block. Closes the block if it ends here.
  private mutating func isInsideLeaf(_ cursor: MarkdownCursor) -> Bool {
    if let fence {
      let marks = cursor.rest.prefix { $0 == fence.mark }
      if cursor.column - (items.last ?? 0) < 4, marks.count >= fence.length,
        cursor.rest.dropFirst(marks.count).isBlank
      {
        self.fence = nil
      }
      return true
    }
    guard !htmlEnds.isEmpty else { return false }
    closeHTML(cursor.rest)
    return true
  }

  private mutating func closeHTML(_ line: ArraySlice<UInt8>) {
    if htmlEnds.contains(where: { line.holds($0) }) { htmlEnds = [] }
  }

  /// The kind of a line that begins a block other than a paragraph, or is indented code; nil if the
  /// rest of the line is text. Enters the list items that begin on it.
  private mutating func startOfBlock(
    _ cursor: inout MarkdownCursor, _ first: UInt8, _ matched: inout Int, _ interrupts: Bool
  ) -> Kind? {
    var (first, interrupts) = (first, interrupts)
    while true {
      if cursor.column - (matched > 0 ? items[matched - 1] : 0) >= 4 {
        if paragraph == .open || paragraph == .quoted { return .inside }
        return end(matched)
      }
      if first == UInt8(ascii: ">") {
        _ = end(matched)
        paragraph = cursor.rest.dropFirst().beginsParagraph ? .quoted : .none
        return .inside
      }
      if let level = cursor.rest.headingLevel {
        _ = end(matched)
        return matched > 0 ? .inside : .heading(level, cursor.rest.dropFirst(level).headingText)
      }
      if let opened = openFence(cursor.rest) {
        _ = end(matched)
        fence = opened
        return .inside
      }
      if let ends = cursor.rest.endsOfHTML {
        _ = end(matched)
        htmlEnds = ends
        closeHTML(cursor.rest.dropFirst())
        return .inside
      }
      if interrupts, cursor.rest.isUnderline {
        _ = end(matched)
        return matched > 0 ? .inside : .underline
      }
      if cursor.rest.isThematicBreak { return end(matched) }
      guard matched < Self.deepest, let item = cursor.enterItem(interrupts: interrupts) else {
        return nil
      }
      _ = end(matched)
      items.append(item)
      matched += 1
      interrupts = false
      guard let next = cursor.next else { return .inside }
      first = next
    }
  }

  /// Ends the paragraph, and all list items after the first `matched`.
  private mutating func end(_ matched: Int) -> Kind {
    items.removeLast(items.count - matched)
    paragraph = .none
    return .inside
  }

  private func openFence(_ text: ArraySlice<UInt8>) -> Fence? {
    guard let mark = text.first, mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~") else {
      return nil
    }
    let length = text.prefix { $0 == mark }.count
    let information = text.dropFirst(length)
    if length < 3 || (mark == UInt8(ascii: "`") && information.contains(mark)) { return nil }
    return Fence(mark: mark, length: length)
  }
}

/// A place in a line, and its column, with a tab stop every four columns.
struct MarkdownCursor {
  /// The line from this place on. It does not begin with white space.
  private(set) var rest: ArraySlice<UInt8>
  /// How many columns are before it.
  private(set) var column = 0

  init(_ line: ArraySlice<UInt8>) {
    rest = line
    skipSpace()
  }

  /// The byte at this place; nil at the end.
  var next: UInt8? { rest.first }

  private mutating func skipSpace() {
    var place = rest.startIndex
    while place < rest.endIndex, rest[place].isSpace {
      column += rest[place] == UInt8(ascii: "\t") ? 4 - column % 4 : 1
      place += 1
    }
    rest = rest[place...]
  }

  /// Skips the marker of a list item, and returns the column at which its contents begin; nil if
  /// there is no marker. Inside a paragraph, only an item with contents counts, and only the number
  /// 1.
  mutating func enterItem(interrupts: Bool) -> Int? {
    let digits = rest.prefix { $0.isDigit }
    let mark = rest.dropFirst(digits.count)
    guard let last = mark.first, digits.count < 10 else { return nil }
    let isMark =
      digits.isEmpty
      ? last == UInt8(ascii: "-") || last == UInt8(ascii: "*") || last == UInt8(ascii: "+")
      : last == UInt8(ascii: ".") || last == UInt8(ascii: ")")
    let after = mark.dropFirst()
    guard isMark, after.first?.isSpace ?? true else { return nil }
    let isEmpty = after.isBlank
    if interrupts,
      isEmpty || !(digits.isEmpty || (digits.count == 1 && digits.first == UInt8(ascii: "1")))
    {
      return nil
    }
    let markEnd = column + digits.count + 1
    column = markEnd
    rest = after
    skipSpace()
    // Of five spaces or more, the first ends the marker, and the others begin indented code.
    return isEmpty || column - markEnd > 4 ? markEnd + 1 : column
  }
}
