import CommandLineTool
import JSON
import POSIX

/// All of standard input.
func readStandardInput() throws(Failure) -> Bytes {
  var text = Bytes()
  while true {
    let chunk = try attempt(StandardStream.input.readChunk(), otherwise: .inputOutput)
    if chunk.isEmpty { return text }
    text += chunk
  }
}

/// A text that a user hands over, in a file or as standard input.
struct InputText {
  /// What messages call it.
  let name: String
  /// All of it.
  let text: Bytes

  /// Reads the file at `path`; `-` is standard input.
  init(reading path: Bytes) throws(Failure) {
    if path == Bytes("-") {
      name = "standard input"
      text = try readStandardInput()
      return
    }
    name = path.printable
    do throws(SystemError) {
      text = try Path(path).documentContents()
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
