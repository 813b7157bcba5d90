import CommandLine
import JSON
import POSIX

/// The document on standard input.
///
/// - Throws: `EFBIG` as status 65 if it is longer than ``POSIX/Path/longestDocument``.
func readStandardInput() throws(Failure) -> Bytes {
  var text = Bytes()
  while true {
    let chunk = try attempt(StandardStream.input.readChunk(), otherwise: .inputOutput)
    if chunk.isEmpty { return text }
    text += chunk
    if text.count > Path.longestDocument {
      throw Failure(SystemError(.read, Path(""), .fileTooLarge), otherwise: .data)
    }
  }
}

/// A text from a file or from standard input.
struct InputText {
  /// Its name in messages.
  let name: String
  /// The text, without a byte order mark at its beginning.
  let text: Bytes

  /// Reads the file at `path`, or standard input if that is `-`.
  init(reading path: Bytes) throws(Failure) {
    if path == Bytes("-") {
      name = "standard input"
      text = Bytes(try readStandardInput()[...].withoutByteOrderMark)
      return
    }
    name = path.printable
    do throws(SystemError) {
      let contents = try Path(path).documentContents()
      text = Bytes(contents[...].withoutByteOrderMark)
    } catch {
      if error.errno != .notFound { throw Failure(error, otherwise: .inputOutput) }
      throw Failure(
        .noInput, "cannot open \(path.quotedForMessage): \(error.errno.message)",
        advice: "check the spelling")
    }
  }

  /// Parses the text as one JSON value.
  func json() throws(Failure) -> JSONValue {
    do throws(JSONError) { return try JSONValue(parsing: text) } catch {
      let line = text.prefix(error.offset).count { $0 == .newline } + 1
      throw Failure(.data, "\(name):\(line): not JSON: \(error.message)")
    }
  }
}
