import CommandLine
import JSON
import POSIX
import Runs
import TopicAllocation

extension Command {
  private static let fields = [
    Option("iteration", takesValue: true), Option("status", takesValue: true),
    Option("feedback", takesValue: true), Option("file-written", takesValue: true),
    Option("cost", takesValue: true), Option("set", takesValue: true),
  ]

  static let checkpoint = Command(
    name: "checkpoint",
    help: """
      Usage: topic checkpoint save [option]... RUN
             topic checkpoint load RUN
             topic checkpoint clear RUN
             topic checkpoint list [ROOT]

      Keeps the state from which a run resumes in RUN/checkpoint.json, and the previous
      state in RUN/checkpoint.previous.json. RUN is an existing directory, or the number
      or name of a topic.

      save changes the members that are given and keeps the others. Without an option, it
      reads an object from standard input and replaces the whole state, except the member
      retry, in which topic retry check counts the rounds. Any number of processes can
      save at once: they take turns. A crash leaves either the old or the new state.

            --iteration N          the number of the round
            --status S             such as approved or needs_changes
            --feedback TEXT        repeat it for more
            --file-written PATH    repeat it for more
            --cost USD             a decimal number, kept as it is spelled
            --set KEY=JSON         any other member; repeat it for more
        -w, --timeout SECS         give up when others save for so long (default 30)

      load prints the object; exit code 1 when there is none. A file that was damaged by
      others is passed over for the one before it, with a warning. clear removes both;
      list prints run, iteration, status and time for the topics of ROOT that have one.
      It reports each checkpoint that it cannot read, lists the others, and exits with
      the status of the first failure.

      Examples:
        topic checkpoint save specs/042_oauth_20 --iteration 3 --status needs_changes
        topic checkpoint load specs/042_oauth_20 | jq -r .status

      """,
    options: fields + [Option("timeout", "w", takesValue: true)], operands: 1...2
  ) { arguments throws(Failure) in
    let name = arguments.operands[0]
    let operand = arguments.operands.count > 1 ? arguments.operands[1] : nil
    let command = String(decoding: name, as: UTF8.self)
    for option in fields where arguments.has(option.name) && command != "save" {
      throw .usage("--\(option.name) goes with topic checkpoint save")
    }
    let timeout = try arguments.seconds("timeout") ?? 30_000_000_000
    let deadline = Instant.now.advanced(byNanoseconds: timeout)
    if command == "list" { return try list(operand) }
    guard ["save", "load", "clear"].contains(command) else {
      throw .unknown("checkpoint command", name, ["save", "load", "clear", "list"])
    }
    let run = try runOperand(arguments, of: "topic checkpoint \(command)")
    let store = CheckpointStore(run)
    switch command {
    case "save": try save(store, arguments, until: deadline)
    case "clear":
      do throws(CheckpointStore.Failure) {
        _ = try store.clear(until: deadline)
      } catch {
        throw Failure(error)
      }
    default:
      guard let contents = try load(store) else { throw Failure(.negative, nil) }
      try printOut(Bytes(contents.text[...].withoutByteOrderMark), isJSON: true)
    }
  }

  private static func load(_ store: CheckpointStore) throws(Failure) -> CheckpointStore.Contents? {
    let contents: CheckpointStore.Contents?
    do throws(CheckpointStore.Failure) { contents = try store.load() } catch {
      throw Failure(error)
    }
    warnOfDamage(contents?.damaged)
    return contents
  }

  /// Says that the checkpoint in `damaged` was passed over for the one before it; nil: it was not.
  static func warnOfDamage(_ damaged: Path?) {
    guard let damaged else { return }
    Tool.topic.note(
      "\(damaged.bytes.quotedForMessage) is damaged or gone, the one before it is taken")
  }

  private static func save(
    _ store: CheckpointStore, _ arguments: Arguments, until deadline: Instant
  ) throws(Failure) {
    let isGiven = fields.contains { arguments.has($0.name) }
    let given = try isGiven ? members(arguments) : membersOfInput()
    do throws(CheckpointStore.Failure) {
      let damaged = try store.save(until: deadline) { old in
        if !isGiven { return keepingRetry(of: old, in: given) }
        var members = old
        for member in given {
          if let place = members.firstIndex(where: { $0.key == member.key }) {
            members[place] = member
          } else {
            members.append(member)
          }
        }
        return members
      }
      warnOfDamage(damaged)
    } catch {
      throw Failure(error)
    }
  }

  /// The new members, with the count of rounds that is there already: without it, a review that goes in
  /// circles would not be noticed.
  private static func keepingRetry(
    of old: [JSONValue.Member], in new: [JSONValue.Member]
  ) -> [JSONValue.Member] {
    guard let count = old.last(where: { $0.key == RetryState.key }) else { return new }
    return new.filter { $0.key != RetryState.key } + [count]
  }

  private static func members(_ arguments: Arguments) throws(Failure) -> [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    func text(_ bytes: Bytes, _ option: String) throws(Failure) -> JSONValue {
      guard UTF8Decoder.isValid(bytes) else {
        throw Failure(
          .data, "--\(option) \(bytes.quotedForMessage) is not UTF-8, as JSON has to be")
      }
      return .string(String(decoding: bytes, as: UTF8.self))
    }
    if let number = try arguments.number("iteration", in: 0...Int.max) {
      members.append(JSONValue.Member("iteration", .number("\(number)")))
    }
    if let status = arguments.value(of: "status") {
      members.append(JSONValue.Member("status", try text(status, "status")))
    }
    for (option, key) in [("feedback", "feedback"), ("file-written", "files_written")]
    where arguments.has(option) {
      var texts: [JSONValue] = []
      for value in arguments.values(of: option) { texts.append(try text(value, option)) }
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
      throw .usage("--set cannot change \(key), which is written by itself")
    }
    do throws(JSONError) {
      return JSONValue.Member(key, try JSONValue(parsing: setting[(place + 1)...]))
    } catch {
      throw Failure(
        .data,
        "--set \(key): no JSON, at byte \(error.offset + 1): \(error.message)",
        advice: "a text needs quotes of its own: --set '\(key)=\"text\"'")
    }
  }

  private static func membersOfInput() throws(Failure) -> [JSONValue.Member] {
    if StandardStream.input.isTerminal {
      throw .usage("nothing to save", advice: "give --status and the like, or an object as input")
    }
    let text = try readStandardInput()
    do throws(JSONError) {
      if let members = try JSONValue(parsing: text).members { return members }
    } catch {
      throw Failure(
        .data, "standard input is no JSON, at byte \(error.offset + 1): \(error.message)")
    }
    throw Failure(.data, "standard input is no JSON object")
  }

  private static func list(_ operand: Bytes?) throws(Failure) {
    let root = try root(operand)
    guard root.exists || operand != nil else { return }
    var lines = Bytes()
    var failure: Failure?
    for topic in try attempt(root.topics(.topic), otherwise: .inputOutput) {
      if let kind = (try? FileStatus.of(topic.path))?.kind, kind != .directory { continue }
      let contents: CheckpointStore.Contents?
      do throws(Failure) { contents = try load(CheckpointStore(topic.path)) } catch {
        if let message = error.message { Tool.topic.note(message) }
        failure = failure ?? Failure(error.code, nil, advice: error.advice)
        continue
      }
      guard let contents else { continue }
      let value = JSONValue.object(contents.members)
      let cells = [
        topic.entryName.printable, iteration(in: value),
        value["status"]?.string.map { Bytes($0).printable } ?? "-",
        value["saved_at"]?.string.map { Bytes($0).printable } ?? "-",
      ]
      lines += Bytes(cells.joined(separator: "\t") + "\n")
    }
    try printOut(lines)
    if let failure { throw failure }
  }

  /// The iteration as the checkpoint spells it, as it may be too large for an `Int`.
  private static func iteration(in checkpoint: JSONValue) -> String {
    if case .number(let digits)? = checkpoint["iteration"] { digits } else { "-" }
  }
}

extension Failure {
  /// The one place that says how a checkpoint can fail.
  init(_ failure: CheckpointStore.Failure) {
    switch failure {
    case .system(let error):
      let creates: [SystemCall] = [.creat, .mkdir, .mkdirat, .renameat]
      self.init(error, otherwise: creates.contains(error.call) ? .cannotCreate : .inputOutput)
    case .damaged(let path, let error):
      self.init(
        .data,
        "\(path.bytes.quotedForMessage) is no checkpoint, at byte \(error.offset + 1):"
          + " \(error.message); nor is there a whole one before it",
        advice: "restore it, or start over with topic checkpoint clear")
    case .busy(let run):
      self.init(
        .temporary, "cannot lock \(run.bytes.quotedForMessage): another process saves",
        advice: "try again, or wait longer with --timeout")
    }
  }
}
