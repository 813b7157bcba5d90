import POSIX

extension JSONValue {
  /// Checks that the text is one JSON value, without building it.
  ///
  /// Accepts the same texts as ``init(parsing:)``, with the same errors, in memory that does not
  /// grow with the text.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - body: Gets the key and the value of each member of an object, as they appear in the text.
  ///     An error can follow some of them.
  /// - Returns: Whether the value is an object.
  @discardableResult
  public static func check(
    _ text: ArraySlice<UInt8>,
    _ body: (_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Void = { _, _ in }
  ) throws(JSONError) -> Bool {
    var reader = JSONReader(text: text)
    let isObject = try reader.check(body)
    reader.skipSpace()
    if reader.next != nil { throw reader.error("expected nothing more after the value") }
    return isObject
  }

  /// Parses an object, but keeps only the members with these names; nil if the value is not an
  /// object. Arrays and objects among them become empty ones, so memory does not grow with the rest
  /// of the text.
  public init?(
    parsing text: ArraySlice<UInt8>, onlyMembers names: [String]
  ) throws(JSONError) {
    var members: [Member] = []
    members.reserveCapacity(names.count)
    let isObject = try Self.check(text) { key, value in
      let inside = key.dropFirst().dropLast()
      var name = names.first { inside.elementsEqual($0.utf8) }
      // None of the names is that long, even if each character is an escape.
      if name == nil, inside.count < 1_024, inside.contains(UInt8(ascii: "\\")) {
        let read = (try? JSONValue(parsing: key))?.string
        name = names.first { $0 == read }
      }
      guard let name else { return }
      let member: Member? =
        switch value.first {
        case UInt8(ascii: "{"): Member(name, .object([]))
        case UInt8(ascii: "["): Member(name, .array([]))
        default: (try? JSONValue(parsing: value)).map { Member(name, $0) }
        }
      members.removeAll { $0.key == name }
      if let member { members.append(member) }
    }
    guard isObject else { return nil }
    self = .object(members)
  }
}

extension JSONReader {
  /// Checks one value. Nesting takes one element per level, not the stack.
  fileprivate mutating func check(
    _ member: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Void
  ) throws(JSONError) -> Bool {
    skipSpace()
    let isObject = next == UInt8(ascii: "{")
    // For each level, whether it is an object.
    var levels: [Bool] = []
    var key = 0..<0
    var start = 0
    while true {
      skipSpace()
      guard levels.count <= JSONValue.deepestNesting else {
        throw error("nested deeper than \(JSONValue.deepestNesting) levels")
      }
      guard let first = next else { throw error("expected a value, found the end") }
      if levels.count == 1 { start = position }
      switch first {
      case UInt8(ascii: "{"):
        position += 1
        skipSpace()
        if !take("}") {
          let inner = try checkKey()
          if levels.isEmpty { key = inner }
          levels.append(true)
          continue
        }
      case UInt8(ascii: "["):
        position += 1
        skipSpace()
        if !take("]") {
          levels.append(false)
          continue
        }
      case UInt8(ascii: "\""): try checkString()
      case UInt8(ascii: "t"): try skip("true")
      case UInt8(ascii: "f"): try skip("false")
      case UInt8(ascii: "n"): try skip("null")
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
      default: throw error("expected a value")
      }
      // A value ends here, and so do the levels that close after it.
      while let isInObject = levels.last {
        if levels.count == 1, isObject { member(text[key], text[start..<position]) }
        skipSpace()
        if take(isInObject ? "}" : "]") {
          levels.removeLast()
          continue
        }
        guard take(",") else {
          throw error(
            "expected ',' or '\(isInObject ? "}" : "]")' in an \(isInObject ? "object" : "array")")
        }
        if isInObject {
          let next = try checkKey()
          if levels.count == 1 { key = next }
        }
        break
      }
      if levels.isEmpty { return isObject }
    }
  }

  /// Checks a key and its colon, and returns the range of the key.
  private mutating func checkKey() throws(JSONError) -> Range<Int> {
    skipSpace()
    guard next == UInt8(ascii: "\"") else { throw error("expected a key in double quotes") }
    let start = position
    try checkString()
    let end = position
    skipSpace()
    guard take(":") else { throw error("expected ':' after a key") }
    return start..<end
  }

  private mutating func checkString() throws(JSONError) {
    let opening = position
    position += 1
    var character = Bytes()
    var isUTF8 = true
    while true {
      let start = position
      // An escape is a whole character, so the text on either side must be complete too.
      if skipCharacters() >= 0x80, isUTF8 { isUTF8 = self.isUTF8(start..<position) }
      guard next == UInt8(ascii: "\\") else { break }
      character.removeAll(keepingCapacity: true)
      try escape(into: &character)
    }
    try closeString(opening)
    if !isUTF8 { throw error("a string that is not UTF-8", at: opening) }
  }

  /// Whether this range is UTF-8, checked piece by piece.
  private func isUTF8(_ range: Range<Int>) -> Bool {
    var start = range.lowerBound
    while start < range.upperBound {
      var end = min(start + 4_096, range.upperBound)
      if end < range.upperBound {
        // Never splits a character, which has at most three bytes after the first.
        for _ in 0..<3 where text[end] & 0xC0 == 0x80 { end -= 1 }
      }
      if String(validating: text[start..<end], as: UTF8.self) == nil { return false }
      start = end
    }
    return true
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Moves `place` over the JSON string there and returns the range of its contents; nil unless it
  /// is printable ASCII without escapes.
  @inlinable @inline(__always)
  public func plainJSONString(at place: inout Int) -> Range<Int>? {
    guard place < count, self[place] == UInt8(ascii: "\"") else { return nil }
    let begin = place &+ 1
    var end = begin
    while end < count {
      let byte = self[end]
      if byte == UInt8(ascii: "\"") {
        place = end &+ 1
        return begin..<end
      }
      if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\\") { return nil }
      end &+= 1
    }
    return nil
  }
}
