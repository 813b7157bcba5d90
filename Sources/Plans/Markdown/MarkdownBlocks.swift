import POSIX

/// Tells, line by line, what stands at the top level of a Markdown text and what lies inside something
/// else: fenced and indented code, HTML comments and `<pre>`, block quotes, lists.
///
/// The rules are those of CommonMark 0.31, sections 4 and 5, as far as they decide this. HTML blocks are
/// those that go on over empty lines (kinds 1 to 5).
struct MarkdownBlocks {
  /// What a line is.
  enum Kind: Equatable {
    /// Nothing but white space.
    case blank
    /// A heading of level 1 to 6, and its text.
    case heading(Int, ArraySlice<UInt8>)
    /// What makes a heading of the paragraph before it.
    case underline
    /// A line of a paragraph or of a table, without the white space around it.
    case plain(ArraySlice<UInt8>)
    /// A part of something else.
    case inside
  }

  /// List items that lie deeper in each other are text.
  private static let deepest = 100

  private struct Fence {
    let mark: UInt8
    let length: Int
  }

  private enum Paragraph {
    case none
    /// In the innermost list item, or at the top level where there is none.
    case open
    /// In a block quote.
    case quoted
  }

  /// The columns at which the contents of the list items begin in which the last line was.
  private var items: [Int] = []
  private var fence: Fence?
  /// One of these ends the HTML block that is open.
  private var htmlEnds: [Bytes] = []
  private var paragraph = Paragraph.none

  /// What `line`, without its newline, is; the lines come one after another.
  mutating func kind(of line: ArraySlice<UInt8>) -> Kind {
    var cursor = MarkdownCursor(line)
    guard let first = cursor.next else { return blankLine() }
    if let kind = kindOfCommonLine(cursor, first) { return kind }
    var matched = 0
    while matched < items.count, cursor.column >= items[matched] { matched += 1 }
    let isWithin = matched == items.count
    if isWithin, isInsideLeaf(cursor) { return .inside }
    if !isWithin { (fence, htmlEnds) = (nil, []) }
    // A heading and the like end a paragraph; text only goes on with it.
    let interrupts = paragraph == .open && isWithin
    if let kind = startOfBlock(&cursor, first, &matched, interrupts) { return kind }
    if paragraph == .quoted || (paragraph == .open && matched < items.count) { return .inside }
    items.removeLast(items.count - matched)
    paragraph = .open
    return items.isEmpty ? .plain(cursor.rest.trimmed) : .inside
  }

  /// What most lines are, found with less work: text at the top level, and lines of code.
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

  /// Whether the line belongs to the code or HTML that is open, and may be its last.
  private mutating func isInsideLeaf(_ cursor: MarkdownCursor) -> Bool {
    if let fence {
      let marks = cursor.rest.prefix { $0 == fence.mark }
      if cursor.column - (items.last ?? 0) < 4, marks.count >= fence.length,
        cursor.rest.dropFirst(marks.count).trimmed.isEmpty
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

  /// What the line is when it begins a block other than a paragraph, or goes on with indented code; nil
  /// when what is left of it is text. List items that begin on it are entered on the way.
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

  /// Ends the paragraph and all list items but the first `matched`.
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

/// A place in a line, and the column that it has when tabs stop at every fourth.
struct MarkdownCursor {
  /// What stands from the place on; it begins with no white space.
  private(set) var rest: ArraySlice<UInt8>
  /// How many columns stand before it.
  private(set) var column = 0

  init(_ line: ArraySlice<UInt8>) {
    rest = line
    skipSpace()
  }

  /// What stands at the place; nil at the end.
  var next: UInt8? { rest.first }

  private mutating func skipSpace() {
    var place = rest.startIndex
    while place < rest.endIndex, rest[place].isSpace {
      column += rest[place] == UInt8(ascii: "\t") ? 4 - column % 4 : 1
      place += 1
    }
    rest = rest[place...]
  }

  /// Goes past the mark of a list item, and returns the column at which its contents begin; nil when
  /// there is none. In the midst of a paragraph it counts only with contents, and with the number 1.
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
    let isEmpty = after.trimmed.isEmpty
    if interrupts,
      isEmpty || !(digits.isEmpty || (digits.count == 1 && digits.first == UInt8(ascii: "1")))
    {
      return nil
    }
    let markEnd = column + digits.count + 1
    column = markEnd
    rest = after
    skipSpace()
    // Five spaces or more: the first one ends the mark, the others begin indented code.
    return isEmpty || column - markEnd > 4 ? markEnd + 1 : column
  }
}
