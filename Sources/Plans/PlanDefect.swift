/// What keeps a text from being a plan, and where.
public struct PlanDefect: Error, Equatable, Sendable {
  /// What it is.
  public enum Kind: Equatable, Sendable {
    /// No `**Goal:** …`, or nothing behind it.
    case noGoal
    /// No heading `### Task ID: …`.
    case noTask
    /// Bytes that are not UTF-8.
    case notUTF8
    /// A heading of a task, or a word among ids, that is no id.
    case badID(String)
    /// A second heading of the task on that line.
    case taskTwice(String, first: Int)
    /// A task that is in no group.
    case inNoGroup(String)
    /// An id in the table that was there before, on that line.
    case idTwice(String, first: Int)
    /// An id in the table for which there is no task.
    case noSuchTask(String)
    /// A group without ids.
    case emptyGroup(Int)
    /// A group whose number no `Int` holds.
    case badGroup(String)
    /// A group behind one with the same number or a higher one.
    case groupOrder(Int, after: Int)
    /// A timeout that is no number of seconds.
    case badTimeout(String)
    /// A dependency for which there is no task.
    case noSuchDependency(String, of: String)
    /// Tasks that wait for each other, each for the next one; the last one is the first one again.
    case cycle([String])
  }

  /// The line, from 1 on.
  public let line: Int
  /// What is wrong there.
  public let kind: Kind

  init(_ line: Int, _ kind: Kind) {
    self.line = line
    self.kind = kind
  }

  /// The id for which there is no task.
  public var unknownID: String? {
    switch kind {
    case .noSuchTask(let id), .noSuchDependency(let id, _): id
    default: nil
    }
  }

  /// What is wrong, with what to do where that does not go without saying.
  public var message: String {
    switch kind {
    case .noGoal: "no goal; write a line **Goal:** with what the plan is for"
    case .noTask: "no task; begin each with a heading ### Task ID: description"
    case .notUTF8: "bytes that are not UTF-8"
    case .badID(let text):
      "'\(text)' is no id of a task; ids have letters, digits, '-', '_' and '.' only"
    case .taskTwice(let id, let first): "task '\(id)' is defined twice, first on line \(first)"
    case .inNoGroup(let id):
      "task '\(id)' is in no group; add it to a row | Group N | ids | of the table"
    case .idTwice(let id, let first): "'\(id)' is in the table twice, first on line \(first)"
    case .noSuchTask(let id): "no task '\(id)'"
    case .emptyGroup(let number): "group \(number) is empty"
    case .badGroup(let digits): "the group number \(digits) is too large"
    case .groupOrder(let number, let before): "group \(number) comes after group \(before)"
    case .badTimeout(let text):
      "the timeout '\(text)' is no number of seconds from 1 to \(PlanReader.mostSeconds)"
    case .noSuchDependency(let id, let task): "'\(task)' depends on '\(id)', but no task '\(id)'"
    case .cycle(let path):
      "these tasks wait for each other: " + path.joined(separator: " -> ")
    }
  }
}
