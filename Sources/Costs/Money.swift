import POSIX

/// An amount of US dollars, never negative: a whole number of units of 10^-12 dollars, in 128 bits.
///
/// A price per million tokens with six decimals is a whole number of units per token, so no sum is
/// ever rounded. (Swift's own UInt128 requires macOS 15.)
public struct Money: Hashable, Comparable, Sendable {
  /// The largest number of digits after the point.
  public static let decimals = 12
  private static let unitsPerDollar: UInt64 = 1_000_000_000_000

  private var high: UInt64
  private var low: UInt64

  /// Zero dollars.
  public static let zero = Money(high: 0, low: 0)

  private init(high: UInt64, low: UInt64) {
    (self.high, self.low) = (high, low)
  }

  /// The amount that `text` spells: digits, optionally a point and up to twelve more digits. Zeros
  /// at the end do not count. Nil for anything else, such as signs and exponents, and for amounts
  /// too large.
  public init?(_ text: String) {
    var text = text
    guard let amount = text.withUTF8({ Money($0) }) else { return nil }
    self = amount
  }

  /// The amount that `text` spells in ASCII.
  init?(_ text: UnsafeBufferPointer<UInt8>) {
    if let amount = Self.short(text) {
      self = amount
      return
    }
    let parts = text.split(
      separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    var fraction = parts.count == 2 ? Bytes(parts[1]) : []
    guard !parts[0].isEmpty, parts.count == 1 || !fraction.isEmpty else { return nil }
    while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
    guard fraction.count <= Self.decimals else { return nil }
    fraction += Bytes(repeating: UInt8(ascii: "0"), count: Self.decimals - fraction.count)
    var amount = Self.zero
    for byte in Bytes(parts[0]) + fraction {
      let digit = byte &- UInt8(ascii: "0")
      guard digit <= 9, let shifted = amount.multiplied(by: 10),
        let sum = shifted.adding(Money(high: 0, low: UInt64(digit)))
      else { return nil }
      amount = sum
    }
    self = amount
  }

  /// The amount that a text of at most 18 digits spells; nil for any other text.
  private static func short(_ text: UnsafeBufferPointer<UInt8>) -> Money? {
    guard text.count <= 19 else { return nil }
    var digits: UInt64 = 0
    var point: Int?
    for (place, byte) in text.enumerated() {
      if byte == UInt8(ascii: "."), point == nil {
        point = place
        continue
      }
      guard case let digit = byte &- UInt8(ascii: "0"), digit <= 9 else { return nil }
      // 19 digits, if there is no point, do not overflow either.
      digits = digits * 10 + UInt64(digit)
    }
    let whole = point ?? text.count
    let decimals = point.map { text.count - 1 - $0 }
    guard whole > 0, decimals != 0, decimals ?? 0 <= Self.decimals else { return nil }
    let (high, low) = digits.multipliedFullWidth(by: powersOfTen[Self.decimals - (decimals ?? 0)])
    return Money(high: high, low: low)
  }

  private static let powersOfTen: [UInt64] = (0...decimals).map { exponent in
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  /// The sum; nil if it is too large.
  public func adding(_ other: Money) -> Money? {
    let (low, carries) = low.addingReportingOverflow(other.low)
    let (sum, isTooLarge) = high.addingReportingOverflow(other.high)
    let (high, carriedTooFar) = sum.addingReportingOverflow(carries ? 1 : 0)
    return isTooLarge || carriedTooFar ? nil : Money(high: high, low: low)
  }

  /// The product; nil if it is too large.
  public func multiplied(by factor: UInt64) -> Money? {
    let (carry, low) = low.multipliedFullWidth(by: factor)
    let (product, isTooLarge) = high.multipliedReportingOverflow(by: factor)
    let (high, carriedTooFar) = product.addingReportingOverflow(carry)
    return isTooLarge || carriedTooFar ? nil : Money(high: high, low: low)
  }

  /// One of `parts` equal parts; nil if it is not a whole number of units.
  ///
  /// - Parameter parts: Must not be 0.
  public func divided(by parts: UInt64) -> Money? {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: parts)
    return remainder == 0 ? quotient : nil
  }

  private func quotientAndRemainder(dividingBy divisor: UInt64) -> (Money, UInt64) {
    let (high, rest) = high.quotientAndRemainder(dividingBy: divisor)
    let (low, remainder) = divisor.dividingFullWidth((rest, low))
    return (Money(high: high, low: low), remainder)
  }

  /// Smaller amounts come first.
  public static func < (left: Money, right: Money) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}

extension Money: CustomStringConvertible {
  /// The exact amount in decimal digits, at least two of them after the point: `1.25`, `0.000125`.
  public var description: String {
    var (whole, units) = quotientAndRemainder(dividingBy: Self.unitsPerDollar)
    var fraction = Bytes()
    for _ in 0..<Self.decimals {
      fraction.append(UInt8(ascii: "0") + UInt8(units % 10))
      units /= 10
    }
    fraction.reverse()
    while fraction.count > 2, fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
    var digits = Bytes()
    repeat {
      let (rest, digit) = whole.quotientAndRemainder(dividingBy: 10)
      digits.append(UInt8(ascii: "0") + UInt8(digit))
      whole = rest
    } while whole > .zero
    return String(decoding: digits.reversed() + Bytes(".") + fraction, as: UTF8.self)
  }
}
