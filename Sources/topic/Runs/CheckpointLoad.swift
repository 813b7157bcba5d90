import CommandLine
import POSIX
import Runs

extension Command {
  static let checkpointLoad = Command(
    "load", "print the state of a run",
    Syntax(
      .run,
      text: """
        Prints the JSON object in RUN/checkpoint.json. If that file is damaged or missing, prints
        the previous state, with a warning. If there is no checkpoint, the exit status is 1.
        """,
      examples: """
        topic checkpoint load specs/042_oauth_20 | jq -r .status
        """)
  ) { arguments throws(Failure) in
    let run = try TopicOperand(arguments.operands[0], as: "RUN").directory()
    guard let contents = try CheckpointStore(run).loadOrWarn() else {
      throw Failure(.negative, nil)
    }
    try printOut(Bytes(contents.text[...].withoutByteOrderMark), isJSON: true)
  }
}
