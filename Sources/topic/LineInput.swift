import CommandLineTool
import JSON
import POSIX
import RunState

extension EventQueue {
  /// Adds these JSON texts, or the lines of standard input when there are none, and writes them. What
  /// comes before an error is written all the same. `entries` is what messages call them; the options
  /// skip-invalid and verbose of `arguments` have their usual meaning.
  mutating func append(
    _ texts: [Bytes], called entries: String, _ arguments: Arguments
  ) throws(Failure) {
    let skipsInvalid = arguments.has("skip-invalid")
    var failure: Failure?
    do throws(Failure) {
      if texts.isEmpty {
        try appendInput(skipsInvalid)
      } else {
        for (index, text) in texts.enumerated() {
          try add(text[...], "argument \(index + 1)", skipsInvalid)
        }
      }
    } catch {
      failure = error
    }
    do throws(EventError) { try flush() } catch { failure = Failure(error, what: "") }
    if arguments.has("verbose") {
      Tool.topic.note(
        "\(statistics.queued) queued, \(statistics.written) written, \(statistics.batches) batches,"
          + " \(statistics.errors) errors")
    }
    if let failure {
      // Of the last write, a part can have come to the disk.
      let count = (failure.code == .data ? "" : "at least ") + "\(statistics.written)"
      throw Failure(
        failure.code, failure.message.map { "\($0); \(entries) written: \(count)" },
        advice: failure.advice)
    }
  }

  /// Adds the lines of standard input until its end, or until a signal asks the process to end. The
  /// signal is held, so that the caller can write what has been read.
  private mutating func appendInput(_ skipsInvalid: Bool) throws(Failure) {
    TerminationSignals.hold()
    let slice: UInt64 = 100_000_000
    var rest = Bytes()
    // How much of it is known to have no newline.
    var searched = 0
    var line = 0
    // Whether the beginning of the line was too long, and is gone.
    var isTooLong = false
    while !TerminationSignals.isWaiting {
      let patience = min(timeLeft ?? slice, slice)
      if try attempt(StandardStream.input.isReadable(within: patience), otherwise: .inputOutput) {
        let chunk = try attempt(StandardStream.input.readChunk(), otherwise: .inputOutput)
        if chunk.isEmpty { break }
        rest += chunk
        var start = rest.startIndex
        while let end = rest[searched...].firstIndex(of: .newline) {
          line += 1
          if !isTooLong { try addLine(rest[start..<end], line, skipsInvalid) }
          isTooLong = false
          start = end + 1
          searched = start
        }
        rest.removeFirst(start)
        if rest.count > LineFile.longestLine {
          if !isTooLong { try addLine(rest[...], line + 1, skipsInvalid) }
          isTooLong = true
          rest = []
        }
        searched = rest.count
      }
      if timeLeft == 0 {
        do throws(EventError) { try flush() } catch { throw Failure(error, what: "") }
      }
    }
    // After a signal, half a line is none.
    if !TerminationSignals.isWaiting, !isTooLong { try addLine(rest[...], line + 1, skipsInvalid) }
  }

  /// A blank line is none.
  private mutating func addLine(
    _ text: ArraySlice<UInt8>, _ line: Int, _ skipsInvalid: Bool
  ) throws(Failure) {
    if !text.withoutByteOrderMark.isBlank { try add(text, "line \(line)", skipsInvalid) }
  }

  private mutating func add(
    _ text: ArraySlice<UInt8>, _ what: String, _ skipsInvalid: Bool
  ) throws(Failure) {
    do throws(EventError) { try add(text) } catch {
      let failure = Failure(error, what: what)
      guard failure.code == .data, skipsInvalid else { throw failure }
      Tool.topic.note((failure.message ?? "") + "; passed over")
    }
  }
}

extension Failure {
  /// Why an event, which messages call `what`, is not in a log.
  init(_ error: EventError, what: String) {
    switch error {
    case .json(let error):
      self.init(.data, "\(what) is not JSON, at byte \(error.offset + 1): \(error.message)")
    case .noObject:
      self.init(
        .data, "\(what) is not a JSON object",
        advice: #"write an object, such as {"status": "passed"}"#)
    case .tooLong:
      self.init(
        .data, "\(what) is longer than \(LineFile.longestLine >> 20) MiB",
        advice: "split it, or skip it with --skip-invalid")
    case .system(let error): self.init(error, otherwise: .inputOutput)
    }
  }
}
