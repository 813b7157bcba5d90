import CommandLine
import JSON
import POSIX

extension Command {
  private static let stepOption = Option("step", values: 2)

  static let gate = Command(
    name: "gate",
    help: """
      Usage: topic gate [option]... RUN --step NAME COMMAND [--step NAME COMMAND]...
             topic gate [option]... RUN <RESULT

      Decides whether a run may continue. RUN is an existing directory, or the number or
      name of a topic. Runs each COMMAND with /bin/sh, one after the other, and adds the
      result to RUN/events.jsonl. Without --step, reads the result of steps that were run
      elsewhere: {"steps_completed": ["NAME"], "steps_failed":
      [{"step": "NAME", "error": "WHY"}]}, optionally with "workflow_name",
      "has_failures" and "enforcement_level". If "has_failures" is true, the gate fails
      even when no step is named.

            --step NAME COMMAND
                              a step; repeat it for more. Steps may also follow '--'
            --enforce MODE    strict (default): exit status 1 when a step fails. warn: report
                              it, but exit with 0. off: run nothing, record nothing. The
                              default is the enforcement_level of the result, if it has one
            --timeout SECS    how long each step may take (default 600)
            --fail-fast       run no more steps after one that fails
        -f, --format FORMAT   text (default) or json
        -v, --verbose         print all that each step prints, at its end

      What steps print goes to standard error: the last 10 lines of each that fails. Steps
      have no input and no terminal. A signal that asks topic gate to end is passed on.
      What is asked to end has 2 seconds before it is killed; so has what a step leaves
      running in its process group.

      Examples:
        topic gate "$run" --step lint 'shellcheck *.sh' --step test 'swift test'
        if topic gate --enforce warn "$run" <result.json; then merge; fi

      """,
    options: [
      stepOption, Option("enforce", takesValue: true), Option("timeout", "w", takesValue: true),
      Option("fail-fast"), Option("format", "f", takesValue: true), Option("verbose", "v"),
    ], operands: 1...Int.max
  ) { arguments throws(Failure) in
    let operand = try TopicOperand(arguments.operands[0], as: "RUN")
    let given = try arguments.choice("enforce", of: Enforcement.self)
    let format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    let timeout = try arguments.seconds("timeout") ?? 600_000_000_000
    if timeout == 0 { throw .usage("--timeout takes more than 0 seconds") }
    let steps = try steps(arguments)
    let run = try operand.directory()
    if given == .off {
      if arguments.has("verbose") { Tool.topic.note("the gate is off: nothing is run") }
      return
    }
    if steps.isEmpty, StandardStream.input.isTerminal {
      throw .usage("no step", advice: "--step NAME COMMAND, or a result as standard input")
    }
    var result = GateResult()
    var signal: Signal?
    // That nobody reads along, or that the disk is full, does not keep the rest from being done.
    var undelivered: Failure?
    // Before the steps run: what cannot be written down would have been done for nothing.
    let log: RunLog
    if steps.isEmpty {
      result = try GateResult(reading: InputText(reading: Bytes("-")))
      if given == nil, result.enforcement == .off {
        if arguments.has("verbose") {
          Tool.topic.note("the gate is off by enforcement_level: nothing is recorded")
        }
        return
      }
      log = try RunLog(of: run)
    } else {
      log = try RunLog(of: run)
      signal = try result.run(
        steps, atMost: timeout, failsFast: arguments.has("fail-fast"),
        isShown: arguments.has("verbose")
      ) { line in
        if format == .json || undelivered != nil { return }
        do throws(Failure) { try printOut(line) } catch { undelivered = error }
      }
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
    var words = arguments.values(of: stepOption.name)
    let more = Array(arguments.operands.dropFirst())
    let rest = try Arguments(more, accepting: [stepOption])
    if let word = rest.operands.first {
      throw .usage(
        "too many arguments: \(word.quotedForMessage)",
        advice: "--step NAME COMMAND, with the COMMAND quoted as one word")
    }
    words += rest.values(of: stepOption.name)
    var steps: [GateStep] = []
    for index in stride(from: 0, to: words.count, by: 2) {
      guard let name = String(validating: words[index], as: UTF8.self) else {
        throw Failure(
          .data, "--step \(words[index].quotedForMessage) is not UTF-8, as JSON has to be")
      }
      if name.isEmpty || words[index + 1].isEmpty {
        throw .usage("--step takes a NAME and a COMMAND, and one of them is empty")
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
  /// Runs the steps in order and takes in how each ended. Returns the signal by which the program was
  /// asked to end meanwhile.
  fileprivate mutating func run(
    _ steps: [GateStep], atMost timeout: UInt64, failsFast: Bool, isShown: Bool,
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
