import Git
import POSIX
import TopicAllocation

/// A plan that resolves duplicate numbers.
///
/// Of the entries that share a number, the oldest keeps it. The others get new numbers above the
/// highest in the root and in git's index. A committed entry is older than an uncommitted one.
/// Committed entries are compared by their first commit, others by their birth time.
public struct Renumbering: Sendable {
  /// An entry to rename.
  public struct Move: Hashable, Sendable {
    /// Its current name.
    public let old: Bytes
    /// Its new name: the new number and the rest of the old name.
    public let new: Bytes
    /// The entry that keeps the number.
    public let keeper: Bytes
    /// Whether git tracks files in it.
    public let isTracked: Bool
    /// Whether only git can move it: IndexEntry.swift.
    let needsGitMove: Bool
  }

  /// The entries to rename, in the order of their new numbers.
  public let moves: [Move]
  /// The new numbers.
  public let numbers: Range<Int>
  /// The lines of tracked text files that mention them.
  public let mentions: [Mention]
  /// The tracked links that lead to them.
  public let links: [Retargeting]

  /// The answers of git, which can take long.
  private let history: EntryHistory
  private let search: MentionSearch

  /// Plans the renumbering of `root`.
  ///
  /// - Parameters:
  ///   - root: The root to renumber.
  ///   - style: The style of its numbers.
  ///   - repository: The work tree of the root. Without one, all entries count as uncommitted, and
  ///     nothing mentions them.
  ///   - first: The smallest new number to use.
  ///   - findsMentions: Whether to look for mentions and links.
  ///   - earlier: An earlier plan. The root is read again, but git is asked only about entries that
  ///     are new or newly in conflict.
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
  /// Splits the array into the longest runs of elements with the same `key`.
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
