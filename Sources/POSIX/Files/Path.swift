/// A path: any bytes except NUL. No member in this file touches the file system.
public struct Path: Hashable, Sendable {
  /// The bytes as the kernel gets them, without the closing NUL.
  public private(set) var bytes: Bytes

  private static let slash = UInt8(ascii: "/")

  /// Creates the path with exactly these bytes.
  public init(_ bytes: Bytes) {
    self.bytes = bytes
  }

  /// Creates the path that `text` spells in UTF-8.
  public init(_ text: String) {
    bytes = Bytes(text)
  }

  /// All but the last component: `/a` for `/a/b`, `/` for `/a` and for `/`, `.` for `a`.
  public var parent: Path {
    var end = bytes.count
    while end > 1, bytes[end - 1] == Self.slash { end -= 1 }
    guard let last = bytes[..<end].lastIndex(of: Self.slash) else { return Path(".") }
    var start = last
    while start > 0, bytes[start - 1] == Self.slash { start -= 1 }
    return start == 0 ? Path("/") : Path(Bytes(bytes[..<start]))
  }

  /// The last component: `b` for `/a/b` and for `/a/b/`; empty for `/`.
  public var lastComponent: Bytes {
    var end = bytes.count
    while end > 0, bytes[end - 1] == Self.slash { end -= 1 }
    var start = end
    while start > 0, bytes[start - 1] != Self.slash { start -= 1 }
    return Bytes(bytes[start..<end])
  }

  /// This path with `component` below it.
  public func appending(_ component: Bytes) -> Path {
    var result = Path(bytes)
    result.bytes.reserveCapacity(bytes.count + 1 + component.count)
    if let last = bytes.last, last != Self.slash { result.bytes.append(Self.slash) }
    result.bytes += component
    return result
  }

  /// This path with `component` below it.
  public func appending(_ component: String) -> Path {
    appending(Bytes(component))
  }

  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
      for index in bytes.indices { buffer[index] = CChar(bitPattern: bytes[index]) }
      buffer[bytes.count] = 0
      guard let base = buffer.baseAddress else { preconditionFailure("a buffer of one or more") }
      return body(base)
    }
  }
}
