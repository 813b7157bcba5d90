import CommandLine
import POSIX

Tool.topic.run { words throws(Failure) in
  guard let first = words.first else {
    throw .usage("no command", advice: "topic help lists the commands")
  }
  switch String(decoding: first, as: UTF8.self) {
  case "-h", "--help": try printOut(help)
  case "--version": try printOut("topic \(version)\n")
  case "help": try printOut(helpText(for: words.dropFirst()))
  default: try command(named: first).run(words.dropFirst())
  }
}

func helpText(for words: ArraySlice<Bytes>) throws(Failure) -> String {
  if words.count > 1 { throw .usage("help takes one COMMAND") }
  guard let name = words.first, name != Bytes("help") else { return help }
  return try command(named: name).help
}

func command(named name: Bytes) throws(Failure) -> Command {
  let text = String(decoding: name, as: UTF8.self)
  if text.hasPrefix("-") {
    throw .usage(
      "unknown option \(name.quotedForMessage)", advice: "options stand behind the COMMAND")
  }
  guard let command = Command.all.first(where: { $0.name == text }) else {
    throw .unknown("command", name, Command.all.map { $0.name } + ["help"])
  }
  return command
}
