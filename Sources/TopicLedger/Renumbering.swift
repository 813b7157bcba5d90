import POSIX
import TopicAllocation

/// How numbers that are there twice come apart: of those that share one, the oldest keeps it, the others
/// get new ones above the highest. The oldest is the one that was committed first, else the one that was
/// born first; what is committed is older than what is not.
public struct Renumbering: Sendable {
  /// An entry that gets another name.
  public struct Move: Hashable, Sendable {
    /// What it is called.
    public let old: Bytes
    /// What it will be called: the new number, and the rest of its name.
    public let new: Bytes
    /// The entry that keeps the number.
    public let keeper: Bytes
    /// Whether git has files of it.
    public let isTracked: Bool
  }

  /// The entries that move, in the order of their new numbers.
  public let moves: [Move]
  /// The new numbers.
  public let numbers: Range<Int>
  /// Where tracked text files mention them.
  public let mentions: [Mention]
  /// The tracked links that lead to them.
  public let links: [Retargeting]

  /// What has to be done in `root`; without a `repository`, no history is asked and nothing mentioned.
  /// New numbers begin with `first`, or follow the highest one.
  public init(
    of root: Root, _ style: Style, in repository: Repository?, first: Int? = nil,
    findsMentions: Bool
  ) throws(LedgerError) {
    let topics: [Topic]
    do throws(SystemError) { topics = try root.topics(style) } catch { throw .system(error) }
    let start = max(first ?? 0, (topics.last?.number ?? 0) + 1)
    var next = start
    var moves: [Move] = []
    var index = 0
    while index < topics.count {
      let same = topics[index...].prefix { $0.number == topics[index].number }
      index += same.count
      if same.count == 1 { continue }
      var aged: [(topic: Topic, age: Age)] = []
      for topic in same { aged.append((topic, try Age(of: topic, in: repository))) }
      aged.sort { $0.age < $1.age }
      for (topic, age) in aged.dropFirst() {
        if next > Style.highestNumber { throw .numbersExhausted(next: next) }
        let rest = topic.entryName.dropFirst(topic.digits.count)
        moves.append(
          Move(
            old: topic.entryName, new: style.digits(next) + rest, keeper: aged[0].topic.entryName,
            isTracked: age.isTracked))
        next += 1
      }
    }
    self.moves = moves
    numbers = start..<next
    var mentions: [Mention] = []
    var links: [Retargeting] = []
    if findsMentions, let repository {
      mentions = try Mention.all(of: moves, in: repository)
      links = try Retargeting.all(of: moves, in: repository)
    }
    self.mentions = mentions
    self.links = links
  }

  /// How old an entry is.
  private struct Age: Comparable {
    /// Seconds or nanoseconds since 1970; of what is committed, of its first commit.
    let moment: Int64
    let isCommitted: Bool
    let isTracked: Bool
    let name: Bytes

    init(of topic: Topic, in repository: Repository?) throws(LedgerError) {
      name = topic.entryName
      if let repository {
        let path = repository.path(of: topic.entryName)
        isTracked = try !repository.git.run(
          [Bytes("ls-files"), Bytes("-z"), Bytes("--"), path], variables: Repository.literalPaths
        ).isEmpty
        let log = try repository.git.attempt(
          ["log", "--no-show-signature", "--no-renames", "--diff-filter=A", "--format=%ct", "--"]
            .map { Bytes($0) } + [path], variables: Repository.literalPaths)
        // A repository without a commit has no log.
        let times = log.output.split(separator: .newline)
          .compactMap { Int64(String(decoding: $0, as: UTF8.self)) }
        if log.code == 0, isTracked, let first = times.min() {
          (moment, isCommitted) = (first, true)
          return
        }
      } else {
        isTracked = false
      }
      isCommitted = false
      do throws(SystemError) { moment = try topic.path.birthTime() } catch { throw .system(error) }
    }

    static func < (left: Age, right: Age) -> Bool {
      if left.isCommitted != right.isCommitted { return left.isCommitted }
      if left.moment != right.moment { return left.moment < right.moment }
      return left.name.lexicographicallyPrecedes(right.name)
    }
  }
}

extension Repository {
  /// A path means itself, whatever characters it has: git(1).
  static let literalPaths = [Bytes("GIT_LITERAL_PATHSPECS=1")]
}
