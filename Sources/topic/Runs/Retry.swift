import CommandLine
import JSON
import POSIX
import Runs

extension Command {
  static let retry = Command(
    name: "retry",
    help: """
      Usage: topic retry check [option]... --status S RUN

      Says whether another round makes sense after a review: exit code 0 to go on, 10 to
      stop, with the reason. The rounds are counted in RUN/checkpoint.json, so a
      restarted run continues the count; concurrent calls take turns. RUN is an existing
      directory, or the number or name of a topic.

            --status S            needs_changes, or approved, which resets the round counter
            --feedback TEXT       what has to change; repeat it for more
            --feedback-file FILE  more of it, a text a line; '-' is standard input
            --max-identical N     stop when the same feedback comes N times in a row
                                  (default 2). Neither the order of the texts counts nor
                                  white space around them
            --max-rounds N        stop after N rounds
        -f, --format FORMAT       text (default) or json
        -w, --timeout SECS        give up when others save for so long (default 30)

      Examples:
        topic retry check specs/042_oauth_20 --status needs_changes --feedback "no tests"
        if review | topic retry check "$run" --status needs_changes --feedback-file -; then
          revise
        fi

      """,
    options: [
      Option("status", takesValue: true), Option("feedback", takesValue: true),
      Option("feedback-file", takesValue: true), Option("max-identical", takesValue: true),
      Option("max-rounds", takesValue: true), Option("format", "f", takesValue: true),
      Option("timeout", "w", takesValue: true),
    ], operands: 1...Int.max
  ) { arguments throws(Failure) in
    guard arguments.operands[0] == Bytes("check") else {
      throw .unknown("retry command", arguments.operands[0], ["check"])
    }
    let run = try runOperand(arguments, of: "topic retry check")
    let format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    guard let status = try arguments.choice("status", of: RetryState.Status.self) else {
      throw .usage("no --status", advice: "--status needs_changes, or --status approved")
    }
    let limits = RetryLimits(
      identical: try arguments.number("max-identical", in: 1...1_000_000) ?? 2,
      rounds: try arguments.number("max-rounds", in: 1...1_000_000))
    let timeout = try arguments.seconds("timeout") ?? 30_000_000_000
    let feedback = try feedback(arguments, status)
    let deadline = Instant.now.advanced(byNanoseconds: timeout)
    let state = try save(status, feedback, in: CheckpointStore(run), until: deadline)
    let reason = limits.reason(toStop: state)
    if format == .json {
      try printOut(state.report(reason: reason))
      if reason != nil { throw Failure(.limit, nil) }
    } else if let reason {
      throw Failure(
        .limit, "\(run.bytes.quotedForMessage): stop: \(reason)",
        advice: "another round would hardly help: change the task, or have a human look at it;"
          + " --status approved starts over")
    } else {
      try printOut(state.summary + "\n")
    }
  }

  private static func feedback(
    _ arguments: Arguments, _ status: RetryState.Status
  ) throws(Failure) -> [Bytes] {
    let isGiven = arguments.has("feedback")
    let more = arguments.operands.dropFirst(2)
    if let word = more.first, !isGiven {
      throw .usage("too many arguments: \(word.quotedForMessage)", advice: "one RUN at a time")
    }
    var texts = arguments.values(of: "feedback") + more
    if let file = arguments.value(of: "feedback-file") {
      texts += try InputText(reading: file).text.split(separator: .newline).map(Bytes.init)
    } else if !isGiven, status == .needsChanges {
      throw .usage("no feedback", advice: "--feedback TEXT, or --feedback-file FILE")
    }
    return texts
  }

  private static func save(
    _ status: RetryState.Status, _ feedback: [Bytes], in store: CheckpointStore,
    until deadline: Instant
  ) throws(Failure) -> RetryState {
    var state = RetryState()
    var isDamaged = false
    do throws(CheckpointStore.Failure) {
      let damaged = try store.save(until: deadline) { old in
        guard let before = RetryState(in: old) else {
          isDamaged = true
          return nil
        }
        state = before
        state.add(status, feedback)
        let member = JSONValue.Member(RetryState.key, state.json)
        return old.filter { $0.key != RetryState.key } + [member]
      }
      warnOfDamage(damaged)
    } catch {
      throw Failure(error)
    }
    if isDamaged {
      let run = String(decoding: store.run.bytes.quotedForShell, as: UTF8.self)
      throw Failure(
        .data,
        "the checkpoint of \(store.run.bytes.quotedForMessage) has a member \(RetryState.key)"
          + " that is not a count of rounds",
        advice: "'topic checkpoint save --set \(RetryState.key)=null \(run)' starts the count over")
    }
    return state
  }
}

/// When there are to be no more rounds.
private struct RetryLimits {
  let identical: Int
  let rounds: Int?

  func reason(toStop state: RetryState) -> String? {
    guard state.status == .needsChanges else { return nil }
    if state.identical >= identical {
      return "the same feedback came \(state.identical) times in a row"
        + " (--max-identical \(identical))"
    }
    guard let rounds, state.rounds >= rounds else { return nil }
    return "\(state.rounds) rounds, and still needs_changes (--max-rounds \(rounds))"
  }
}

extension RetryState {
  fileprivate var summary: String {
    if status == .approved { return "approved" }
    let row = identical > 1 ? "the same feedback for the \(identical). time" : "other feedback"
    return "go on: round \(rounds), " + (rounds == 1 ? "the first feedback" : row)
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
