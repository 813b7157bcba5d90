import CommandLine
import JSON
import POSIX

extension Command {
  private static let place = Bytes("{model}")

  static let `try` = Command(
    name: "try",
    help: """
      Usage: topic try --timeout SECS --model M [option]... -- COMMAND [ARGUMENT]...

      Runs COMMAND, with M in place of each {model} in its words. When the time is up, and
      only then, ends it with all that it has started, and runs it with the next model of
      the chain. The exit status is 75 if the last model was not in time. Otherwise it is
      that of COMMAND: 128+N if signal N ended it, 126 or 127 if it cannot be run.

            --timeout SECS    how long each attempt may take; fractions are allowed
            --model M         the model to begin with
            --fallback FILE   the chain, as JSON: {"chains": {"MODEL": "NEXT"}}. Without it,
                              gpt-5-pro and gpt-5-2025 are followed by
                              gpt-5-mini-2025-08-07, and that by gpt-5-nano
            --log LOG         add an event for each attempt to LOG
            --run RUN         the same, to RUN/events.jsonl
        -n, --no-input        leave standard input alone, as in a loop that reads from it

      Standard input is read to its end first, unless it is a terminal, and each attempt
      gets all of it. If input does not end within --timeout, no model is run and the exit
      status is 75. Standard output is that of the attempt that succeeds, whole; standard
      error passes through. Input and output are kept in unnamed files in TMPDIR (default:
      /tmp); the exit status is 74 if they do not fit. COMMAND has no terminal. topic try
      passes on signals that ask it to end. After a signal or a timeout, COMMAND has
      2 seconds to end before it is killed; so does anything it leaves running in its
      process group. A second signal kills at once.

      Examples:
        topic try --timeout 300 --model gpt-5-pro --run "$run" -- \\
          my-agent --model {model} <prompt.md >answer.md
        topic try --timeout 60 --model a --fallback chain.json -- sh -c 'ask {model} | tidy'

      """,
    options: [
      Option("timeout", "w", takesValue: true), Option("model", takesValue: true),
      Option("fallback", takesValue: true), Option("log", takesValue: true),
      Option("run", takesValue: true), Option("no-input", "n"),
    ], operands: 0...Int.max
  ) { arguments throws(Failure) in
    let template = arguments.operands
    guard template.first?.isEmpty == false else {
      throw .usage("no COMMAND", advice: "topic try --timeout 60 --model M -- COMMAND {model}")
    }
    guard template.contains(where: { fill($0, with: []) != $0 }) else {
      throw .usage(
        "no word of the COMMAND holds {model}, so each attempt would be the same",
        advice: "quote a word that a shell would take apart: '{model}'")
    }
    guard let timeout = try arguments.seconds("timeout"), timeout > 0 else {
      throw .usage("no --timeout", advice: "--timeout SECS, more than 0")
    }
    guard var model = try text(of: "model", arguments), !model.isEmpty else {
      throw .usage("no --model", advice: "--model M")
    }
    let chain =
      if let file = arguments.value(of: "fallback") { try FallbackChain(reading: file) } else {
        FallbackChain.standard
      }
    let log = try log(arguments)
    let isSilent = arguments.has("no-input") || StandardStream.input.isTerminal
    let input = isSilent ? nil : try readInput(within: timeout)
    while true {
      let words = template.map { fill($0, with: Bytes(model)) }
      let isDone = try run(words, input, atMost: timeout, model, log)
      if isDone { return }
      let waited = "\(Bytes(model).quotedForMessage) was not done after \(timeout.seconds) s"
      guard let next = chain[model] else {
        throw Failure(
          .temporary, "\(waited), and there is no model to try next",
          advice: "give it more time with --timeout, or a chain with --fallback")
      }
      Tool.topic.note("\(waited); trying \(Bytes(next).quotedForMessage)")
      model = next
    }
  }

  /// All of standard input; a failure when it does not end in time.
  private static func readInput(within timeout: UInt64) throws(Failure) -> Spool {
    let deadline = Instant.now.advanced(byNanoseconds: timeout)
    let advice = "when COMMAND needs no input, use --no-input or </dev/null"
    let input = try attempt(Spool(), otherwise: .inputOutput)
    do throws(SystemError) {
      while true {
        let left = deadline.nanoseconds(since: .now)
        if left == 0 { break }
        guard try StandardStream.input.isReadable(within: left) else { continue }
        let chunk = try StandardStream.input.readChunk()
        if chunk.isEmpty { return input }
        try input.append(chunk)
      }
    } catch {
      if error.call == .pwrite { throw notKept("standard input", error) }
      let failure = Failure(error, otherwise: .inputOutput)
      throw Failure(failure.code, failure.message, advice: advice)
    }
    throw Failure(
      .temporary, "standard input did not end within \(timeout.seconds) s", advice: advice)
  }

  /// The failure when `what` does not fit on the disk.
  private static func notKept(_ what: String, _ error: SystemError) -> Failure {
    let failure = Failure(error, otherwise: .inputOutput)
    return Failure(
      failure.code, failure.message.map { "\(what) does not fit: \($0)" },
      advice: error.errno == .fileTooLarge
        ? failure.advice : "free some space, or set TMPDIR to a directory with more space")
  }

  /// The word with the model in each place for it.
  private static func fill(_ word: Bytes, with model: Bytes) -> Bytes {
    var filled = Bytes()
    var rest = word[...]
    while let first = rest.first {
      if rest.starts(with: place) {
        filled += model
        rest = rest.dropFirst(place.count)
      } else {
        filled.append(first)
        rest = rest.dropFirst()
      }
    }
    return filled
  }

  /// Makes one attempt, and prints what it printed when it succeeded. False when it was not in time;
  /// other failures end the program.
  private static func run(
    _ words: [Bytes], _ input: Spool?, atMost timeout: UInt64, _ model: String, _ log: RunLog?
  ) throws(Failure) -> Bool {
    let output = try attempt(Spool(), otherwise: .inputOutput)
    var group = ProcessGroup(words)
    group.input = input
    let start = Instant.now
    func record(_ result: String, _ code: Int32?) {
      let seconds = Instant.now.nanoseconds(since: start).seconds
      // What an attempt has cost in time and money is worth more than its line in the log.
      do throws(Failure) {
        try log?.add("attempt") { json in
          json.member("model", model)
          json.member("result", result)
          json.member("seconds", seconds)
          json.key("code")
          json.number(code.map { Int($0) })
        }
      } catch {
        Tool.topic.note("the attempt is not in the log: \(error.message ?? "")")
      }
    }
    let outcome: ProcessGroup.Outcome
    do throws(SystemError) {
      outcome = try group.run(atMost: timeout, output.append)
    } catch {
      if error.call == .pwrite {
        record("failure", nil)
        throw notKept("the output of \(words[0].quotedForMessage)", error)
      }
      guard error.call == .fork else { throw Failure(error, otherwise: .inputOutput) }
      let status: Int32 = error.errno == .notFound ? 127 : 126
      record("not_started", status)
      Tool.topic.note("cannot run \(words[0].quotedForMessage): \(error.errno.message)")
      Tool.topic.end(withStatus: status)
    }
    switch outcome {
    case .ended(.exited(0)):
      record("success", 0)
      try copy(output)
      return true
    case .ended(let end):
      record("failure", end.status)
      Tool.topic.end(withStatus: end.status)
    case .deadline:
      record("timeout", nil)
      return false
    case .interrupted(let signal):
      record("interrupted", 128 + signal.rawValue)
      ProcessEvents.raiseAgain(signal)
      throw Failure(.temporary, nil)
    }
  }

  private static func copy(_ output: Spool) throws(Failure) {
    var offset: UInt64 = 0
    while true {
      let block = try attempt(output.read(at: offset, upTo: 1 << 16), otherwise: .inputOutput)
      if block.isEmpty { return }
      try printRaw(block)
      offset += UInt64(block.count)
    }
  }

  private static func log(_ arguments: Arguments) throws(Failure) -> RunLog? {
    if arguments.has("log"), arguments.has("run") {
      throw .usage("--log and --run name two logs", advice: "one of them is enough")
    }
    if arguments.value(of: "log")?.isEmpty == true {
      throw .usage("LOG is an empty string", advice: "check the variable that it comes from")
    }
    if let run = arguments.value(of: "run") {
      return try RunLog(of: TopicOperand(run, as: "RUN").directory())
    }
    if let log = arguments.value(of: "log") { return try RunLog(Path(log)) }
    return nil
  }
}

extension ChildProcess.End {
  /// As a shell reports it: the exit code, or 128 and the signal.
  fileprivate var status: Int32 {
    switch self {
    case .exited(let code): code
    case .signaled(let signal): 128 + signal
    }
  }
}
