import POSIX

extension Bytes {
  /// In single quotes for a message, as ``printable``; what is longer than any path is cut.
  public var quotedForMessage: String {
    let longest = 4_096
    return "'" + Bytes(prefix(longest)).printable + (count > longest ? "…'" : "'")
  }

  /// On one line, with everything escaped that a terminal acts on. Quotes and backslashes stay as they
  /// are; bytes that are not UTF-8 come out as U+FFFD.
  public var printable: String {
    String(decoding: self, as: UTF8.self).unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case _ where scalar.actsOnTerminal: text += "\\u{\(String(scalar.value, radix: 16))}"
      default: text.unicodeScalars.append(scalar)
      }
    }
  }

  /// As it is written to `stream`: on a terminal everything is escaped that a terminal acts on, except
  /// newlines and tabs; elsewhere nothing. JSON stays the same JSON.
  public func text(for stream: StandardStream, isJSON: Bool = false) -> Bytes {
    if !stream.isTerminal { return self }
    let text = String(decoding: self, as: UTF8.self).unicodeScalars
    return text.reduce(into: Bytes()) { escaped, scalar in
      switch scalar {
      case "\n", "\t": escaped.append(UInt8(scalar.value))
      // Within JSON, it can stand between tokens only.
      case "\r" where isJSON: escaped.append(UInt8(ascii: " "))
      case _ where scalar.actsOnTerminal:
        let digits = String(scalar.value, radix: 16)
        escaped.append(
          isJSON
            ? "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            : "\\u{\(digits)}")
      default: escaped.append(contentsOf: UTF8.encode(scalar) ?? .init())
      }
    }
  }

  /// As one word of a command for the user to type; nil if it cannot be shown that way.
  public var wordForHint: String? {
    guard let text = String(validating: self, as: UTF8.self),
      !text.unicodeScalars.contains(where: \.actsOnTerminal), first != UInt8(ascii: "-")
    else { return nil }
    return String(decoding: quotedForShell, as: UTF8.self)
  }

  /// As one word for a POSIX shell, in single quotes unless every character is safe without.
  public var quotedForShell: Bytes {
    let isSafe =
      !isEmpty
      && allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: Bytes("_-./,:+@%").contains(byte)
        }
      }
    if isSafe { return self }
    let quote = UInt8(ascii: "'")
    return [quote] + flatMap { $0 == quote ? Bytes("'\\''") : [$0] } + [quote]
  }
}
