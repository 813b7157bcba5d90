import CommandLine
import JSON
import POSIX
import Plans

extension String {
  /// On one line, with everything escaped that acts on a terminal.
  var onOneLine: String { Bytes(self).printable }
  /// In quotes, on one line.
  var quotedForMessage: String { Bytes(self).quotedForMessage }
}

extension Plan.Task {
  /// ID and description, on one line.
  var title: String { description.isEmpty ? id : "\(id): \(description.onOneLine)" }
}

extension Plan {
  /// Writes what the plan says about the task, as the members of an object.
  ///
  /// - Parameter pass: Called again and again with what has been written so far.
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

  /// Writes the key `dependencies` with an array of IDs.
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

/// Prints what has been written so far, if it is long.
///
/// Two groups of 50,000 tasks take gigabytes, because each task of the second names all of the
/// first.
func printFinished(_ json: inout JSONWriter) throws(Failure) {
  try json.pass { text throws(Failure) in try printOut(text) }
}
