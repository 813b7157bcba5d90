import CommandLine
import JSON
import POSIX
import TopicLedger

extension Renumbering {
  /// The changes, as text or JSON; `isDone` says whether they are made.
  func report(_ format: ReportFormat, isDone: Bool) throws(Failure) -> Bytes {
    switch format {
    case .text: Bytes(changes + summary(isDone: isDone))
    case .json: try json(isDone: isDone)
    }
  }

  private var changes: String {
    var text = ""
    for move in moves {
      text += "\(move.old.quotedForMessage) -> \(move.new.quotedForMessage)"
      text += "  (\(move.keeper.quotedForMessage) is older)\n"
    }
    for mention in mentions {
      text += "\(mention.file.quotedForMessage):\(mention.line)\n"
      text += "  - \(mention.old.printable)\n  + \(mention.new.printable)\n"
    }
    for link in links {
      text += "\(link.file.quotedForMessage), a symbolic link\n"
      text += "  - \(link.old.printable)\n  + \(link.new.printable)\n"
    }
    return text
  }

  private func summary(isDone: Bool) -> String {
    if moves.isEmpty { return "no duplicate numbers\n" }
    let files = Set(mentions.map(\.file)).count
    let summary =
      "\(moves.count) renamed, \(mentions.count) line\(mentions.count == 1 ? "" : "s")"
      + " in \(files) file\(files == 1 ? "" : "s") rewritten"
      + (links.isEmpty ? "" : ", \(links.count) link\(links.count == 1 ? "" : "s") updated")
    return isDone ? "\(summary)\n" : "nothing is changed yet; with --apply: \(summary)\n"
  }

  private func json(isDone: Bool) throws(Failure) -> Bytes {
    try ReportFormat.checkJSONCarries(
      moves.map(\.old) + mentions.flatMap { [$0.file, $0.old] }
        + links.flatMap { [$0.file, $0.old] })
    var json = JSONWriter(.indented)
    json.object { json in
      json.member("applied", isDone)
      json.objects("renames", moves) { json, move in
        json.member("from", move.old)
        json.member("to", move.new)
        json.member("keeper", move.keeper)
      }
      json.objects("mentions", mentions) { json, mention in
        json.member("file", mention.file)
        json.member("line", mention.line)
        json.member("from", mention.old)
        json.member("to", mention.new)
      }
      json.objects("links", links) { json, link in
        json.member("file", link.file)
        json.member("from", link.old)
        json.member("to", link.new)
      }
    }
    json.endLine()
    return json.text
  }
}
