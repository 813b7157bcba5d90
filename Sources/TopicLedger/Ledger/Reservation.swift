import Git
import POSIX
import TopicAllocation

/// One reservation, stored as a commit of a ledger.
///
/// The message says which numbers were reserved, by which process and where, and up to which number
/// all are taken. The tree is empty; author and date are those of the commit.
///
///     042 oauth_20
///
///     Entry: 042_oauth_20
///     Highest: 42
///     Root: specs
///     Work-Tree: /home/me/project
///     Host: workshop
///     Process: 4711
///     Nonce: 9f86d081884c7d659a2feaa0c55ad015
///
/// Without the nonce, two clients that reserve the same number in the same second would make the
/// same commit, and both pushes would succeed.
struct Reservation {
  /// The names of the entries, in the order of their numbers.
  let entries: [Bytes]
  /// The highest number in use after this reservation.
  let highest: Int

  /// Returns the message of the commit for this reservation in `repository`.
  func message(in repository: Repository) -> Bytes {
    var message = Self.escaped(entries.first ?? [])
    if entries.count > 1 { message.append(" and \(entries.count - 1) more") }
    message.append("\n\n")
    for entry in entries { message += Bytes("Entry: ") + Self.escaped(entry) + [.newline] }
    message.append("Highest: ")
    message.append(UInt64(highest))
    for (key, value) in [
      ("Root", repository.relativePath), ("Work-Tree", repository.workTree.bytes),
      ("Host", System.host), ("Process", Bytes(String(System.process))),
      ("Nonce", Bytes(randomHexadecimalDigits: 32)),
    ] {
      message += Bytes("\n\(key): ") + Self.escaped(value)
    }
    return message + [.newline]
  }

  /// Returns the highest number in a commit message; nil if the commit is not a reservation.
  static func highest(inMessage message: Bytes) -> Int? {
    let key = Bytes("Highest: ")
    for line in message.split(separator: .newline) where line.starts(with: key) {
      guard let number = Int(String(decoding: line.dropFirst(key.count), as: UTF8.self)),
        (0...Style.highestNumber).contains(number)
      else { return nil }
      return number
    }
    return nil
  }

  /// Returns the entries that the commit with this message reserves.
  static func entries(inMessage message: Bytes) -> [Bytes] {
    let key = Bytes("Entry: ")
    return message.split(separator: .newline).filter { $0.starts(with: key) }
      .map { Bytes($0.dropFirst(key.count)) }
  }

  /// Returns the number at the beginning of an entry, in any style; nil if there is none.
  static func number(of entry: Bytes) -> Int? {
    Int(String(decoding: entry.prefix { $0 &- UInt8(ascii: "0") <= 9 }, as: UTF8.self))
  }

  /// Escapes `bytes` for one line: control characters and the percent sign become `%` and two
  /// digits.
  private static func escaped(_ bytes: Bytes) -> Bytes {
    bytes.reduce(into: Bytes()) { text, byte in
      if byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "%") {
        text.append(UInt8(ascii: "%"))
        text.append(hexadecimal: byte)
      } else {
        text.append(byte)
      }
    }
  }
}
