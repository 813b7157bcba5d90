import POSIX

/// The version of all programs of the package.
public let version = "0.2.0"
/// The day of that version, for the manual pages.
let releaseDate = "2026-11-21"

/// A program: what its messages begin with, and how it ends.
public struct Tool: Sendable {
  /// Its name, as it stands at the front of every message.
  public let name: String

  /// The program of this name.
  public init(_ name: String) {
    self.name = name
  }

  /// Runs `body` with the arguments of the process, and ends the process with the code that fits.
  public func run(_ body: ([Bytes]) throws(Failure) -> Void) -> Never {
    FileSizeSignal.ignore()
    TerminationSignals.endFirstProcess()
    var status = ExitCode.success
    Stack.withUsualSize {
      do throws(Failure) {
        try body(Environment.arguments)
      } catch {
        if let message = error.message { note(message) }
        if let advice = error.advice { note("hint: \(advice)") }
        status = error.code
      }
    }
    end(withStatus: status.rawValue)
  }

  /// Ends the process with this status, which may be that of another program. A signal that was held
  /// back until now ends the process with the status of that signal.
  public func end(withStatus status: Int32) -> Never {
    TerminationSignals.release()
    Environment.exit(status)
  }

  /// Prints a message on standard error. A failure to do so is ignored.
  public func note(_ message: String) {
    try? StandardStream.error.writeAll(Bytes("\(name): \(message)\n").text(for: .error))
  }
}

/// Writes all of `text` to standard output, so that it cannot act on a terminal there.
public func printOut(_ text: Bytes, isJSON: Bool = false) throws(Failure) {
  // Piece by piece, as what is escaped takes several times its room, but not within a character.
  var rest = text[...]
  while !rest.isEmpty {
    var end = min(rest.startIndex + (1 << 16), rest.endIndex)
    for _ in 0..<3 where end < rest.endIndex && rest[end] & 0xC0 == 0x80 { end -= 1 }
    try printRaw(Bytes(rest[..<end]).text(for: .output, isJSON: isJSON))
    rest = rest[end...]
  }
}

/// Writes all of `text` to standard output as it is, terminal or not.
public func printRaw(_ text: Bytes) throws(Failure) {
  try attempt(StandardStream.output.writeAll(text), otherwise: .inputOutput)
}

/// Writes all of `text` to standard output, so that it cannot act on a terminal there.
public func printOut(_ text: String) throws(Failure) {
  try printOut(Bytes(text))
}

extension Tool {
  /// Runs the command that the arguments of the process call, and ends the process with the status
  /// that fits.
  ///
  /// The arguments may also be `--man`, which prints the manual page, or `--complete SHELL WORD...`,
  /// with which the scripts of ``Shell/completionScript(for:)`` ask what can replace the last word.
  public func run(_ root: Command) -> Never {
    run { words throws(Failure) in
      let path = CommandPath(root)
      if words == [Bytes("--man")] { return try printOut(Manual(path).text) }
      if words.first == Bytes("--complete"), let completion = Completion(path, words.dropFirst()) {
        return try printOut(completion.text)
      }
      try path.run(words[...])
    }
  }
}
