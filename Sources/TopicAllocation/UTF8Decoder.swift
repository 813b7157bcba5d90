/// Decodes UTF-8 (RFC 3629) byte by byte. The standard library's decoder wants the whole text, and makes
/// the runtime look up witness tables at process start.
public struct UTF8Decoder {
  /// What a byte completes.
  enum Element: Equatable {
    /// A code point.
    case scalar(UInt32)
    /// Bytes that are not UTF-8.
    case invalid
  }

  private var scalar: UInt32 = 0
  private var missing = 0
  private var least: UInt32 = 0

  /// Whether `byte` does not continue the sequence that has begun.
  func isCutShort(by byte: UInt8) -> Bool { missing > 0 && byte & 0xC0 != 0x80 }

  /// Takes a byte; returns what it completes, or nil inside a sequence.
  mutating func next(_ byte: UInt8) -> Element? {
    if missing > 0, byte & 0xC0 == 0x80 {
      scalar = scalar << 6 | UInt32(byte & 0x3F)
      missing -= 1
      guard missing == 0 else { return nil }
      let isLegal = scalar >= least && scalar <= 0x10FFFF && !(0xD800...0xDFFF).contains(scalar)
      return isLegal ? .scalar(scalar) : .invalid
    }
    // A sequence that was cut short leaves nothing; this byte begins a new one.
    missing = 0
    switch byte {
    case 0..<0x80: return .scalar(UInt32(byte))
    case 0xC2..<0xE0: begin(byte & 0x1F, missing: 1, least: 0x80)
    case 0xE0..<0xF0: begin(byte & 0x0F, missing: 2, least: 0x800)
    case 0xF0..<0xF5: begin(byte & 0x07, missing: 3, least: 0x10000)
    default: return .invalid
    }
    return nil
  }

  private mutating func begin(_ bits: UInt8, missing: Int, least: UInt32) {
    scalar = UInt32(bits)
    self.missing = missing
    self.least = least
  }

  /// Whether all of `bytes` is UTF-8.
  public static func isValid(_ bytes: [UInt8]) -> Bool {
    var decoder = UTF8Decoder()
    for byte in bytes {
      if decoder.isCutShort(by: byte) || decoder.next(byte) == .invalid { return false }
    }
    return decoder.missing == 0
  }
}
