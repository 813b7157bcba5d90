/// The stack of the main thread.
public enum Stack {
  /// The usual size, in bytes.
  private static let usualSize = 8 << 20

  /// Runs `body` on a stack of the usual size, even if the limit is lower (`ulimit -s`):
  /// getrlimit(2), makecontext(3). Call it once per process.
  public static func withUsualSize(_ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
      var body = body
      withUnsafeMutablePointer(to: &body) { body in
        run_on_stack(
          usualSize, { context in context?.assumingMemoryBound(to: (() -> Void).self).pointee() },
          body)
      }
    }
  }
}
