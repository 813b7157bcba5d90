import JSON
import POSIX

/// Reads entries of metrics, each a JSON object on a line of its own.
///
/// Most entries are flat objects in ASCII without escapes. ``scanFlat(_:from:)`` reads those in one
/// pass, without building JSON values. ``scan(line:)`` reads any other line as JSON. Both accept
/// the same lines and find the same values.
struct MetricsScanner {
  /// The kind of value that an entry has for a key.
  enum Kind: UInt8 {
    case missing, null, number, other
  }

  /// The value that an entry has for a key.
  struct Place {
    var kind = Kind.missing
    var number: Double = 0
    /// The place of its text (of a number, of its spelling) in the line, or in ``unescaped``.
    var text = 0..<0
  }

  /// All keys so far, as UTF-8. Their indices identify them.
  private(set) var keys: [Bytes]
  /// The values of the last entry, indexed by key.
  private(set) var places: [Place]
  /// The keys of the last entry, in its order.
  private(set) var present: [Int] = []
  /// The texts of the last entry for the keys that ``init(_:)`` named, if its line spells them with
  /// escapes or white space; otherwise empty.
  private(set) var unescaped = Bytes()
  /// How many keys were skipped because of ``mostKeys`` or ``longestKey``.
  private(set) var skippedKeys = 0

  private var order: [Int] = []
  private var indices: [Bytes: Int] = [:]

  /// How many keys ``init(_:)`` named; of others, only numbers count.
  private let askedKeys: Int

  /// The largest number of keys; the scanner skips all others.
  static let mostKeys = 1_024
  /// The longest key, in bytes; the scanner skips longer ones.
  static let longestKey = 4_096
  /// The longest text to compare: no argument of a command is as long, in JSON.
  private static let longestText = 1 << 20
  /// The longest array or object to compare: parsed, they take many times their length.
  private static let longestNesting = 1 << 16

  /// A scanner that gives these keys the indices from 0 on.
  init(_ keys: [Bytes]) {
    self.keys = keys
    askedKeys = keys.count
    places = Array(repeating: Place(), count: keys.count)
    for (index, key) in keys.enumerated() { indices[key] = index }
  }

  /// Reads the entry at `start` and returns the start of the next line; nil if the entry is not
  /// flat, so that ``scan(line:)`` has to read it.
  mutating func scanFlat(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    clear()
    var at = start
    let end = text.count
    func skipBlanks() {
      while at < end, text[at] == 0x20 || text[at] == 0x09 { at &+= 1 }
    }
    skipBlanks()
    guard at < end, text[at] == UInt8(ascii: "{") else { return nil }
    at &+= 1
    skipBlanks()
    var isFirst = true
    while at < end {
      if text[at] == UInt8(ascii: "}"), isFirst { break }
      guard let key = text.plainJSONString(at: &at) else { return nil }
      skipBlanks()
      guard at < end, text[at] == UInt8(ascii: ":") else { return nil }
      at &+= 1
      skipBlanks()
      guard at < end else { return nil }
      var place = Place(kind: .other, number: 0, text: at..<at)
      switch text[at] {
      case UInt8(ascii: "\""):
        guard let string = text.plainJSONString(at: &at) else { return nil }
        place.text = string
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        let begin = at
        guard let number = Self.number(text, &at) else { return nil }
        place = Place(kind: number.isFinite ? .number : .other, number: number, text: begin..<at)
      case UInt8(ascii: "t"):
        guard Self.word("true", text, &at) else { return nil }
        place.text = (at - 4)..<at
      case UInt8(ascii: "f"):
        guard Self.word("false", text, &at) else { return nil }
        place.text = (at - 5)..<at
      case UInt8(ascii: "n"):
        guard Self.word("null", text, &at) else { return nil }
        place = Place(kind: .null, number: 0, text: (at - 4)..<at)
      default: return nil
      }
      set(place, forKeyAt: key, in: text)
      skipBlanks()
      guard at < end else { return nil }
      if text[at] == UInt8(ascii: "}") { break }
      guard text[at] == UInt8(ascii: ",") else { return nil }
      at &+= 1
      skipBlanks()
      isFirst = false
    }
    guard at < end else { return nil }
    at &+= 1
    skipBlanks()
    if at < end, text[at] == 0x0D { at &+= 1 }
    return at < end && text[at] == .newline ? at &+ 1 : nil
  }

  /// Reads the entry in a line; false if the line is not a JSON object.
  mutating func scan(line: ArraySlice<UInt8>) -> Bool {
    clear()
    // Check first: a line that is not an entry must not add keys.
    guard let isObject = try? JSONValue.check(line), isObject else { return false }
    _ = try? JSONValue.check(line) { key, value in take(key, value) }
    return true
  }

  /// Sets the value of a member; key and value are JSON.
  private mutating func take(_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
    guard key.count <= Self.longestText, let name = (try? JSONValue(parsing: key))?.string else {
      skippedKeys += 1
      return
    }
    guard let index = number(of: Bytes(name)) else { return }
    var place = Place(kind: .other)
    switch value.first ?? 0 {
    case UInt8(ascii: "n"): place.kind = .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      if let number = Double(String(decoding: value, as: UTF8.self)), number.isFinite {
        (place.kind, place.number) = (.number, number)
      }
    default: break
    }
    if index < askedKeys {
      let start = unescaped.count
      unescaped += text(of: value)
      place.text = start..<unescaped.count
    }
    set(place, at: index)
  }

  /// The text of a value for comparisons: the contents of a string, or compact JSON. Of a value too
  /// long to parse, its beginning.
  private func text(of value: ArraySlice<UInt8>) -> Bytes {
    let isString = value.first == UInt8(ascii: "\"")
    if value.count > (isString ? Self.longestText : Self.longestNesting) {
      return Bytes(value.prefix(Self.longestText))
    }
    guard let value = try? JSONValue(parsing: value) else { return [] }
    if let string = value.string { return Bytes(string) }
    var json = JSONWriter(.compact)
    json.value(value)
    return json.text
  }

  private mutating func clear() {
    for index in present { places[index].kind = .missing }
    present.removeAll(keepingCapacity: true)
    if !unescaped.isEmpty { unescaped.removeAll(keepingCapacity: true) }
  }

  private mutating func set(_ place: Place, at index: Int) {
    // If an object has a key twice, the last value counts.
    if places[index].kind == .missing { present.append(index) }
    places[index] = place
  }

  /// Sets the value for a key in `text`. Most entries have the same keys in the same order, so the
  /// key that came at this position last time is tried first.
  private mutating func set(
    _ place: Place, forKeyAt range: Range<Int>, in text: UnsafeBufferPointer<UInt8>
  ) {
    let position = present.count
    if position < order.count {
      let expected = order[position]
      if isKey(expected, text, range) { return set(place, at: expected) }
    }
    guard let index = number(of: Bytes(text[range])) else { return }
    if position < order.count { order[position] = index } else { order.append(index) }
    set(place, at: index)
  }

  private func isKey(
    _ index: Int, _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) -> Bool {
    keys[index].withUnsafeBufferPointer { key in
      guard key.count == range.count else { return false }
      for offset in 0..<key.count where key[offset] != text[range.lowerBound &+ offset] {
        return false
      }
      return true
    }
  }

  /// The index of a key, a new one if necessary; nil if there are too many.
  mutating func number(of key: Bytes) -> Int? {
    if let index = indices[key] { return index }
    guard keys.count < Self.mostKeys, key.count <= Self.longestKey else {
      skippedKeys += 1
      return nil
    }
    indices[key] = keys.count
    keys.append(key)
    places.append(Place())
    return keys.count - 1
  }

  // MARK: Tokens

  private static func word(
    _ word: StaticString, _ text: UnsafeBufferPointer<UInt8>, _ at: inout Int
  ) -> Bool {
    let count = word.utf8CodeUnitCount
    guard at + count <= text.count else { return false }
    for offset in 0..<count where text[at + offset] != word.utf8Start[offset] { return false }
    at += count
    return true
  }

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17,
    1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  /// The value of a number in the syntax of RFC 8259; nil for anything else.
  @inline(__always)
  private static func number(
    _ text: UnsafeBufferPointer<UInt8>, _ at: inout Int
  ) -> Double? {
    let begin = at
    var place = at
    let isNegative = text[place] == UInt8(ascii: "-")
    if isNegative { place &+= 1 }
    var mantissa: UInt64 = 0
    var digits = 0
    func digit() -> UInt8? {
      guard place < text.count, case let digit = text[place] &- UInt8(ascii: "0"), digit <= 9 else {
        return nil
      }
      return digit
    }
    guard let first = digit() else { return nil }
    while let next = digit() {
      // 18 digits cannot overflow; Double parses longer numbers.
      if digits < 18 { mantissa = mantissa &* 10 &+ UInt64(next) }
      digits &+= 1
      place &+= 1
      if first == 0 { break }
    }
    if first == 0, digit() != nil { return nil }
    var exponent = 0
    if place < text.count, text[place] == UInt8(ascii: ".") {
      place &+= 1
      guard digit() != nil else { return nil }
      while let next = digit() {
        if digits < 18 {
          mantissa = mantissa &* 10 &+ UInt64(next)
          exponent &-= 1
        }
        digits &+= 1
        place &+= 1
      }
    }
    var isPlain = digits <= 18
    if place < text.count, text[place] | 0x20 == UInt8(ascii: "e") {
      isPlain = false
      place &+= 1
      if place < text.count, text[place] == UInt8(ascii: "+") || text[place] == UInt8(ascii: "-") {
        place &+= 1
      }
      guard digit() != nil else { return nil }
      while digit() != nil { place &+= 1 }
    }
    at = place
    // Within these bounds both operands are exact, so the quotient is rounded only once (W. D.
    // Clinger, "How to read floating point numbers accurately", 1990).
    if isPlain, mantissa <= 1 << 53, exponent >= -22 {
      let value = Double(mantissa) / powersOfTen[-exponent]
      return isNegative ? -value : value
    }
    return Double(String(decoding: text[begin..<place], as: UTF8.self))
  }
}
