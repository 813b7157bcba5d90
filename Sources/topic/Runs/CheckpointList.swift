import CommandLine
import JSON
import POSIX
import Runs
import TopicAllocation

extension Command {
  static let checkpointList = Command(
    "list", "list the topics that have a checkpoint",
    Syntax(
      .root,
      text: """
        Prints entry, iteration, status and time, separated by tabs, for each topic of ROOT that has
        a checkpoint. A `-` stands for a member that is missing.

        Entries that are not directories are skipped. A checkpoint that cannot be read is reported
        on standard error, and the others are still listed. The exit status is then that of the
        first failure, such as 65 for a damaged checkpoint.
        """)
  ) { arguments throws(Failure) in
    let operand = arguments.operands.first
    let root = try root(operand)
    guard root.exists || operand != nil else { return }
    var lines = ""
    var failure: Failure?
    for topic in try attempt(root.topics(.topic), otherwise: .inputOutput) {
      if let kind = (try? FileStatus.of(topic.path))?.kind, kind != .directory { continue }
      do throws(Failure) {
        guard let contents = try CheckpointStore(topic.path).loadOrWarn() else { continue }
        lines += topic.entryName.printable + "\t" + summary(of: .object(contents.members)) + "\n"
      } catch {
        if let message = error.message { Tool.topic.note(message) }
        failure = failure ?? Failure(error.code, nil, advice: error.advice)
      }
    }
    try printOut(Bytes(lines))
    if let failure { throw failure }
  }

  private static func summary(of checkpoint: JSONValue) -> String {
    func text(_ key: String) -> String {
      checkpoint[key]?.string.map { Bytes($0).printable } ?? "-"
    }
    // As it is spelled, because it may be too large for an `Int`.
    let iteration =
      if case .number(let digits)? = checkpoint["iteration"] { digits } else { "-" }
    return [iteration, text("status"), text("saved_at")].joined(separator: "\t")
  }
}
