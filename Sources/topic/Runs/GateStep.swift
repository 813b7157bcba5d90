import CommandLine
import POSIX

/// A command that must pass.
struct GateStep {
  /// Its name in reports.
  let name: String
  /// The command line for /bin/sh.
  let command: Bytes

  /// How many lines of output are kept for a report.
  private static let shownLines = 10
  /// How many bytes at the end may hold those lines.
  private static let shownBytes = 1 << 14

  /// How a step ended.
  enum Outcome {
    case passed(seconds: Double)
    case failed(GateResult.FailedStep)
    /// This signal asked the program to end, and was passed on.
    case interrupted(Signal, GateResult.FailedStep)
  }

  /// Runs the step.
  ///
  /// - Parameters:
  ///   - timeout: How long it may take.
  ///   - isShown: Whether all that it prints goes to standard error when it ends. Otherwise its
  ///     last lines are kept.
  func run(atMost timeout: Duration, isShown: Bool) throws(Failure) -> Outcome {
    var group = ProcessGroup([Bytes("/bin/sh"), Bytes("-c"), command])
    group.joinsErrors = true
    let all = isShown ? try attempt(Spool(), otherwise: .inputOutput) : nil
    var end = Bytes()
    // A full disk is no reason for a step to fail.
    var lost: SystemError?
    let start = Instant.now
    let outcome = try attempt(
      group.run(atMost: timeout) { output in
        guard let all else {
          end += output
          if end.count > 2 * Self.shownBytes { end.removeFirst(end.count - Self.shownBytes) }
          return
        }
        do throws(SystemError) { if lost == nil { try all.append(output) } } catch { lost = error }
      }, otherwise: .inputOutput)
    let seconds = (Instant.now - start).seconds
    if let all { try show(all) }
    if let lost {
      let reason = Failure(lost, otherwise: .inputOutput).message ?? ""
      Tool.topic.note("the rest of the step's output is lost: \(reason)")
    }
    let lines = end.suffix(Self.shownBytes).split(separator: .newline).suffix(Self.shownLines).map {
      String(decoding: $0, as: UTF8.self)
    }
    func failure(_ error: String, _ code: Int32?) -> GateResult.FailedStep {
      GateResult.FailedStep(
        name: name, error: error, code: code, seconds: seconds, lastLines: lines)
    }
    switch outcome {
    case .ended(.exited(0)): return .passed(seconds: seconds)
    case .ended(let end):
      let error =
        switch end {
        case .exited(let code): "exit code \(code)"
        case .signaled(let signal): "ended by signal \(signal)"
        }
      return .failed(failure(error, end.status))
    case .deadline: return .failed(failure("not done after \(timeout.seconds) s", nil))
    case .interrupted(let signal):
      let status = ChildProcess.End.signaled(signal.rawValue).status
      return .interrupted(
        signal, failure("interrupted by signal \(signal.rawValue)", status))
    }
  }

  private func show(_ output: Spool) throws(Failure) {
    Tool.topic.note("step \(Bytes(name).quotedForMessage):")
    var offset: UInt64 = 0
    while true {
      var block = try attempt(output.read(at: offset, upTo: 1 << 16), otherwise: .inputOutput)
      if block.isEmpty { return }
      // Ends at a line, so that no character is cut.
      if let end = block.lastIndex(of: .newline) { block.removeSubrange((end + 1)...) }
      offset += UInt64(block.count)
      // Nobody has to read this.
      do throws(SystemError) {
        try StandardStream.error.writeAll(block.text(for: .error))
      } catch {
        return
      }
    }
  }
}
