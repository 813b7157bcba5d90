import CommandLine
import POSIX
import TopicAllocation
import TopicLedger

let tool = Tool("topic-alloc")

tool.run { words throws(Failure) in
  let arguments = try Arguments(words, accepting: Option.common + AllocationRequest.options)
  if arguments.has("help") { return try printOut(help) }
  if arguments.has("version") { return try printOut("topic-alloc \(version)\n") }
  guard let root = arguments.operands.first, arguments.operands.count > 1 else {
    throw .usage(
      arguments.operands.isEmpty ? "no ROOT and no NAME" : "no NAME after the ROOT",
      advice: "topic-alloc ROOT NAME, as in: topic-alloc ./specs \"OAuth 2.0 login\"")
  }
  if root.isEmpty {
    throw .usage("ROOT is an empty string", advice: "check the variable that it comes from")
  }
  let style = try Style(arguments)
  let request = try AllocationRequest(
    root: Path(root), slugs: Slug.ofNames(arguments.operands.dropFirst(), style.slugRule),
    style: style, arguments)
  let scope = try Scope.inForce(arguments, for: request.root)
  try request.perform(tool, in: scope, projectOf: Location.project(ofRoot:))
}
