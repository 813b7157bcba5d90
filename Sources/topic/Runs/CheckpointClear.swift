import CommandLine
import Runs

extension Command {
  static let checkpointClear = Command(
    "clear", "remove the state of a run",
    Syntax(
      .run, options: [.lockTimeout],
      text: "Removes the checkpoint of RUN and the previous one, if they exist.")
  ) { arguments throws(Failure) in
    let deadline = try arguments.deadline()
    let run = try TopicOperand(arguments.operands[0], as: "RUN").directory()
    do throws(CheckpointError) {
      _ = try CheckpointStore(run).clear(until: deadline)
    } catch {
      throw Failure(error)
    }
  }
}
