import POSIX

/// What several workers are to do: tasks in groups that follow one another.
public struct Plan: Sendable {
  /// What one worker does at a time.
  public struct Task: Sendable {
    /// Letters, digits, `-`, `_` and `.`.
    public let id: String
    /// What its heading says behind the id; may be empty.
    public let description: String
    /// The line of its heading, from 1 on.
    public let line: Int
    /// How long it may take, in seconds.
    public internal(set) var timeout = Plan.defaultTimeout
    /// Who is to do it, such as `reviewer`.
    public internal(set) var role: String?
    /// The place of its group in ``Plan/groups``; nil when it is in none.
    public internal(set) var group: Int?
    /// The places in ``Plan/tasks`` of those that it names as its dependencies. Those of the group
    /// before come on top.
    public internal(set) var dependencies: [Int] = []

    /// Where its instructions stand in the text of the plan.
    var body: Range<Int>
    /// The line of the table that has its id.
    var row = 0
    /// What it names as its dependencies, and where.
    var named: [(id: String, line: Int)] = []
  }

  /// Tasks that can be done at the same time, when all groups before are done.
  public struct Group: Sendable {
    /// Its number in the plan.
    public let number: Int
    /// The line of the table.
    public let line: Int
    /// The places of its tasks in ``Plan/tasks``.
    public internal(set) var tasks: Range<Int> = 0..<0
  }

  /// The time that a task may take when it says none, in seconds.
  public static let defaultTimeout = 600

  /// What all this is for.
  public internal(set) var goal = ""
  /// Its tasks: by group, and in a group as its row of the table lists them.
  public internal(set) var tasks: [Task] = []
  /// Its groups, in their order.
  public internal(set) var groups: [Group] = []
  /// The text of the plan.
  let text: Bytes

  /// What the task's section of the plan says, without empty lines before and behind it.
  public func instructions(_ task: Task) -> Bytes {
    var body = text[task.body]
    while let end = body.firstIndex(of: .newline), body[..<end].trimmed.isEmpty {
      body = body[(end + 1)...]
    }
    while let last = body.last, last == .newline || last.isSpace { body.removeLast() }
    return body.contains(UInt8(ascii: "\r")) ? Bytes(body).withPlainNewlines : Bytes(body)
  }

  /// The places of all tasks that have to be done before this one can begin: those of the group before,
  /// then those that it names.
  public func dependencies(_ task: Task) -> [Int] {
    let before = task.group.flatMap { $0 > 0 ? groups[$0 - 1].tasks : nil } ?? 0..<0
    return before + task.dependencies.filter { !before.contains($0) }
  }
}

extension Bytes {
  /// With each CR LF as LF.
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
