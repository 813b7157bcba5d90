import CommandLine
import JSON
import POSIX
import Runs

extension EventQueue {
  /// Appends these JSON texts, or the lines of standard input if there are none. Events before an
  /// error are still written.
  ///
  /// - Parameters:
  ///   - entries: What messages call them.
  ///   - arguments: Their options `skip-invalid` and `verbose` count.
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
          try add(.text(text[...]), "argument \(index + 1)", skipsInvalid)
        }
      }
    } catch {
      failure = error
    }
    do throws(EventError) { try flush() } catch { failure = Failure(error, what: "") }
    if arguments.has("verbose") { noteStatistics() }
    if let failure {
      // A part of the last write may have reached the disk.
      let count = (failure.code == .data ? "" : "at least ") + "\(statistics.written)"
      throw Failure(
        failure.code, failure.message.map { "\($0); \(entries) written: \(count)" },
        advice: failure.advice)
    }
  }

  private func noteStatistics() {
    Tool.topic.note(
      "\(statistics.queued) queued, \(statistics.written) written,"
        + " \(counted(statistics.batches, "batch", "batches")),"
        + " \(counted(statistics.errors, "error"))")
    let broken = statistics.brokenLines
    if broken > 0 {
      Tool.topic.note(
        "ended \(counted(broken, "line")) that "
          + (broken == 1 ? "another process was" : "other processes were") + " still writing")
    }
  }

  /// Appends the lines of standard input until its end, or until a signal asks the process to end.
  /// The signal is held, so that the caller can write what has been read.
  private mutating func appendInput(_ skipsInvalid: Bool) throws(Failure) {
    TerminationSignals.hold()
    let slice = Duration.milliseconds(100)
    var splitter = LineSplitter()
    var line = 0
    while !TerminationSignals.isWaiting {
      let patience = min(timeLeft ?? slice, slice)
      if try attempt(StandardStream.input.isReadable(within: patience), otherwise: .inputOutput) {
        let chunk = try attempt(StandardStream.input.readChunk(), otherwise: .inputOutput)
        if chunk.isEmpty { break }
        var block = chunk[...]
        while let next = splitter.next(in: &block) {
          line += 1
          try addLine(next, line, skipsInvalid)
        }
      }
      if timeLeft == .zero {
        do throws(EventError) { try flush() } catch { throw Failure(error, what: "") }
      }
    }
    // After a signal, half a line may be missing.
    if !TerminationSignals.isWaiting {
      try addLine(.text(splitter.rest[...]), line + 1, skipsInvalid)
    }
  }

  /// Adds the event of a line, unless the line is blank.
  private mutating func addLine(
    _ line: LineSplitter.Line, _ number: Int, _ skipsInvalid: Bool
  ) throws(Failure) {
    if case .text(let text) = line, text.withoutByteOrderMark.isBlank { return }
    try add(line, "line \(number)", skipsInvalid)
  }

  private mutating func add(
    _ line: LineSplitter.Line, _ what: String, _ skipsInvalid: Bool
  ) throws(Failure) {
    do throws(EventError) { try add(line) } catch {
      let failure = Failure(
        error, what: what, ifTooLong: "split it, or skip it with --skip-invalid")
      guard failure.code == .data, skipsInvalid else { throw failure }
      Tool.topic.note((failure.message ?? "") + "; skipped")
    }
  }
}

extension Failure {
  /// Why an event, which messages call `what`, is not in a log.
  init(_ error: EventError, what: String, ifTooLong advice: String = "shorten it") {
    switch error {
    case .json(let error):
      self.init(.data, "\(what) is not JSON, at byte \(error.offset + 1): \(error.message)")
    case .noObject:
      self.init(
        .data, "\(what) is not a JSON object",
        advice: #"write an object, such as {"status": "passed"}"#)
    case .tooLong:
      self.init(
        .data, "\(what) is longer than \(LineFile.longestLine >> 20) MiB", advice: advice)
    case .system(let error): self.init(error, otherwise: .inputOutput)
    }
  }
}
