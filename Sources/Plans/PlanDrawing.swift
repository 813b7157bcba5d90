import POSIX

// The graph of dependencies, in the languages of programs that draw it. The nodes have names of
// their own, because an ID could be a keyword of the language, or hold its punctuation.

extension Plan {
  /// A flowchart for Mermaid, which GitHub and others draw inside Markdown.
  public func mermaid() -> Bytes {
    var text = Bytes("flowchart TD\n")
    for (place, group) in groups.enumerated() {
      text.append("  subgraph g\(place)[\"Group \(group.number)\"]\n")
      for task in group.tasks {
        text.append("    t\(task)[\"\(label(task, "<br>", mermaidEscape))\"]\n")
      }
      text.append("  end\n")
    }
    writeEdges(&text, join: " & ", open: "", close: "", arrow: " --> ")
    return text
  }

  /// A graph for dot(1) of Graphviz.
  public func dot() -> Bytes {
    var text = Bytes("digraph plan {\n  node [shape=box]\n")
    for (place, group) in groups.enumerated() {
      text.append("  subgraph cluster_\(place) {\n    label=\"Group \(group.number)\"\n")
      for task in group.tasks {
        text.append("    t\(task) [label=\"\(label(task, "\\n", dotEscape))\"]\n")
      }
      text.append("  }\n")
    }
    writeEdges(&text, join: " ", open: "{", close: "}", arrow: " -> ")
    text.append("}\n")
    return text
  }

  private func label(_ place: Int, _ newline: String, _ escape: (String) -> String) -> String {
    let task = tasks[place]
    return escape(task.id)
      + (task.description.isEmpty ? "" : newline + escape(task.description))
  }

  /// Writes one line for all edges between two groups (both languages have a notation for that),
  /// then one for each other edge.
  private func writeEdges(
    _ text: inout Bytes, join: String, open: String, close: String, arrow: String
  ) {
    func set(_ places: Range<Int>) -> String {
      open + places.map { "t\($0)" }.joined(separator: join) + close
    }
    for (before, after) in zip(groups, groups.dropFirst()) {
      text.append("  " + set(before.tasks) + arrow + set(after.tasks) + "\n")
    }
    for (place, task) in tasks.enumerated() {
      let implied = task.group.flatMap { $0 > 0 ? groups[$0 - 1].tasks : nil } ?? 0..<0
      for dependency in task.dependencies where !implied.contains(dependency) {
        text.append("  t\(dependency)\(arrow)t\(place)\n")
      }
    }
  }

  /// Writes the punctuation of Mermaid, HTML and Markdown as numbers, so that no label is read as
  /// code.
  private func mermaidEscape(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { escaped, scalar in
      switch scalar {
      case "\"", "#", "&", "<", ">", "`", "*", "\\", ";", "[", "]", "{", "}", "|", "%":
        escaped += "#\(scalar.value);"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F: escaped += " "
      default: escaped.unicodeScalars.append(scalar)
      }
    }
  }

  private func dotEscape(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { escaped, scalar in
      switch scalar {
      case "\"", "\\": escaped += "\\" + String(scalar)
      // Graphviz expands the character references of HTML.
      case "&": escaped += "&amp;"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F: escaped += " "
      default: escaped.unicodeScalars.append(scalar)
      }
    }
  }
}
