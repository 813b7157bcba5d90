import CommandLine
import JSON
import POSIX
import Runs

extension Command {
  static let checkpoint = Command(
    "checkpoint", "keep the state from which a run resumes",
    text: """
      Keeps the state from which a run resumes, a JSON object, in RUN/checkpoint.json, and the
      previous state in RUN/checkpoint.previous.json.
      """,
    subcommands: [.checkpointSave, .checkpointLoad, .checkpointClear, .checkpointList])
}

extension CheckpointStore {
  /// The checkpoint; nil if there is none. A previous one in its place comes with a warning.
  func loadOrWarn() throws(Failure) -> Contents? {
    do throws(CheckpointError) {
      let contents = try load()
      Self.warn(ofDamage: contents?.damaged)
      return contents
    } catch {
      throw Failure(error)
    }
  }

  /// Saves what `change` makes of the members, or nothing if that is nil. A previous checkpoint in
  /// place of a damaged one comes with a warning.
  func saveOrWarn(
    until deadline: Instant, _ change: ([JSONValue.Member]) -> [JSONValue.Member]?
  ) throws(Failure) {
    do throws(CheckpointError) {
      Self.warn(ofDamage: try save(until: deadline, change))
    } catch {
      throw Failure(error)
    }
  }

  private static func warn(ofDamage path: Path?) {
    guard let path else { return }
    Tool.topic.note("\(path.bytes.quotedForMessage) is damaged or gone; using the previous one")
  }
}

extension Failure {
  /// How a checkpoint can fail, in words and as an exit status.
  init(_ error: CheckpointError) {
    switch error {
    case .system(let error):
      let creates: [SystemCall] = [.creat, .mkdir, .mkdirat, .renameat]
      self.init(error, otherwise: creates.contains(error.call) ? .cannotCreate : .inputOutput)
    case .damaged(let path, let error):
      self.init(
        .data,
        "\(path.bytes.quotedForMessage) is not a checkpoint, at byte \(error.offset + 1):"
          + " \(error.message); the previous one cannot be used either",
        advice: "restore it, or start over with 'topic checkpoint clear'")
    }
  }
}
