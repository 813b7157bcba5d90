import POSIX

/// The name part of a topic, made from free text: `oauth_20` from `OAuth 2.0`.
///
/// It has 1 to 50 characters of `a-z`, `0-9` and the word separator of its rule, which stands at neither
/// end and never twice in a row. So it has no `/`, no `.`, no leading `-` and no control character: a slug
/// cannot leave its root.
public struct Slug: Hashable, Sendable {
  /// The characters, all ASCII.
  public let bytes: Bytes

  /// The length of the longest slug.
  public static let longest = 50

  /// What becomes of the characters that a slug cannot hold.
  public enum Rule: Sendable {
    /// White space becomes `_`, everything else is dropped: `real-time log` → `realtime_log`.
    case underscores
    /// Every run of other characters becomes `-`: `real-time log` → `real-time-log`.
    case dashes

    var separator: UInt8 {
      switch self {
      case .underscores: UInt8(ascii: "_")
      case .dashes: UInt8(ascii: "-")
      }
    }
  }

  /// The slug of `text`, which need not be UTF-8; nil if nothing is left of it.
  public init?(_ text: Bytes, _ rule: Rule) {
    var builder = SlugBuilder(rule)
    builder.append(text[...])
    guard let slug = builder.finish() else { return nil }
    self = slug
  }

  init(exactly bytes: Bytes) {
    self.bytes = bytes
  }
}

/// Makes a slug from text that arrives in pieces, in constant memory.
public struct SlugBuilder {
  private let rule: Slug.Rule
  private var slug = Bytes()
  private var separatorIsDue = false
  private var decoder = UTF8Decoder()

  /// A builder without text.
  public init(_ rule: Slug.Rule) {
    self.rule = rule
    slug.reserveCapacity(Slug.longest)
  }

  /// Adds the next piece of the text. A character may be split between two pieces.
  public mutating func append(_ piece: ArraySlice<UInt8>) {
    for byte in piece {
      if slug.count == Slug.longest { return }
      if decoder.isCutShort(by: byte) { append(.invalid) }
      if let element = decoder.next(byte) { append(element) }
    }
  }

  /// The slug of the whole text; nil if nothing is left of it.
  public consuming func finish() -> Slug? {
    if slug.last == rule.separator { slug.removeLast() }
    return slug.isEmpty ? nil : Slug(exactly: slug)
  }

  private mutating func append(_ element: UTF8Decoder.Element) {
    guard case .scalar(let scalar) = element else {
      separatorIsDue = separatorIsDue || rule == .dashes
      return
    }
    if scalar < 0x80 {
      appendASCII(UInt8(scalar))
    } else if let base = LatinFolding.asciiBase(of: scalar) {
      for letter in base { appendLetter(letter) }
    } else if LatinFolding.isInvisible(scalar) {
      return
    } else if rule == .dashes || LatinFolding.isWhiteSpace(scalar) {
      separatorIsDue = true
    }
  }

  private mutating func appendASCII(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      appendLetter(byte)
    case UInt8(ascii: "A")...UInt8(ascii: "Z"):
      appendLetter(byte | 0x20)
    case UInt8(ascii: " "), 0x09...0x0D, UInt8(ascii: "_"):
      separatorIsDue = true
    default:
      separatorIsDue = separatorIsDue || rule == .dashes
    }
  }

  private mutating func appendLetter(_ letter: UInt8) {
    if separatorIsDue, !slug.isEmpty, slug.count < Slug.longest { slug.append(rule.separator) }
    separatorIsDue = false
    if slug.count < Slug.longest { slug.append(letter) }
  }
}
