import CommandLine
import JSON
import POSIX

/// All of the document on standard input. More than ``POSIX/Path/longestDocument`` is an error.
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

/// A text that a user hands over, in a file or as standard input.
struct InputText {
  /// What messages call it.
  let name: String
  /// All of it, without a byte order mark at its beginning.
  let text: Bytes

  /// Reads the file at `path`; `-` is standard input.
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

  /// The JSON value that it is.
  func json() throws(Failure) -> JSONValue {
    do throws(JSONError) { return try JSONValue(parsing: text) } catch {
      let line = text.prefix(error.offset).count { $0 == .newline } + 1
      throw Failure(.data, "\(name):\(line): no JSON: \(error.message)")
    }
  }
}
