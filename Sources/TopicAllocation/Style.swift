import POSIX

/// How the entries of a root are numbered and named: `042_oauth_20` in the style ``topic``.
///
/// An entry of a root counts if its name begins with ``width`` to 7 digits and the separator, whatever
/// kind of file it is and whatever follows. Eight digits and more are dates.
public struct Style: Hashable, Sendable {
  /// The least number of digits, 1 to 7; smaller numbers are padded with zeros.
  public var width: Int
  /// The character between number and name: printable ASCII, no letter, no digit, no `/`.
  public var separator: UInt8
  /// The number that the first entry of an empty root gets.
  public var start: Int
  /// What follows the name, such as `.md`. If it is empty, entries are directories, otherwise files.
  public var suffix: Bytes
  /// The rule that makes a name from free text.
  public var slugRule: Slug.Rule

  /// The highest number; with one more digit, it would be a date.
  public static let highestNumber = 9_999_999
  /// The widths that numbers can be padded to.
  public static let widthRange = 1...7

  /// `042_oauth_20`, a directory: the convention of the bash libraries in use.
  public static var topic: Style {
    Style(
      width: 3, separator: UInt8(ascii: "_"), start: 1, suffix: [], slugRule: .underscores)
  }
  /// `042-oauth-2-0`, a directory: the convention of spec-kit's feature directories.
  public static var specKit: Style {
    Style(
      width: 3, separator: UInt8(ascii: "-"), start: 1, suffix: [], slugRule: .dashes)
  }
  /// `0042-oauth-2-0.md`, an empty file: the convention of architecture decision records.
  public static var adr: Style {
    Style(
      width: 4, separator: UInt8(ascii: "-"), start: 1, suffix: Bytes(".md"), slugRule: .dashes)
  }

  /// Whether entries are files, as in ``adr``, not directories.
  public var makesFiles: Bool { !suffix.isEmpty }

  /// `number` in decimal, padded to the width: `042`.
  public func digits(_ number: Int) -> Bytes {
    var digits = Bytes()
    digits.append(UInt64(number), width: width)
    return digits
  }

  /// The name of the entry with this number and slug: `042_oauth_20`.
  public func entryName(_ number: Int, _ slug: Slug) -> Bytes {
    digits(number) + [separator] + slug.bytes + suffix
  }

  /// The number of the entry of this name; nil if it has none.
  public func number(of entry: Bytes) -> Int? {
    entry.withUnsafeBufferPointer { number(of: $0) }
  }

  /// The number of the entry of this name; nil if it has none.
  public func number(of entry: UnsafeBufferPointer<UInt8>) -> Int? {
    numberPrefix(of: entry)?.value
  }

  /// Everything that ``numberPrefix(of:)`` depends on: it decides which entries have which numbers.
  var numberKey: Bytes { [UInt8(ascii: "0") + UInt8(width), separator] }

  /// How many digits `entry` begins with, and their value; nil if it has no number.
  func numberPrefix(
    of entry: UnsafeBufferPointer<UInt8>
  ) -> (digitCount: Int, value: Int)? {
    var value = 0
    var count = 0
    while count < entry.count, case let digit = entry[count] &- UInt8(ascii: "0"), digit <= 9 {
      count += 1
      if count > Self.widthRange.upperBound { return nil }
      value = value * 10 + Int(digit)
    }
    guard count >= width, count < entry.count, entry[count] == separator else { return nil }
    return (count, value)
  }
}
