import CommandLine
import POSIX
import StressHarness

let tool = Tool("topic-stress")

tool.run { words throws(Failure) in
  let arguments = try Arguments(words, accepting: Option.common + Session.options)
  if arguments.has("help") { return try printOut(help) }
  if arguments.has("version") { return try printOut("topic-stress \(version)\n") }
  if let operand = arguments.operands.first {
    throw .usage(
      "unexpected argument \(operand.quotedForMessage)", advice: "topic-stress takes options only")
  }
  if try arguments.choice("workload", of: Workload.self) == .claims {
    if try !ClaimsSession(arguments).execute() { throw Failure(.negative, nil) }
    return
  }
  if arguments.has("tasks") { throw .usage("--tasks goes with --workload claims") }
  let session = try Session(arguments)
  if arguments.has("summary") { return try session.printSummary() }
  let outcome = try session.run()
  try session.report(outcome)
  if outcome.verdict == .failed { throw Failure(.negative, nil) }
  if let signal = outcome.termination { ProcessEvents.raiseAgain(signal) }
}
