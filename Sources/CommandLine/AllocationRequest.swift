import POSIX
import TopicAllocation
import TopicLedger

extension Option {
  /// How to print what is allocated.
  public static var allocationFormat: Option {
    Option(
      "format", "f", .choice("FORMAT", TopicFormat.self),
      help: """
        `json` (default), `jsonl`, `pipe` (`042|/path`), `path`, `number` or `shell` (assignments for
        `eval`): see `topic help formats`.
        """)
  }
  /// Whether to say how long the lock was waited for and held.
  public static var lockTimes: Option {
    Option(
      "verbose", "v",
      help: """
        Print on standard error how long the call waited for the lock and held it, and from when to
        when, in seconds of the monotonic clock.
        """)
  }
  /// Whether to print a topic of the same name instead of creating one.
  public static var reuse: Option {
    Option(
      "reuse", "r",
      help: """
        If an entry of exactly this name exists, print it and create nothing. Of several, take the one
        with the lowest number. The decision is made under the lock, so concurrent calls agree.
        """)
  }
  /// A number that the caller chooses.
  public static var number: Option {
    Option(
      "number", "n", .text("N"),
      help: """
        Take the number N, from 0 to 9999999. If it is taken, fail and name its owner. With `--reuse`,
        print an owner of exactly this name instead, and fail if the name has another number. Goes
        with one NAME.
        """)
  }
  /// Whether to print a preview only.
  public static var dryRun: Option {
    Option(
      "dry-run",
      help: """
        Print what would be allocated now. Create nothing and take no lock; the answer can be outdated
        by the time it is read.
        """)
  }
  /// Where a number is unique.
  public static var scope: Option {
    Option(
      "scope", .choice("SCOPE", ["root", "worktrees", "remote"]),
      help: """
        Where numbers are unique: `root` (default: among all who share ROOT), `worktrees` (in all work
        trees of the repository), or `remote` or `remote=NAME` (in all clones that push to that remote;
        default: origin). Without this option, `$TOPIC_ALLOC_SCOPE` counts, or else
        `git config topic-alloc.scope`: see `topic help scopes`.
        """)
  }
  /// Whether to look at all work trees and branches again.
  public static var rescan: Option {
    Option(
      "rescan",
      help: """
        Look at the same root in all other work trees and branches for numbers in use, as the first
        call with a scope does. With a remote, look at its branches as they are now.
        """)
  }
  /// How long to wait for the lock of a root.
  public static var rootLockTimeout: Option {
    Option(
      "timeout", "w", .text("SECS"),
      help: """
        Give up if the lock is not free after SECS seconds (default 30; fractions are allowed; 0: do
        not wait).
        """)
  }
  /// Whether to wait for the disk.
  public static var durable: Option {
    Option(
      "durable",
      help: """
        Have the new entries on disk, by fsync(2), before they are reported. The lock is released
        before that.
        """)
  }
}

/// The topics that a command line asks for, and the format to print them in.
public struct AllocationRequest {
  /// The directory that the topics go to.
  public let root: Root
  /// The names of the topics, in order.
  public let slugs: [Slug]
  /// How the topics are named.
  public let style: Style
  /// How they are printed.
  public let format: TopicFormat
  private let arguments: Arguments

  /// A request for topics with these names in `root`, which need not exist yet.
  public init(
    root: Path, slugs: [Slug], style: Style, _ arguments: Arguments,
    defaultFormat: TopicFormat = .json
  ) throws(Failure) {
    self.root = try attempt(Root(locating: root), otherwise: .cannotCreate)
    self.slugs = slugs
    self.style = style
    self.arguments = arguments
    format = try arguments.choice("format", of: TopicFormat.self) ?? defaultFormat
  }

  /// Allocates the topics and prints them.
  ///
  /// - Parameters:
  ///   - tool: The program that notes on standard error come from.
  ///   - scope: Where the numbers are unique.
  ///   - findProject: Returns the project of the root at a path; called for formats that name it.
  public func perform(
    _ tool: Tool, in scope: Scope, projectOf findProject: (Path) throws(SystemError) -> Path
  ) throws(Failure) {
    let allocator = try allocator()
    let project =
      try format.namesProject
      ? attempt(findProject(root.path), otherwise: .cannotCreate) : root.path
    let context = TopicContext(project: project, root: root.path, style)
    try format.check(root.path, topics: slugs.count)
    try format.check(context.project, topics: 1)
    if arguments.has("dry-run") { return try print(preview(allocator, scope, tool), context) }
    let allocation = try allocate(allocator, scope, tool, context)
    try print(allocation.topics, context)
    if arguments.has("verbose") {
      let (acquired, released) = (allocation.acquired, allocation.released)
      // From these times, a reader can tell that no two callers held it at once.
      tool.note(
        "waited \(milliseconds(allocation.waited)) ms for the lock, held it for"
          + " \(milliseconds(released - acquired)) ms,"
          + " from \(seconds(acquired)) s"
          + " to \(seconds(released)) s")
    }
  }

  private func allocator() throws(Failure) -> Allocator {
    var allocator = Allocator(root, style)
    if let timeout = try arguments.seconds("timeout") { allocator.timeout = timeout }
    allocator.number = try arguments.number("number", in: 0...Style.highestNumber)
    allocator.reusesNames = arguments.has("reuse")
    allocator.isDurable = arguments.has("durable")
    if allocator.number != nil, slugs.count > 1 {
      throw .usage("--number goes with one NAME, not with \(slugs.count)")
    }
    return allocator
  }

  private func allocate(
    _ allocator: Allocator, _ scope: Scope, _ tool: Tool, _ context: TopicContext
  ) throws(Failure) -> Allocator.Allocation {
    guard let scoped = scoped(allocator, scope, tool) else {
      do { return try allocator.allocate(slugs) } catch { throw tell(error, context) }
    }
    do { return try scoped.allocate(slugs) } catch {
      switch error {
      case .ledger(let error): throw Failure(error)
      case .creation(let failure, let reserved): throw tell(failure, reserved, context)
      }
    }
  }

  private func preview(_ allocator: Allocator, _ scope: Scope, _ tool: Tool) throws(Failure)
    -> [Topic]
  {
    guard let scoped = scoped(allocator, scope, tool) else {
      do { return try allocator.preview(slugs) } catch { throw Failure(error.reason) }
    }
    do { return try scoped.preview(slugs) } catch {
      switch error {
      case .ledger(let error): throw Failure(error)
      case .creation(let failure, _): throw Failure(failure.reason)
      }
    }
  }

  private func scoped(_ allocator: Allocator, _ scope: Scope, _ tool: Tool) -> ScopedAllocator? {
    switch scope {
    case .root: nil
    case .worktrees: scoped(allocator, remote: nil, tool)
    case .remote(let name): scoped(allocator, remote: name, tool)
    }
  }

  private func scoped(_ allocator: Allocator, remote: String?, _ tool: Tool) -> ScopedAllocator {
    ScopedAllocator(allocator, remote: remote, rescan: arguments.has("rescan")) { tool.note($0) }
  }

  /// As ``tell(_:_:)``, and names the numbers that stay reserved without a topic.
  private func tell(
    _ failure: AllocationFailure, _ reserved: ClosedRange<Int>?, _ context: TopicContext
  ) -> Failure {
    let failed = tell(failure, context)
    guard let reserved else { return failed }
    let created = Set(failure.done.map(\.number))
    let gaps = reserved.filter { !created.contains($0) }
      .map { String(decoding: style.digits($0), as: UTF8.self) }
    if gaps.isEmpty { return failed }
    let numbers =
      gaps.count == 1
      ? "number \(gaps[0]) stays" : "numbers \(gaps[0]) to \(gaps[gaps.count - 1]) stay"
    return failed.adding("\(numbers) reserved: a gap")
  }

  /// Prints the topics that a failed allocation did create, and returns the failure to end with.
  private func tell(_ failure: AllocationFailure, _ context: TopicContext) -> Failure {
    let reason = Failure(failure.reason)
    if failure.done.isEmpty { return reason }
    let exists = list(failure.done.map(\.path.bytes))
    switch failure.reason {
    case .notDurable: return reason.adding("created, but possibly not on disk: \(exists)")
    case .interrupted: return reason.adding("no longer empty, so not removed: \(exists)")
    default: break
    }
    let whole = reason.adding("not created: \(list(failure.missing.map(\.bytes)))")
    do { try print(failure.done, context) } catch { return whole.adding(error.message ?? "") }
    return whole
  }

  private func print(_ topics: [Topic], _ context: TopicContext) throws(Failure) {
    var text = Bytes()
    for topic in topics { text += format.text(topic, context) }
    do { try printOut(text) } catch {
      if arguments.has("dry-run") { throw error }
      throw error.adding("created: \(list(topics.map(\.path.bytes)))")
    }
  }

  /// Paths or names in order; if there are many, only the first and the last one.
  private func list(_ items: [Bytes]) -> String {
    let quoted = items.map(\.quotedForMessage)
    return quoted.count > 20
      ? "\(quoted[0]) to \(quoted[quoted.count - 1]), \(quoted.count) in all"
      : quoted.joined(separator: ", ")
  }
}

extension Failure {
  /// This failure with `more` at the end of its message.
  fileprivate func adding(_ more: String) -> Failure {
    Failure(code, message.map { "\($0); \(more)" } ?? more, advice: advice)
  }
}

/// Milliseconds with three digits after the point: `0.045`.
private func milliseconds(_ duration: Duration) -> String {
  decimal((duration.nanoseconds + 500) / 1_000, digits: 3)
}

/// Seconds of the monotonic clock with nine digits after the point: `81.123456789`.
private func seconds(_ instant: Instant) -> String { decimal(instant.nanoseconds, digits: 9) }

/// `value` in decimal, with so many digits after the point.
private func decimal(_ value: UInt64, digits: Int) -> String {
  let text = value.padded(to: digits + 1)
  return "\(text.dropLast(digits)).\(text.suffix(digits))"
}
