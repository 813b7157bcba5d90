import Git
import POSIX
import TopicAllocation

/// How duplicate numbers are resolved: of the entries that share one, the oldest keeps it, the others
/// get new ones above the highest in the root and in git's index. The oldest is the one that was
/// committed first, else the one that was born first; what is committed is older than what is not.
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
    /// Whether git itself has to move it: IndexEntry.swift.
    let needsGitMove: Bool
  }

  /// The entries that move, in the order of their new numbers.
  public let moves: [Move]
  /// The new numbers.
  public let numbers: Range<Int>
  /// Where tracked text files mention them.
  public let mentions: [Mention]
  /// The tracked links that lead to them.
  public let links: [Retargeting]

  /// What git has said, which can take it long.
  private let history: EntryHistory
  private let search: MentionSearch

  /// What has to be done in `root`; without a `repository`, no history is asked and nothing mentioned.
  /// New numbers begin with `first`, or follow the highest one. After an `earlier` look, the root is read
  /// again, and git is asked only about entries that were not there or not in the way then.
  public init(
    of root: Root, _ style: Style, in repository: Repository?, first: Int? = nil,
    findsMentions: Bool, after earlier: Renumbering? = nil
  ) throws(LedgerError) {
    let topics: [Topic]
    do throws(SystemError) { topics = try root.topics(style) } catch { throw .system(error) }
    let same = topics.chunked(by: \.number).filter { $0.count > 1 }
    var history = earlier?.history ?? EntryHistory()
    if let repository {
      try askGit(history.learn(same.joined().map(\.entryName), style, in: repository))
    }
    let highest = max(topics.last?.number ?? 0, history.highestNumber ?? 0)
    let start = max(first ?? 0, highest + 1)
    var next = start
    var moves: [Move] = []
    for same in same {
      var aged: [(topic: Topic, age: EntryHistory.Age)] = []
      for topic in same { aged.append((topic, try askGit(history.age(of: topic)))) }
      aged.sort { $0.age < $1.age }
      for (topic, age) in aged.dropFirst() {
        if next > Style.highestNumber { throw .numbersExhausted(next: next) }
        let rest = topic.entryName.dropFirst(topic.digits.count)
        moves.append(
          Move(
            old: topic.entryName, new: style.digits(next) + rest, keeper: aged[0].topic.entryName,
            isTracked: age.isTracked, needsGitMove: age.needsGitMove))
        next += 1
      }
    }
    self.moves = moves
    numbers = start..<next
    var search = earlier?.search ?? MentionSearch()
    var mentions: [Mention] = []
    var links: [Retargeting] = []
    if findsMentions, !moves.isEmpty, let repository {
      mentions = try askGit(search.mentions(of: moves, in: repository))
      links = try askGit(search.links(of: moves, in: repository))
    }
    self.mentions = mentions
    self.links = links
    self.history = history
    self.search = search
  }
}

extension Array {
  /// The longest runs of elements that have the same `key`.
  fileprivate func chunked(by key: (Element) -> Int) -> [ArraySlice<Element>] {
    var chunks: [ArraySlice<Element>] = []
    var rest = self[...]
    while let first = rest.first {
      chunks.append(rest.prefix { key($0) == key(first) })
      rest = rest.dropFirst(chunks[chunks.count - 1].count)
    }
    return chunks
  }
}
