import POSIX

/// Writes JSON piece by piece, with keys in the given order: RFC 8259.
public struct JSONWriter {
  /// The layout of the text.
  public enum Layout: Sendable {
    /// Everything on one line, with no space.
    case compact
    /// Each value on its own line, with two spaces per level.
    case indented
  }

  /// The text that has not been passed on yet.
  public private(set) var text = Bytes()
  private let layout: Layout
  private var level = 0
  private var isFirst = true
  private var followsKey = false

  /// Creates an empty writer.
  public init(_ layout: Layout) {
    self.layout = layout
  }

  /// Writes an object; `members` writes keys and values in turn.
  public mutating func object<Failure>(
    _ members: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    try nest(UInt8(ascii: "{"), members, UInt8(ascii: "}"))
  }

  /// Writes an array of the values that `elements` writes.
  public mutating func array<Failure>(
    _ elements: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    try nest(UInt8(ascii: "["), elements, UInt8(ascii: "]"))
  }

  /// Writes a key with an array of objects, one for each of `elements`.
  public mutating func objects<Elements: Sequence, Failure>(
    _ key: String, _ elements: Elements,
    _ members: (inout JSONWriter, Elements.Element) throws(Failure) -> Void
  ) throws(Failure) {
    self.key(key)
    try array { json throws(Failure) in
      for element in elements {
        try json.object { json throws(Failure) in try members(&json, element) }
      }
    }
  }

  /// Writes a key with an array of strings.
  public mutating func strings(_ key: String, _ strings: some Sequence<String>) {
    self.key(key)
    array { json in for string in strings { json.string(Bytes(string)) } }
  }

  /// Passes the text to `sink` if it is long, to limit memory.
  public mutating func pass<Failure>(
    to sink: (Bytes) throws(Failure) -> Void
  ) throws(Failure) {
    guard text.count >= 1 << 16 else { return }
    try sink(text)
    text.removeAll(keepingCapacity: true)
  }

  /// Writes the key of the next value.
  public mutating func key(_ key: String) {
    begin()
    writeString(Bytes(key))
    text.append(UInt8(ascii: ":"))
    if layout == .indented { text.append(UInt8(ascii: " ")) }
    followsKey = true
  }

  /// Writes a key with a string. Invalid UTF-8 becomes U+FFFD.
  public mutating func member(_ key: String, _ value: Bytes) {
    self.key(key)
    string(value)
  }

  /// Writes a key with a string.
  public mutating func member(_ key: String, _ value: String) {
    member(key, Bytes(value))
  }

  /// Writes a key with a Boolean.
  public mutating func member(_ key: String, _ value: Bool) {
    self.key(key)
    literal(value ? "true" : "false")
  }

  /// Writes a key with a number; null if it is nil or not finite.
  public mutating func member(_ key: String, _ value: Double?) {
    self.key(key)
    number(value)
  }

  /// Writes a key with a parsed value.
  public mutating func member(_ key: String, _ value: JSONValue) {
    self.key(key)
    self.value(value)
  }

  /// Writes a key with an integer.
  public mutating func member(_ key: String, _ value: Int) {
    self.key(key)
    number(value)
  }

  /// Writes an integer; null for nil.
  public mutating func number(_ value: Int?) {
    literal(value.map { String($0) } ?? "null")
  }

  /// Writes the shortest number that reads back the same; null if it is nil or not finite.
  public mutating func number(_ value: Double?) {
    literal(value.flatMap { $0.isFinite ? "\($0)" : nil } ?? "null")
  }

  /// Writes a parsed value.
  public mutating func value(_ value: JSONValue) {
    switch value {
    case .null: literal("null")
    case .bool(let truth): literal(truth ? "true" : "false")
    case .number(let digits): literal(digits)
    case .string(let text): string(Bytes(text))
    case .array(let elements):
      array { json in for element in elements { json.value(element) } }
    case .object(let members):
      object { json in for member in members { json.member(member.key, member.value) } }
    }
  }

  private mutating func literal(_ word: String) {
    begin()
    text.append(word)
  }

  /// Writes a string. Invalid UTF-8 becomes U+FFFD.
  public mutating func string(_ value: Bytes) {
    begin()
    writeString(value)
  }

  /// Ends the line, so another value can follow.
  public mutating func endLine() {
    text.append(.newline)
    isFirst = true
  }

  private mutating func nest<Failure>(
    _ opening: UInt8, _ contents: (inout JSONWriter) throws(Failure) -> Void, _ closing: UInt8
  ) throws(Failure) {
    begin()
    text.append(opening)
    level += 1
    isFirst = true
    try contents(&self)
    level -= 1
    if !isFirst { breakLine() }
    text.append(closing)
    isFirst = false
  }

  /// Writes the separator before the next value.
  private mutating func begin() {
    defer {
      followsKey = false
      isFirst = false
    }
    if followsKey { return }
    if !isFirst { text.append(UInt8(ascii: ",")) }
    if level > 0 { breakLine() }
  }

  private mutating func breakLine() {
    guard layout == .indented else { return }
    text.append(.newline)
    for _ in 0..<level {
      text.append(UInt8(ascii: " "))
      text.append(UInt8(ascii: " "))
    }
  }

  private mutating func writeString(_ value: Bytes) {
    text.append(UInt8(ascii: "\""))
    if value.allSatisfy({ $0 < 0x80 }) {
      for byte in value { write(byte) }
    } else {
      for scalar in String(decoding: value, as: UTF8.self).unicodeScalars { write(scalar) }
    }
    text.append(UInt8(ascii: "\""))
  }

  private mutating func write(_ scalar: Unicode.Scalar) {
    if scalar.isASCII {
      write(UInt8(scalar.value))
    } else if scalar.actsOnTerminal {
      text.append(scalar.value < 0x1000 ? "\\u0" : "\\u")
      if scalar.value < 0x100 { text.append(UInt8(ascii: "0")) }
      text.append(UInt64(scalar.value), base: 16)
    } else {
      text.append(contentsOf: UTF8.encode(scalar) ?? .init())
    }
  }

  /// Writes an ASCII character.
  private mutating func write(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): text.append("\\\"")
    case UInt8(ascii: "\\"): text.append("\\\\")
    case UInt8(ascii: "\n"): text.append("\\n")
    case UInt8(ascii: "\r"): text.append("\\r")
    case UInt8(ascii: "\t"): text.append("\\t")
    case 0..<0x20, 0x7F:
      text.append("\\u00")
      text.append(hexadecimal: byte)
    default: text.append(byte)
    }
  }
}
