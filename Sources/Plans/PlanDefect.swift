/// A mistake in a plan, with its line.
public struct PlanDefect: Error, Equatable, Sendable {
  /// The kinds of mistakes.
  public enum Kind: Equatable, Sendable {
    /// There is no `**Goal:** …`, or nothing follows it.
    case noGoal
    /// There is no heading `### Task ID: …`.
    case noTask
    /// Bytes that are not UTF-8.
    case notUTF8
    /// A heading of a task, or a word in a list of IDs, that is not an ID.
    case badID(String)
    /// A second heading for a task whose first is on that line.
    case taskTwice(String, first: Int)
    /// A task that is in no group.
    case inNoGroup(String)
    /// An ID that is in the table already, on that line.
    case idTwice(String, first: Int)
    /// An ID in the table for which there is no task.
    case noSuchTask(String)
    /// A group without IDs.
    case emptyGroup(Int)
    /// A group whose number is too large for an `Int`.
    case badGroup(String)
    /// A group after one with the same number or a higher one.
    case groupOrder(Int, after: Int)
    /// A timeout that is not a number of seconds.
    case badTimeout(String)
    /// A dependency for which there is no task.
    case noSuchDependency(String, of: String)
    /// Tasks that wait for each other, each for the next; the last is the first again.
    case cycle([String])
  }

  /// The line, counted from 1.
  public let line: Int
  /// The mistake.
  public let kind: Kind

  init(_ line: Int, _ kind: Kind) {
    self.line = line
    self.kind = kind
  }

  /// The ID for which there is no task.
  public var unknownID: String? {
    switch kind {
    case .noSuchTask(let id), .noSuchDependency(let id, _): id
    default: nil
    }
  }

  /// What is wrong, and how to correct it where that is not obvious.
  public var message: String {
    switch kind {
    case .noGoal: "no goal; add a line **Goal:** that says what the plan is for"
    case .noTask: "no task; begin each task with a heading ### Task ID: description"
    case .notUTF8: "bytes that are not UTF-8"
    case .badID(let text):
      "'\(text)' is not the ID of a task; use letters, digits, '-', '_' and '.'"
    case .taskTwice(let id, let first): "task '\(id)' is defined twice, first on line \(first)"
    case .inNoGroup(let id):
      "task '\(id)' is in no group; add it to a row | Group N | IDS | of the table"
    case .idTwice(let id, let first): "'\(id)' is in the table twice, first on line \(first)"
    case .noSuchTask(let id): "there is no task '\(id)'"
    case .emptyGroup(let number): "group \(number) is empty"
    case .badGroup(let digits): "the group number \(digits) is too large"
    case .groupOrder(let number, let before): "group \(number) comes after group \(before)"
    case .badTimeout(let text):
      "the timeout '\(text)' is not a number of seconds from 1 to \(PlanReader.mostSeconds)"
    case .noSuchDependency(let id, let task):
      "'\(task)' depends on '\(id)', but there is no task '\(id)'"
    case .cycle(let path):
      "these tasks wait for each other: " + path.joined(separator: " -> ")
    }
  }
}
