import CommandLine
import JSON
import POSIX
import Runs

extension Command {
  static let retryCheck = Command(
    "check", "say whether another round makes sense",
    Syntax(
      .run, .any(.text("TEXT")),
      required: [
        Option(
          "status", .choice("STATUS", RetryState.Status.self),
          help: """
            What the review says: `needs_changes`, which counts a round, or `approved`, which resets
            the round counter.
            """)
      ],
      options: [
        Option(
          "feedback", .text("TEXT"), repeatable: true,
          help: "What has to change. If it is given, each TEXT after RUN is more feedback."),
        Option(
          "feedback-file", .file("FILE"),
          help: "Read more feedback from FILE, one text per line. `-` is standard input."),
        Option(
          "max-identical", .text("N"),
          help: "Stop when the same feedback comes N times in a row (default 2)."),
        Option("max-rounds", .text("N"), help: "Stop after N rounds."),
        .reportFormat, .lockTimeout,
      ],
      text: """
        Counts what a review says about RUN, and decides whether another round makes sense. The exit
        status is 0 to continue and 10 to stop; the reason is printed.

        Feedback is the same if its texts are the same, in whatever order and with whatever white
        space around them.

        The count is the member `retry` of RUN/checkpoint.json, so a restarted run continues it. The
        member has the keys `rounds`, `identical`, `feedback_sha256` and `status`; counts stop at
        1,000,000,000. If it holds anything else, the exit status is 65. To start the count over,
        run `topic checkpoint save --set retry=null RUN`. Concurrent calls take turns.

        With `--format json`, prints an object with `decision` (`continue`, `stop` or `approved`),
        `reason`, and the keys of the count.
        """,
      examples: """
        topic retry check 042 --status needs_changes --feedback "no tests"
        if review | topic retry check 042 --status needs_changes --feedback-file -; then
          revise
        fi
        """)
  ) { arguments throws(Failure) in
    let run = try TopicOperand(arguments.operands[0], as: "RUN").directory()
    let format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    guard let status = try arguments.choice("status", of: RetryState.Status.self) else {
      throw .usage("no --status")
    }
    let limits = RetryLimits(
      identical: try arguments.number("max-identical", in: 1...1_000_000) ?? 2,
      rounds: try arguments.number("max-rounds", in: 1...1_000_000))
    let feedback = try feedback(arguments, status)
    let state = try count(
      status, feedback, in: CheckpointStore(run), until: arguments.deadline())
    let reason = limits.reason(toStop: state)
    if format == .json {
      try printOut(state.report(reason: reason))
      if reason != nil { throw Failure(.limit, nil) }
    } else if let reason {
      throw Failure(
        .limit, "\(run.bytes.quotedForMessage): stop: \(reason)",
        advice: "another round would hardly help: change the task, or have a person look at it;"
          + " --status approved starts over")
    } else {
      try printOut(state.summary + "\n")
    }
  }

  private static func feedback(
    _ arguments: Arguments, _ status: RetryState.Status
  ) throws(Failure) -> [Bytes] {
    let isGiven = arguments.has("feedback")
    let more = arguments.operands.dropFirst()
    if let word = more.first, !isGiven {
      throw .usage(
        "unexpected argument \(word.quotedForMessage)",
        advice: "give one RUN; TEXTs after it need a --feedback")
    }
    var texts = arguments.values(of: "feedback") + more
    if let file = arguments.value(of: "feedback-file") {
      texts += try InputText(reading: file).text.split(separator: .newline).map(Bytes.init)
    } else if !isGiven, status == .needsChanges {
      throw .usage("no feedback", advice: "give --feedback TEXT or --feedback-file FILE")
    }
    return texts
  }

  private static func count(
    _ status: RetryState.Status, _ feedback: [Bytes], in store: CheckpointStore,
    until deadline: Instant
  ) throws(Failure) -> RetryState {
    var state: RetryState?
    try store.saveOrWarn(until: deadline) { old in
      state = RetryState(in: old)
      state?.add(status, feedback)
      return state.map { state in
        old.filter { $0.key != RetryState.key } + [JSONValue.Member(RetryState.key, state.json)]
      }
    }
    if let state { return state }
    let run = store.run.bytes
    throw Failure(
      .data,
      "the checkpoint of \(run.quotedForMessage) has a member \(RetryState.key) that is not a count"
        + " of rounds",
      advice: "'topic checkpoint save --set \(RetryState.key)=null"
        + " \(String(decoding: run.quotedForShell, as: UTF8.self))' starts the count over")
  }
}

/// When to stop.
private struct RetryLimits {
  let identical: Int
  let rounds: Int?

  func reason(toStop state: RetryState) -> String? {
    guard state.status == .needsChanges else { return nil }
    if state.identical >= identical {
      return "the same feedback came \(counted(state.identical, "time")) in a row"
        + " (--max-identical \(identical))"
    }
    guard let rounds, state.rounds >= rounds else { return nil }
    return "\(counted(state.rounds, "round")), and still needs_changes (--max-rounds \(rounds))"
  }
}

extension RetryState {
  fileprivate var summary: String {
    if status == .approved { return "approved" }
    let feedback =
      identical > 1
      ? "the same feedback for the \(identical.ordinal) time"
      : rounds == 1 ? "the first feedback" : "other feedback"
    return "go on: round \(rounds), \(feedback)"
  }

  fileprivate func report(reason: String?) -> Bytes {
    var writer = JSONWriter(.indented)
    writer.object { writer in
      let decision = status == .approved ? "approved" : "continue"
      writer.member("decision", reason == nil ? decision : "stop")
      writer.member("reason", reason.map { .string($0) } ?? .null)
      for member in json.members ?? [] { writer.member(member.key, member.value) }
    }
    writer.endLine()
    return writer.text
  }
}
