/// The stack of the main thread.
public enum Stack {
  /// What it has where nobody says otherwise, in bytes.
  private static let usualSize = 8 << 20

  /// Runs `body`, with a stack of the usual size also where the limit is lower (`ulimit -s`):
  /// getrlimit(2), makecontext(3). Once per process.
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
