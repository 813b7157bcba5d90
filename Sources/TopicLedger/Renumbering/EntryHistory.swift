import Git
import POSIX
import TopicAllocation

/// What git knows of entries of a root. What has been asked once is not asked again.
struct EntryHistory {
  private var known: [Bytes: Knowledge] = [:]

  /// The highest number in git's index; nil when it was not asked. A sparse checkout leaves directories
  /// out that have numbers nevertheless.
  private(set) var highestNumber: Int?

  private struct Knowledge {
    let isTracked: Bool
    let needsGitMove: Bool
    /// When it was committed first, in seconds since 1970; nil when it never was.
    let committed: Int64?
  }

  /// How old an entry is.
  struct Age: Comparable {
    /// Seconds or nanoseconds since 1970; of what is committed, of its first commit.
    fileprivate let moment: Int64
    fileprivate let isCommitted: Bool
    let isTracked: Bool
    let needsGitMove: Bool
    fileprivate let name: Bytes

    static func < (left: Age, right: Age) -> Bool {
      if left.isCommitted != right.isCommitted { return left.isCommitted }
      if left.moment != right.moment { return left.moment < right.moment }
      return left.name.lexicographicallyPrecedes(right.name)
    }
  }

  /// Asks git about those entries of `repository` that are not known yet.
  mutating func learn(
    _ names: [Bytes], _ style: Style, in repository: Repository
  ) throws(GitError) {
    let new = names.filter { known[$0] == nil }
    if new.isEmpty { return }
    if highestNumber == nil { highestNumber = try repository.highestIndexedNumber(style) }
    let index = try repository.indexEntries(of: new)
    let times = try repository.firstCommits(of: Array(index.keys))
    for name in new {
      let files = index[name] ?? []
      known[name] = Knowledge(
        isTracked: !files.isEmpty,
        needsGitMove: files.contains { $0.needsGitMove(in: repository.workTree) },
        committed: times[name])
    }
  }

  /// How old `topic` is now; what git was not asked about it does not know.
  func age(of topic: Topic) throws(GitError) -> Age {
    let knowledge = known[topic.entryName]
    let moment: Int64
    if let committed = knowledge?.committed {
      moment = committed
    } else {
      do throws(SystemError) { moment = try topic.path.birthTime() } catch { throw .system(error) }
    }
    return Age(
      moment: moment, isCommitted: knowledge?.committed != nil,
      isTracked: knowledge?.isTracked ?? false, needsGitMove: knowledge?.needsGitMove ?? false,
      name: topic.entryName)
  }
}

extension Repository {
  /// The highest number of the root's entries in git's index; 0 when there is none: git-ls-files(1).
  fileprivate func highestIndexedNumber(_ style: Style) throws(GitError) -> Int {
    let list = try git.run(
      ["ls-files", "-z", "--"].map { Bytes($0) } + [pathOfRoot], variables: Self.literalPaths)
    return list.split(separator: 0).reduce(0) { highest, path in
      max(highest, style.number(of: entry(holding: path)) ?? 0)
    }
  }

  /// When each of these entries of the root was committed first: git-log(1). Those that never were are
  /// left out.
  fileprivate func firstCommits(of names: [Bytes]) throws(GitError) -> [Bytes: Int64] {
    if names.isEmpty { return [:] }
    // No path begins with a slash.
    let slash = UInt8(ascii: "/")
    let log = try git.attempt(
      [
        "log", "--no-show-signature", "--no-renames", "--no-follow", "--root", "--diff-filter=A",
        "--name-only", "-z", "--format=/%ct", "--",
      ].map { Bytes($0) } + paths(of: names), variables: Self.literalPaths)
    if Self.hasNoCommit(log) { return [:] }
    guard log.code == 0 else { throw .failed(command: "git log", words: log.words) }
    let wanted = Set(names)
    var times: [Bytes: Int64] = [:]
    var time: Int64 = 0
    var isFirst = false
    for field in log.output.split(separator: 0) {
      if field.first == slash {
        time = Int64(String(decoding: field.dropFirst(), as: UTF8.self)) ?? 0
        isFirst = true
        continue
      }
      // git puts a newline between the format and the names.
      let name = entry(holding: isFirst ? field.dropFirst() : field)
      isFirst = false
      if wanted.contains(name) { times[name] = min(time, times[name] ?? time) }
    }
    return times
  }
}
