import CommandLine
import JSON
import POSIX
import Runs

extension Command {
  private static let memberOptions = [
    Option("iteration", .text("N"), help: "The number of the round."),
    Option(
      "status", .among("STATUS") { _ in [Candidate("approved"), Candidate("needs_changes")] },
      help: "Such as `approved` or `needs_changes`."),
    Option("feedback", .text("TEXT"), repeatable: true, help: "What has to change."),
    Option(
      "file-written", .file("PATH"), repeatable: true,
      help: "A file that the run wrote; the key is `files_written`."),
    Option(
      "cost", .text("USD"),
      help: "A decimal number, kept as it is spelled; the key is `cost_usd`."),
    Option("set", .text("KEY=JSON"), repeatable: true, help: "Any other member."),
  ]

  static let checkpointSave = Command(
    "save", "save the state of a run",
    Syntax(
      .run,
      options: [
        OptionGroup("Members", memberOptions), OptionGroup("Lock", [.lockTimeout]),
      ],
      text: """
        Saves the state of RUN in RUN/checkpoint.json: changes the members that are given and keeps
        the others. Without any, reads an object from standard input, which replaces the whole state.

        Such an object does not replace the member `retry`, in which `topic retry check` counts the
        rounds; `retry` is taken from it only if no rounds have been counted yet. The command itself
        writes `version` (1), `run_id` and `saved_at` (RFC 3339).

        Any number of processes can save at once: they take turns, under a flock(2) on RUN. A crash
        leaves either the old or the new state.
        """,
      examples: """
        topic checkpoint save specs/042_oauth_20 --iteration 3 --status needs_changes
        topic checkpoint save specs/042_oauth_20 --set 'plan={"done": 2}'
        jq -n '{task: "parser", done: false}' | topic checkpoint save 042
        """)
  ) { arguments throws(Failure) in
    let deadline = try arguments.deadline()
    let store = CheckpointStore(try TopicOperand(arguments.operands[0], as: "RUN").directory())
    if memberOptions.contains(where: { arguments.has($0.name) }) {
      let given = try members(arguments)
      try store.saveOrWarn(until: deadline) { old in
        given.reduce(into: old) { members, member in
          if let place = members.firstIndex(where: { $0.key == member.key }) {
            members[place] = member
          } else {
            members.append(member)
          }
        }
      }
    } else {
      let given = try membersOfInput()
      try store.saveOrWarn(until: deadline) { keepingRetry(of: $0, in: given) }
    }
  }

  /// The new members, with the old count of rounds: without it, a review that goes in circles would
  /// not be noticed.
  private static func keepingRetry(
    of old: [JSONValue.Member], in new: [JSONValue.Member]
  ) -> [JSONValue.Member] {
    guard let count = old.last(where: { $0.key == RetryState.key }) else { return new }
    return new.filter { $0.key != RetryState.key } + [count]
  }

  private static func members(_ arguments: Arguments) throws(Failure) -> [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if let number = try arguments.number("iteration", in: 0...Int.max) {
      members.append(JSONValue.Member("iteration", .number("\(number)")))
    }
    if let status = try arguments.text("status") {
      members.append(JSONValue.Member("status", .string(status)))
    }
    for (option, key) in [("feedback", "feedback"), ("file-written", "files_written")]
    where arguments.has(option) {
      let texts = try arguments.values(of: option).map { value throws(Failure) in
        JSONValue.string(try Arguments.text(value, of: option))
      }
      members.append(JSONValue.Member(key, .array(texts)))
    }
    if let cost = arguments.value(of: "cost") {
      let value = try? JSONValue(parsing: cost)
      guard let amount = value?.double, amount >= 0, let value else {
        throw .usage("--cost takes a decimal number such as 0.25, not \(cost.quotedForMessage)")
      }
      members.append(JSONValue.Member("cost_usd", value))
    }
    for setting in arguments.values(of: "set") { members.append(try member(setting)) }
    return members
  }

  private static func member(_ setting: Bytes) throws(Failure) -> JSONValue.Member {
    guard let place = setting.firstIndex(of: UInt8(ascii: "=")), place > 0 else {
      throw .usage("--set takes KEY=JSON, not \(setting.quotedForMessage)")
    }
    let key = String(decoding: setting[..<place], as: UTF8.self)
    if CheckpointStore.ownKeys.contains(key) {
      throw .usage("--set cannot change \(key), which topic writes itself")
    }
    do throws(JSONError) {
      return JSONValue.Member(key, try JSONValue(parsing: setting[(place + 1)...]))
    } catch {
      throw Failure(
        .data, "--set \(key): not JSON, at byte \(error.offset + 1): \(error.message)",
        advice: "a text needs quotes of its own: --set '\(key)=\"text\"'")
    }
  }

  private static func membersOfInput() throws(Failure) -> [JSONValue.Member] {
    if StandardStream.input.isTerminal {
      throw .usage(
        "nothing to save",
        advice: "give options such as --status, or an object on standard input")
    }
    let text = try readStandardInput()
    do throws(JSONError) {
      if let members = try JSONValue(parsing: text).members { return members }
    } catch {
      throw Failure(
        .data, "standard input is not JSON, at byte \(error.offset + 1): \(error.message)")
    }
    throw Failure(.data, "standard input is not a JSON object")
  }
}
