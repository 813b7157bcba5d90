import POSIX

/// Work for several workers: tasks, in groups that follow one another.
public struct Plan: Sendable {
  /// The work that one worker does at a time.
  public struct Task: Sendable {
    /// Letters, digits, `-`, `_` and `.`.
    public let id: String
    /// The rest of its heading; may be empty.
    public let description: String
    /// The line of its heading, counted from 1.
    public let line: Int
    /// How long it may take, in seconds.
    public internal(set) var timeout = Plan.defaultTimeout
    /// The role of the worker that should do it, such as `reviewer`.
    public internal(set) var role: String?
    /// The place of its group in ``Plan/groups``; nil if it is in none.
    public internal(set) var group: Int?
    /// The places in ``Plan/tasks`` of the tasks that it names as its dependencies. It also depends
    /// on the group before.
    public internal(set) var dependencies: [Int] = []

    /// The range of its instructions in the text of the plan.
    var body: Range<Int>
    /// The line of the table that lists it.
    var row = 0
    /// The IDs that it names as its dependencies, with their lines.
    var named: [(id: String, line: Int)] = []
  }

  /// Tasks that can be done at the same time, once all groups before are done.
  public struct Group: Sendable {
    /// Its number in the plan.
    public let number: Int
    /// The line of its row in the table.
    public let line: Int
    /// The places of its tasks in ``Plan/tasks``.
    public internal(set) var tasks: Range<Int> = 0..<0
  }

  /// How long a task may take by default, in seconds.
  public static let defaultTimeout = 600

  /// What the plan is for.
  public internal(set) var goal = ""
  /// Its tasks: by group, and within a group in the order of its row.
  public internal(set) var tasks: [Task] = []
  /// Its groups, in order.
  public internal(set) var groups: [Group] = []
  /// The text of the plan.
  let text: Bytes

  /// The text of the task's section, without blank lines at its beginning and end.
  public func instructions(_ task: Task) -> Bytes {
    var body = text[task.body]
    while let end = body.firstIndex(of: .newline), body[..<end].isBlank {
      body = body[(end + 1)...]
    }
    while let last = body.last, last == .newline || last.isSpace { body.removeLast() }
    return body.contains(UInt8(ascii: "\r")) ? Bytes(body).withPlainNewlines : Bytes(body)
  }

  /// The places of all tasks that must be done before this one: those of the group before, then
  /// those that it names.
  public func dependencies(_ task: Task) -> [Int] {
    let before = task.group.flatMap { $0 > 0 ? groups[$0 - 1].tasks : nil } ?? 0..<0
    return before + task.dependencies.filter { !before.contains($0) }
  }
}

extension Bytes {
  /// With LF instead of each CR LF.
  fileprivate var withPlainNewlines: Bytes {
    var text = Bytes()
    text.reserveCapacity(count)
    for byte in self {
      if byte == .newline, text.last == UInt8(ascii: "\r") { text.removeLast() }
      text.append(byte)
    }
    return text
  }
}
