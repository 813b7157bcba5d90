/// A string as the kernel sees it: any bytes. Paths and arguments need not be UTF-8.
public typealias Bytes = [UInt8]

extension Bytes {
  /// The bytes of `text` in UTF-8.
  public init(_ text: String) {
    self.init(text.utf8)
  }

  /// A copy of a NUL-terminated C string, without the NUL.
  public init(cString: UnsafePointer<CChar>) {
    let bytes = UnsafeRawPointer(cString).assumingMemoryBound(to: UInt8.self)
    var count = 0
    while bytes[count] != 0 { count += 1 }
    self.init(UnsafeBufferPointer(start: bytes, count: count))
  }

  /// Appends `text` in UTF-8.
  public mutating func append(_ text: String) {
    append(contentsOf: text.utf8)
  }

  /// Appends `number` in this base, up to 16, with zeros in front up to `width` digits. The generic
  /// formatting of the standard library takes a dozen page faults at its first use.
  public mutating func append(_ number: UInt64, base: UInt64 = 10, width: Int = 1) {
    let start = count
    var rest = number
    repeat {
      let digit = UInt8(truncatingIfNeeded: rest % base)
      append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
      rest /= base
    } while rest > 0
    while count - start < width { append(UInt8(ascii: "0")) }
    self[start...].reverse()
  }

  /// Creates `count` unpredictable hexadecimal digits; `count` must be even.
  public init(randomHexadecimalDigits count: Int) {
    self = []
    for _ in 0..<(count / 2) { append(hexadecimal: .random(in: 0...255)) }
  }

  /// Appends the two hexadecimal digits of `byte`.
  public mutating func append(hexadecimal byte: UInt8) {
    append(UInt64(byte), base: 16, width: 2)
  }
}

extension UInt64 {
  /// In decimal, with zeros in front up to `width` digits: `007`.
  public func padded(to width: Int) -> String {
    var digits = Bytes()
    digits.append(self, width: width)
    return String(decoding: digits, as: UTF8.self)
  }
}

extension ArraySlice<UInt8> {
  /// The text without the byte order mark that some programs put before UTF-8.
  public var withoutByteOrderMark: ArraySlice<UInt8> {
    first == 0xEF && starts(with: [0xEF, 0xBB, 0xBF]) ? dropFirst(3) : self
  }

  /// Whether it holds nothing but spaces, tabs and carriage returns.
  public var isBlank: Bool { allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }
}

extension UInt8 {
  /// The byte that ends a line.
  public static let newline = UInt8(ascii: "\n")
}
