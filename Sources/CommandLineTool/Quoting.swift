import POSIX

extension Bytes {
  /// In single quotes for a message: control characters and marks that turn the direction of
  /// writing around are escaped, so that no name can act on the terminal; bytes that are not UTF-8
  /// come out as U+FFFD, and what is longer than any path is cut.
  public var quotedForMessage: String {
    let longest = 4_096
    var text = "'"
    for scalar in String(decoding: prefix(longest), as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\\": text += "\\\\"
      case "'": text += "\\'"
      case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value):
        text += "\\u{\(String(scalar.value, radix: 16))}"
      case "\u{61C}", "\u{200E}", "\u{200F}", "\u{2028}"..."\u{202E}", "\u{2066}"..."\u{2069}":
        text += "\\u{\(String(scalar.value, radix: 16))}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + (count > longest ? "…'" : "'")
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

extension String {
  /// As text, or the value of an attribute, of an HTML page.
  public var escapedForHTML: String {
    var result = ""
    for character in unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}

extension Bytes {
  /// As it is when it can stand in a line of a table, else escaped.
  public var printable: String {
    let escaped = quotedForMessage.dropFirst().dropLast()
    return String(escaped)
  }
}
