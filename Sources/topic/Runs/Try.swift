import CommandLine
import JSON
import POSIX

extension Command {
  static let `try` = Command(
    "try", "run a command with the next model when one takes too long",
    Syntax(
      .one(.program("COMMAND")), .any(.file("ARGUMENT")),
      required: [
        Option(
          "timeout", "w", .text("SECS"),
          help: "Give each attempt SECS seconds. Fractions are allowed."),
        Option("model", .text("MODEL"), help: "Begin with MODEL."),
      ],
      options: [
        Option(
          "fallback", .file("FILE"),
          help: """
            Read the chain of models from FILE, as JSON: `{"chains": {"MODEL": "NEXT"}}`. Without
            it, gpt-5-pro and gpt-5-2025 are followed by gpt-5-mini-2025-08-07, and that by
            gpt-5-nano.
            """),
        Option("log", .file("LOG"), help: "Add an event for each attempt to LOG."),
        Option(
          "run", .topic("RUN"), help: "Add an event for each attempt to RUN/events.jsonl."),
        Option(
          "no-input", "n", help: "Leave standard input alone, as in a loop that reads from it."),
      ],
      text: """
        Runs COMMAND, with MODEL in place of each `{model}` in its words. When the time is up, and
        only then, ends COMMAND with its whole process group, and runs it with the next model of the
        chain. Put `--` before COMMAND, so that its options reach it.

        The exit status is 75 if the last model did not finish in time. Otherwise it is that of
        COMMAND: 128+N if signal N ended it, 127 if it does not exist, 126 if it cannot be run.

        # Input and output

        Standard input is read to its end first, unless it is a terminal, and each attempt gets all
        of it. If it does not end within SECS seconds, no model is run, and the exit status is 75.
        This wait does not count towards the first attempt's time. Standard output is the complete
        output of the attempt that succeeds. Standard error passes through.

        Input and output are kept in unnamed files in `$TMPDIR` (default: /tmp) until they are
        needed. If they do not fit there, the command ends a running attempt, prints nothing, and
        exits with status 74.

        # Signals

        COMMAND leads a session of its own, without a terminal. A signal that asks `topic try` to
        end is passed on. COMMAND then has 2 seconds to end before it is killed; a second
        signal kills it at once. The same holds for anything that it leaves running in its process
        group.

        # Events

        Each event is an object with the keys `event` (`attempt`), `at`, `model`, `result`
        (`success`, `failure`, `timeout`, `interrupted` or `not_started`), `seconds` and `code`.
        """,
      examples: """
        topic try --timeout 300 --model gpt-5-pro --run "$run" -- \\
          my-agent --model {model} <prompt.md >answer.md
        topic try --timeout 60 --model a --fallback f.json -- sh -c 'ask {model} | tidy'
        """)
  ) { arguments throws(Failure) in
    let template = arguments.operands
    if template[0].isEmpty {
      throw .emptyString("COMMAND")
    }
    guard template.contains(where: { fill($0, with: []) != $0 }) else {
      throw .usage(
        "no word of COMMAND contains {model}, so each attempt would be the same",
        advice: "quote a word that a shell would take apart: '{model}'")
    }
    guard let timeout = try arguments.seconds("timeout"), timeout > .zero else {
      throw .usage("--timeout takes more than 0 seconds")
    }
    guard var model = try arguments.text("model"), !model.isEmpty else {
      throw .emptyString("MODEL")
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
      if try run(words, input, atMost: timeout, model, log) { return }
      let waited = "\(Bytes(model).quotedForMessage) was not done after \(timeout.seconds) s"
      guard let next = chain[model] else {
        throw Failure(
          .temporary, "\(waited), and there is no model to try next",
          advice: "allow more time with --timeout, or give a chain with --fallback")
      }
      Tool.topic.note("\(waited); trying \(Bytes(next).quotedForMessage)")
      model = next
    }
  }

  /// Reads all of standard input, which must end in time.
  private static func readInput(within timeout: Duration) throws(Failure) -> Spool {
    let deadline = Instant.now + timeout
    let advice = "if COMMAND needs no input, use --no-input or </dev/null"
    let input = try attempt(Spool(), otherwise: .inputOutput)
    do throws(SystemError) {
      while true {
        let left = deadline - .now
        if left == .zero { break }
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

  /// The failure if `what` does not fit on the disk.
  private static func notKept(_ what: String, _ error: SystemError) -> Failure {
    let failure = Failure(error, otherwise: .inputOutput)
    return Failure(
      failure.code, failure.message.map { "\(what) does not fit: \($0)" },
      advice: error.errno == .fileTooLarge
        ? failure.advice : "free some space, or set TMPDIR to a directory with more space")
  }

  /// The word with the model in place of each `{model}`.
  private static func fill(_ word: Bytes, with model: Bytes) -> Bytes {
    let place = Bytes("{model}")
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

  /// Makes one attempt, and passes its output on if it succeeds. A failure ends the program.
  ///
  /// - Returns: Whether the attempt was done in time.
  private static func run(
    _ words: [Bytes], _ input: Spool?, atMost timeout: Duration, _ model: String, _ log: RunLog?
  ) throws(Failure) -> Bool {
    let output = try attempt(Spool(), otherwise: .inputOutput)
    var group = ProcessGroup(words)
    group.input = input
    let start = Instant.now
    func record(_ result: String, _ code: Int32?) {
      let seconds = (Instant.now - start).seconds
      // The result of an attempt is worth more than its line in the log.
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
      record("interrupted", ChildProcess.End.signaled(signal.rawValue).status)
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
      throw .usage("--log and --run name two logs", advice: "give one of them")
    }
    if let run = arguments.value(of: "run") {
      return try RunLog(of: TopicOperand(run, as: "RUN").directory())
    }
    if let log = arguments.value(of: "log") { return try RunLog(RunLog.path(log)) }
    return nil
  }
}
