import JSON
import POSIX

/// The number that an allocator reports.
struct Answer: Hashable {
  let number: Int
  /// The entry of the root, if the answer names it.
  let entry: Bytes?
}

extension Answer {
  /// Reads the output of an allocator: a number, a path, `number|path`, or a JSON object with a
  /// number or a path. If it is not JSON, the last line counts. Nil if it has no number.
  init?(parsing output: Bytes, root: Path) {
    let text = output.trimmed
    if text.first == UInt8(ascii: "{") {
      self.init(json: text, root: root)
      return
    }
    guard let line = text.split(separator: .newline).last else { return nil }
    let parts = line.split(separator: UInt8(ascii: "|"), maxSplits: 1).map(Bytes.init)
    if parts.count == 2, let number = Self.number(parts[0].trimmed) {
      self.init(number: number, entry: Self.entry(of: parts[1].trimmed, root))
    } else {
      self.init(word: Bytes(line).trimmed, root: root)
    }
  }

  /// A number or a path.
  private init?(word: Bytes, root: Path) {
    if let number = Self.number(word) {
      self.init(number: number, entry: nil)
    } else if let entry = Self.entry(of: word, root),
      let number = Entry.number(of: Path(entry).lastComponent)
    {
      self.init(number: number, entry: entry)
    } else {
      return nil
    }
  }

  private init?(json text: Bytes, root: Path) {
    guard let members = (try? JSONValue(parsing: text))?.members else { return nil }
    let words = members.compactMap { member -> (key: String, word: Bytes)? in
      switch member.value {
      case .string(let text): (member.key.lowercased(), Bytes(text))
      case .number(let digits): (member.key.lowercased(), Bytes(digits))
      default: nil
      }
    }
    let number = words.first { $0.key.contains("num") }.flatMap { Self.number($0.word) }
    let slash = UInt8(ascii: "/")
    // Other paths, such as the one of the project, do not count.
    let entry = words.lazy.filter {
      $0.word.starts(with: root.bytes + [slash])
        || ($0.word.contains(slash) && $0.word.first != slash)
    }.compactMap { Self.entry(of: $0.word, root) }.first
    if let number {
      self.init(number: number, entry: entry)
    } else if let entry, let number = Entry.number(of: entry) {
      self.init(number: number, entry: entry)
    } else {
      return nil
    }
  }

  /// Digits and nothing else, at most seven.
  private static func number(_ word: Bytes) -> Int? {
    guard (1...7).contains(word.count), word.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }) else {
      return nil
    }
    return Int(String(decoding: word, as: UTF8.self))
  }

  /// The entry of the root that a path leads to or through. Of a relative path, the last component
  /// that begins with a number.
  private static func entry(of path: Bytes, _ root: Path) -> Bytes? {
    let slash = UInt8(ascii: "/")
    if path.starts(with: root.bytes + [slash]) {
      return path.dropFirst(root.bytes.count + 1).split(separator: slash).first.map(Bytes.init)
    }
    // A path elsewhere is kept whole, and so is missing from the root.
    if path.first == slash {
      return Entry.number(of: Path(path).lastComponent) == nil ? nil : path
    }
    // Without a slash, it is a name, or a sentence.
    if !path.contains(slash), path.contains(UInt8(ascii: " ")) { return nil }
    return path.split(separator: slash).last { Entry.number(of: Bytes($0)) != nil }.map(Bytes.init)
  }
}

/// The names of entries in a root.
enum Entry {
  /// The value of the one to seven digits at the start; nil if there are none or more.
  static func number(of name: Bytes) -> Int? {
    let digits = name.prefix { $0 &- UInt8(ascii: "0") <= 9 }
    guard (1...7).contains(digits.count) else { return nil }
    return Int(String(decoding: digits, as: UTF8.self))
  }

  /// What follows the number and the separator, up to a dot: `i1p2` for `003_i1p2.md`.
  static func callName(of name: Bytes) -> String {
    let rest = name.drop { $0 &- UInt8(ascii: "0") <= 9 }.dropFirst()
    return String(decoding: rest.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self)
  }
}

extension Bytes {
  /// Without white space at both ends.
  fileprivate var trimmed: Bytes {
    let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
    var slice = drop(while: isSpace)
    while let last = slice.last, isSpace(last) { slice.removeLast() }
    return Bytes(slice)
  }
}
