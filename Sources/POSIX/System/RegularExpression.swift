#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// An extended regular expression, in the C locale: regcomp(3). The dialect of `grep -E` and of
/// bash's `[[ =~ ]]`.
public final class RegularExpression {
  private var compiled = regex_t()

  /// An expression that does not compile, and why.
  public struct SyntaxError: Error {
    /// What the C library says: regerror(3).
    public let message: String
  }

  /// Compiles `pattern`.
  public init(_ pattern: Bytes) throws(SyntaxError) {
    let code = Path(pattern).withCString { regcomp(&compiled, $0, REG_EXTENDED | REG_NOSUB) }
    guard code != 0 else { return }
    var message = [CChar](repeating: 0, count: 256)
    regerror(code, &compiled, &message, message.count)
    throw SyntaxError(
      message: message.withUnsafeBufferPointer {
        $0.baseAddress.map { String(cString: $0) } ?? ""
      })
  }

  deinit { regfree(&compiled) }

  /// Whether the expression matches somewhere in `text`: regexec(3).
  public func matches(_ text: Bytes) -> Bool {
    Path(text).withCString { regexec(&compiled, $0, 0, nil, 0) == 0 }
  }
}
