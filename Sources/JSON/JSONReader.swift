import POSIX

/// Why a text is not JSON, and where.
public struct JSONError: Error, Hashable, Sendable {
  /// The offset of the error, in bytes.
  public let offset: Int
  /// The message, such as `expected ':' after a key`.
  public let message: String

  /// Creates an error at `offset`.
  public init(offset: Int, message: String) {
    self.offset = offset
    self.message = message
  }
}

extension JSONValue {
  /// How deep arrays and objects may be nested.
  public static let deepestNesting = 512

  /// Parses one value, surrounded by nothing but white space: RFC 8259, strictly. The text must be
  /// UTF-8; a byte order mark at its beginning is ignored.
  public init(parsing text: Bytes) throws(JSONError) {
    try self.init(parsing: text[...])
  }

  /// Parses one value from a part of a text. Offsets of errors count from the beginning of that
  /// part.
  public init(parsing text: ArraySlice<UInt8>) throws(JSONError) {
    var reader = JSONReader(text: text)
    self = try reader.value(depth: 0)
    reader.skipSpace()
    if reader.next != nil { throw reader.error("expected nothing more after the value") }
  }
}

/// A recursive descent parser. Everything before `position` has been read.
struct JSONReader {
  let text: ArraySlice<UInt8>
  var position: Int

  init(text: ArraySlice<UInt8>) {
    self.text = text
    position = text.withoutByteOrderMark.startIndex
  }

  var next: UInt8? { position < text.endIndex ? text[position] : nil }

  func error(_ message: String, at place: Int? = nil) -> JSONError {
    JSONError(offset: (place ?? position) - text.startIndex, message: message)
  }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    skipSpace()
    guard depth <= JSONValue.deepestNesting else {
      throw error("nested deeper than \(JSONValue.deepestNesting) levels")
    }
    guard let first = next else { throw error("expected a value, found the end") }
    switch first {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw error("expected a value")
    }
  }

  private mutating func literal(
    _ word: String, _ value: JSONValue
  ) throws(JSONError) -> JSONValue {
    try skip(word)
    return value
  }

  mutating func skip(_ word: String) throws(JSONError) {
    guard text[position...].starts(with: word.utf8) else { throw error("expected '\(word)'") }
    position += word.utf8.count
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    position += 1
    var members: [JSONValue.Member] = []
    skipSpace()
    if take("}") { return .object(members) }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw error("expected a key in double quotes") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw error("expected ':' after a key") }
      members.append(JSONValue.Member(key, try value(depth: depth + 1)))
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw error("expected ',' or '}' in an object") }
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take("]") { return .array(elements) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return .array(elements) }
      guard take(",") else { throw error("expected ',' or ']' in an array") }
    }
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    try skipNumber()
    return .number(String(decoding: text[start..<position], as: UTF8.self))
  }

  mutating func skipNumber() throws(JSONError) {
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
  }

  private mutating func digits() throws(JSONError) {
    guard let first = next, first &- UInt8(ascii: "0") <= 9 else {
      throw error("expected a digit")
    }
    while let byte = next, byte &- UInt8(ascii: "0") <= 9 { position += 1 }
  }

  private mutating func string() throws(JSONError) -> String {
    let opening = position
    position += 1
    var bits = skipCharacters()
    // Most strings have no escapes, so they are read straight from the text.
    var string = text[(opening + 1)..<position]
    if next != UInt8(ascii: "\"") {
      var bytes = Bytes(string)
      while next == UInt8(ascii: "\\") {
        try escape(into: &bytes)
        let start = position
        bits |= skipCharacters()
        bytes += text[start..<position]
      }
      string = bytes[...]
    }
    try closeString(opening)
    // An escape above ASCII is valid by itself, so only the text needs a check.
    if bits < 0x80 { return String(decoding: string, as: UTF8.self) }
    guard let string = String(validating: string, as: UTF8.self) else {
      throw error("a string that is not UTF-8", at: opening)
    }
    return string
  }

  /// Skips the characters of a string up to its end or an escape, and returns all their bits: below
  /// 0x80, they are ASCII.
  @inline(__always)
  mutating func skipCharacters() -> UInt8 {
    var bits: UInt8 = 0
    let (start, first) = (text.startIndex, position)
    position = text.withUnsafeBufferPointer { text in
      var place = first &- start
      while place < text.count {
        let byte = text[place]
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
        bits |= byte
        place &+= 1
      }
      return start &+ place
    }
    return bits
  }

  /// Skips the closing quote of the string that begins at `opening`.
  @inline(__always)
  mutating func closeString(_ opening: Int) throws(JSONError) {
    if take("\"") { return }
    if next == nil { throw error("a string without its closing quote", at: opening) }
    throw error("a control character in a string")
  }

  mutating func escape(into bytes: inout Bytes) throws(JSONError) {
    let start = position
    position += 1
    guard let letter = next else { throw error("expected a character after '\\'") }
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(letter)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if code & 0xFC00 == 0xD800, take("\\") {
        guard take("u") else { throw error("half of a surrogate pair", at: start) }
        let low = try hexadecimal()
        guard low & 0xFC00 == 0xDC00 else { throw error("half of a surrogate pair", at: start) }
        code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
      }
      guard let scalar = Unicode.Scalar(code) else {
        throw error("half of a surrogate pair", at: start)
      }
      bytes.append(contentsOf: UTF8.encode(scalar) ?? .init())
    default: throw error("unknown escape in a string", at: start)
    }
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      let digit: UInt8
      switch next ?? 0 {
      case let byte where byte &- UInt8(ascii: "0") <= 9: digit = byte - UInt8(ascii: "0")
      case let byte where (byte | 0x20) &- UInt8(ascii: "a") <= 5:
        digit = (byte | 0x20) - UInt8(ascii: "a") + 10
      default: throw error("expected four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }
}
