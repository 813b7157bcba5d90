import Git
import POSIX
import TopicAllocation

/// What git knows about the entries of a root. Each entry is looked up once.
struct EntryHistory {
  private var known: [Bytes: Knowledge] = [:]

  /// The highest number in git's index; nil before the first lookup. A sparse checkout omits
  /// directories, but their numbers are in use.
  private(set) var highestNumber: Int?

  private struct Knowledge {
    let isTracked: Bool
    let needsGitMove: Bool
    /// When it was first committed, in seconds since 1970; nil if it never was.
    let committed: Int64?
  }

  /// The age of an entry: older entries come first.
  struct Age: Comparable {
    /// The first commit in seconds since 1970, or the birth of an uncommitted entry in nanoseconds.
    /// The two are never compared.
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

  /// Looks up the entries that are not known yet.
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

  /// Returns the current age of `topic`, which counts as uncommitted if git was not asked about it.
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
  /// The highest number of the root in git's index; 0 if there is none: git-ls-files(1).
  fileprivate func highestIndexedNumber(_ style: Style) throws(GitError) -> Int {
    let list = try git.run(
      ["ls-files", "-z", "--"].map { Bytes($0) } + [pathOfRoot], variables: Self.literalPaths)
    return list.split(separator: 0).reduce(0) { highest, path in
      max(highest, style.number(of: entry(holding: path)) ?? 0)
    }
  }

  /// When each of these entries was first committed: git-log(1). Omits those that never were.
  fileprivate func firstCommits(of names: [Bytes]) throws(GitError) -> [Bytes: Int64] {
    if names.isEmpty { return [:] }
    // Marks a time in the output, because no path begins with a slash.
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
      // git prints a newline between the format and the names.
      let name = entry(holding: isFirst ? field.dropFirst() : field)
      isFirst = false
      if wanted.contains(name) { times[name] = min(time, times[name] ?? time) }
    }
    return times
  }
}
