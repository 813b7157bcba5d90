import CommandLine
import POSIX
import TopicAllocation

/// The root that the operand names, or the detected root if there is no operand.
///
/// The detected root need not exist yet, unless `CLAUDE_SPECS_ROOT` names it.
func root(_ operand: Bytes?) throws(Failure) -> Root {
  if operand?.isEmpty == true {
    throw .emptyString("ROOT")
  }
  if let operand { return try reach(otherwise: .inputOutput, Root(locating: Path(operand))) }
  let found = try root(of: attempt(Location.project(), otherwise: .inputOutput))
  if !found.exists, Environment.variable("CLAUDE_SPECS_ROOT") != nil {
    throw Failure(
      .noInput,
      "CLAUDE_SPECS_ROOT names \(found.path.bytes.quotedForMessage), which does not exist",
      advice: "check the variable"
        + (found.path.bytes.wordForHint.map { ", or create the directory: mkdir -p \($0)" } ?? ""))
  }
  return found
}

/// The detected root of `project`, which need not exist yet.
func root(of project: Path, otherwise code: ExitCode = .inputOutput) throws(Failure) -> Root {
  try reach(otherwise: code, Root(locating: Location.root(of: project)))
}

/// The value of `call`, which looks for roots; like ``attempt(_:otherwise:)``, with a message of its own
/// for a dangling symbolic link.
func reach<Result>(
  otherwise code: ExitCode, _ call: @autoclosure () throws(SystemError) -> Result
) throws(Failure) -> Result {
  do throws(SystemError) { return try call() } catch {
    let link = error.path.bytes
    guard error.errno == .notFound,
      (try? FileStatus.ofLink(error.path))?.kind == .symbolicLink
    else { throw Failure(error, otherwise: code) }
    throw Failure(
      code == .inputOutput ? .noInput : code,
      "cannot reach the root: \(link.quotedForMessage) is a dangling symbolic link",
      advice: "mount or restore its target; 'ls -l \(link.quotedForShell.printable)' shows it")
  }
}
