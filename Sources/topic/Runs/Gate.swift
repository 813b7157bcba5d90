import CommandLine
import JSON
import POSIX

extension Command {
  private static let stepOption = Option(
    "step", .text("NAME"), .program("COMMAND"), repeatable: true,
    help: "Run COMMAND, one word for `sh -c`, as the step NAME. Steps may also follow `--`.")

  static let gate = Command(
    "gate", "run steps that must pass before a run continues",
    Syntax(
      .run, .any(.text("--step NAME COMMAND")),
      options: [
        stepOption,
        Option(
          "enforce", .choice("MODE", Enforcement.self),
          help: """
            `strict` (default): exit with 1 if a step fails. `warn`: report it, but exit with 0.
            `off`: run nothing, record nothing. Without this option, the `enforcement_level` of a
            result counts.
            """),
        Option(
          "timeout", "w", .text("SECS"),
          help: "End a step with all that it started after SECS seconds (default 600)."),
        Option(
          "fail-fast",
          help: "Run no more steps after one that fails; list them in `steps_skipped`."),
        Option(
          "format", "f", .choice("FORMAT", ReportFormat.self),
          help: """
            `text` (default): a line for each step. `json`: an object with `passed` and what is
            recorded.
            """),
        Option(
          "verbose", "v",
          help: "When a step ends, print everything that it printed on standard error."),
      ],
      text: """
        Decides whether a run may continue. Runs each step with /bin/sh, one after the other, and
        adds the result to RUN/events.jsonl. If a step fails, the exit status is 1.

        A failure does not keep the other steps from running. The last 10 lines that each failed
        step printed go to standard error. A step runs in a process group of its own, without input
        or terminal. A signal that asks `topic gate` to end is passed on to the step. The step, and
        anything that it leaves running in its process group, get 2 seconds to end before they are
        killed.

        # Results of other programs

        Without steps, reads from standard input the result of steps that another program ran:

            {"steps_completed": ["NAME"], "steps_failed": [{"step": "NAME", "error": "WHY"}]}

        Each step is a name, or an object, which may use `name` instead of `step` and leave out
        `error`. `steps_completed` is optional; so is `steps_failed` if `has_failures` is false.

        `has_failures` says whether there are failures, named or not. If it contradicts
        `steps_failed`, the gate fails. `enforcement_level` is the mode if `--enforce` is not given.
        `workflow_name` is printed and recorded. Other members are ignored, but a misspelling of
        `has_failures`, `steps_completed`, `steps_failed` or `enforcement_level` is an error. If a
        result is invalid, the exit status is 65.

        # Events

        The event in RUN/events.jsonl is an object with the keys `event` (`gate`), `at`, `enforce`,
        `enforcement_level` (the same), `workflow_name` if there is one, `has_failures`,
        `steps_completed`, `steps_failed`, and `steps_skipped` if there are any. A failed step that
        the gate ran also has `code`, `seconds` and, if it printed anything, `last_lines`.
        """,
      examples: """
        topic gate "$run" --step lint 'shellcheck *.sh' --step test 'swift test'
        if topic gate --enforce warn "$run" <result.json; then merge; fi
        """)
  ) { arguments throws(Failure) in
    let operand = try TopicOperand(arguments.operands[0], as: "RUN")
    let given = try arguments.choice("enforce", of: Enforcement.self)
    let format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    let timeout = try arguments.seconds("timeout") ?? .seconds(600)
    if timeout == .zero { throw .usage("--timeout takes more than 0 seconds") }
    let steps = try steps(arguments)
    let run = try operand.directory()
    if given == .off {
      if arguments.has("verbose") { Tool.topic.note("the gate is off: nothing is run") }
      return
    }
    if steps.isEmpty, StandardStream.input.isTerminal {
      throw .usage("no step", advice: "give --step NAME COMMAND, or a result on standard input")
    }
    var result = GateResult()
    if steps.isEmpty {
      result = try GateResult(reading: InputText(reading: Bytes("-")))
      if given == nil, result.enforcement == .off {
        if arguments.has("verbose") {
          Tool.topic.note("the gate is off by enforcement_level: nothing is recorded")
        }
        return
      }
    }
    // Opened before the steps run, because a result that cannot be recorded is lost.
    let log = try RunLog(of: run)
    // A closed pipe or a full disk does not keep the other steps from running.
    var undelivered: Failure?
    let signal = try result.run(
      steps, atMost: timeout, failsFast: arguments.has("fail-fast"),
      isShown: arguments.has("verbose")
    ) { line in
      if format == .json || undelivered != nil { return }
      do throws(Failure) { try printOut(line) } catch { undelivered = error }
    }
    let enforcement = given ?? result.enforcement ?? .strict
    do throws(Failure) {
      try log.add("gate") { json in result.write(enforcement, to: &json) }
    } catch {
      undelivered = error
    }
    if let signal {
      ProcessEvents.raiseAgain(signal)
      throw Failure(.temporary, nil)
    }
    do throws(Failure) {
      try finish(result, enforcement, format)
    } catch {
      if let message = undelivered?.message { Tool.topic.note(message) }
      throw error
    }
    if let undelivered { throw undelivered }
  }

  private static func steps(_ arguments: Arguments) throws(Failure) -> [GateStep] {
    let rest = try Arguments(Array(arguments.operands.dropFirst()), accepting: [stepOption])
    if let word = rest.operands.first {
      throw .usage(
        "unexpected argument \(word.quotedForMessage)",
        advice: "quote COMMAND as one word: --step NAME 'COMMAND'")
    }
    let words = [arguments, rest].flatMap { $0.values(of: stepOption.name) }
    var steps: [GateStep] = []
    for index in stride(from: 0, to: words.count, by: 2) {
      let name = try Arguments.text(words[index], of: stepOption.name)
      if name.isEmpty || words[index + 1].isEmpty {
        throw .usage("--step takes a NAME and a COMMAND, but one of them is empty")
      }
      if steps.contains(where: { $0.name == name }) {
        throw .usage("step \(words[index].quotedForMessage) is given twice")
      }
      steps.append(GateStep(name: name, command: words[index + 1]))
    }
    return steps
  }

  private static func finish(
    _ result: GateResult, _ enforcement: Enforcement, _ format: ReportFormat
  ) throws(Failure) {
    if format == .json {
      var json = JSONWriter(.indented)
      json.object { json in
        json.member("passed", !result.hasFailures)
        result.write(enforcement, to: &json)
      }
      json.endLine()
      try printOut(json.text)
    } else if let workflow = result.workflow {
      try printOut("\(result.hasFailures ? "failed" : "passed")  \(Bytes(workflow).printable)\n")
    }
    if !result.hasFailures { return }
    Tool.topic.note(result.failuresInWords)
    if enforcement == .strict { throw Failure(.negative, nil) }
    let origin = result.enforcement == .warn ? "enforcement_level" : "--enforce"
    Tool.topic.note("warning: the run may continue despite failures (\(origin) warn)")
  }
}

extension GateResult {
  /// Runs the steps in order and adds how each ended.
  ///
  /// - Returns: The signal, if one asked the program to end.
  fileprivate mutating func run(
    _ steps: [GateStep], atMost timeout: Duration, failsFast: Bool, isShown: Bool,
    report: (String) -> Void
  ) throws(Failure) -> Signal? {
    for (index, step) in steps.enumerated() {
      var line = ""
      var signal: Signal?
      switch try step.run(atMost: timeout, isShown: isShown) {
      case .passed(let seconds):
        completed.append(step.name)
        line = "passed  \(Bytes(step.name).printable)  \(seconds) s\n"
      case .failed(let failure):
        failed.append(failure)
        line =
          "failed  \(Bytes(step.name).printable)  \(failure.seconds ?? 0) s  \(failure.error)\n"
      case .interrupted(let by, let failure):
        failed.append(failure)
        signal = by
      }
      if signal != nil || (failsFast && !failed.isEmpty) {
        skipped = steps[(index + 1)...].map(\.name)
      }
      if let signal { return signal }
      report(line)
      if !skipped.isEmpty { break }
    }
    return nil
  }
}
