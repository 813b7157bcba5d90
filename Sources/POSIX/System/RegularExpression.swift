/// An extended regular expression in the C locale: regcomp(3). This is the dialect of `grep -E` and
/// of `[[ =~ ]]` in bash.
public final class RegularExpression {
  private var compiled = CInterop.RegularExpression()

  /// Why an expression does not compile.
  public struct SyntaxError: Error {
    /// The text of the C library: regerror(3).
    public let message: String
  }

  /// Compiles `pattern`.
  public init(_ pattern: Bytes) throws(SyntaxError) {
    let code = Path(pattern).withCString { libc_regcomp(&compiled, $0, _REG_EXTENDED | _REG_NOSUB) }
    guard code != 0 else { return }
    var message = [CChar](repeating: 0, count: 256)
    libc_regerror(code, &compiled, &message, message.count)
    throw SyntaxError(
      message: message.withUnsafeBufferPointer {
        $0.baseAddress.map { String(cString: $0) } ?? ""
      })
  }

  deinit { libc_regfree(&compiled) }

  /// Whether the expression matches somewhere in `text`: regexec(3).
  public func matches(_ text: Bytes) -> Bool {
    Path(text).withCString { libc_regexec(&compiled, $0, 0, nil, 0) == 0 }
  }
}
