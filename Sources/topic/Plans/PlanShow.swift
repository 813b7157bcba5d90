import CommandLine
import JSON
import POSIX
import Plans

/// The formats of most commands of `topic plan`.
enum PlanFormat: String, CaseIterable {
  case text, json
}

private enum GraphFormat: String, CaseIterable {
  case mermaid, dot, json, text
}

extension PlanCommand {
  static func check(_ store: PlanStore, _ arguments: Arguments) throws(Failure) {
    let format = try arguments.choice("format", of: PlanFormat.self) ?? .text
    let reading: PlanReading
    do throws(PlanStore.Failure) { reading = try store.read() } catch {
      throw Failure(error, store.path)
    }
    let isGood = reading.defects.isEmpty
    switch format {
    case .json: try printOut(json(reading))
    case .text where isGood:
      let (tasks, groups) = (reading.plan.tasks.count, reading.plan.groups.count)
      try printOut(
        "\(tasks) task\(tasks == 1 ? "" : "s") in \(groups) group\(groups == 1 ? "" : "s")\n")
    case .text: reading.tellDefects(store.path)
    }
    // All is said.
    if !isGood { throw Failure(.data, nil) }
  }

  private static func json(_ reading: PlanReading) -> Bytes {
    var json = JSONWriter(.indented)
    json.object { json in
      json.member("tasks", reading.plan.tasks.count)
      json.member("groups", reading.plan.groups.count)
      json.key("defects")
      json.array { json in
        for (defect, message) in zip(reading.defects, reading.messages) {
          json.object { json in
            json.member("line", defect.line)
            json.member("message", message)
          }
        }
      }
    }
    json.endLine()
    return json.text
  }

  static func show(_ store: PlanStore, _ arguments: Arguments) throws(Failure) {
    let format = try arguments.choice("format", of: PlanFormat.self) ?? .text
    let plan = try good(store)
    if format == .text { return try printOut(text(plan)) }
    var json = JSONWriter(.indented)
    try json.object { json throws(Failure) in
      json.member("goal", plan.goal)
      json.key("tasks")
      try json.array { json throws(Failure) in
        for task in plan.tasks {
          try json.object { json throws(Failure) in try plan.write(task, &json, pass) }
          try pass(&json)
        }
      }
    }
    json.endLine()
    try printOut(json.text)
  }

  /// Prints what has been written so far, when it is long: two groups of 50,000 tasks take gigabytes, as
  /// each task of the second names all of the first.
  private static func pass(_ json: inout JSONWriter) throws(Failure) {
    try json.pass { text throws(Failure) in try printOut(text) }
  }

  /// The plan, when there is nothing wrong with it. How far it has come does not matter.
  private static func good(_ store: PlanStore) throws(Failure) -> Plan {
    do throws(PlanStore.Failure) {
      let reading = try store.read()
      guard reading.defects.isEmpty else { throw .defects(reading) }
      return reading.plan
    } catch {
      throw Failure(error, store.path)
    }
  }

  private static func text(_ plan: Plan) -> String {
    var text = plan.goal.onOneLine + "\n"
    for group in plan.groups {
      text += "\nGroup \(group.number)\n"
      for task in plan.tasks[group.tasks] {
        text += "  " + task.title + "\n"
        var notes =
          task.dependencies.isEmpty
          ? [] : ["after " + task.dependencies.map { plan.tasks[$0].id }.joined(separator: ", ")]
        if let role = task.role { notes.append("by " + role.onOneLine) }
        if task.timeout != Plan.defaultTimeout { notes.append("within \(task.timeout) s") }
        if !notes.isEmpty { text += "    " + notes.joined(separator: ", ") + "\n" }
      }
    }
    return text
  }

  static func graph(_ store: PlanStore, _ arguments: Arguments) throws(Failure) {
    let format = try arguments.choice("format", of: GraphFormat.self) ?? .mermaid
    let plan = try good(store)
    switch format {
    case .mermaid, .text: try printOut(plan.mermaid())
    case .dot: try printOut(plan.dot())
    case .json:
      var json = JSONWriter(.indented)
      try json.array { json throws(Failure) in
        for task in plan.tasks {
          try json.object { json throws(Failure) in
            json.member("id", task.id)
            json.member("group", task.group.map { plan.groups[$0].number } ?? 0)
            try plan.writeDependencies(task, &json, pass)
          }
          try pass(&json)
        }
      }
      json.endLine()
      try printOut(json.text)
    }
  }
}

extension Plan.Task {
  /// Id and description, for one line.
  var title: String { description.isEmpty ? id : "\(id): \(description.onOneLine)" }
}

extension Plan {
  /// Writes what the plan says of the task, as the members of an object. What has been written so far is
  /// given to `pass` again and again.
  func write<Failure>(
    _ task: Task, _ json: inout JSONWriter, _ pass: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    json.member("id", task.id)
    json.member("description", task.description)
    json.member("instructions", instructions(task))
    try writeDependencies(task, &json, pass)
    json.member("timeout_seconds", task.timeout)
    json.member("role", task.role.map { .string($0) } ?? .null)
  }

  /// Writes the key `dependencies` with an array of ids.
  func writeDependencies<Failure>(
    _ task: Task, _ json: inout JSONWriter, _ pass: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    json.key("dependencies")
    try json.array { json throws(Failure) in
      for place in dependencies(task) {
        json.string(Bytes(tasks[place].id))
        try pass(&json)
      }
    }
  }
}
