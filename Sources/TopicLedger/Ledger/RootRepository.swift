import Git
import POSIX
import TopicAllocation

extension Repository {
  /// Finds the work tree that contains the root at `root`, which need not exist yet. git has until
  /// `deadline`.
  public init(holding root: Root, until deadline: Instant) throws(GitError) {
    var existing = root.path
    for _ in 0..<root.missing { existing = existing.parent }
    try self.init(
      holding: root.path, existing: existing, in: Location.workTree(holding: existing),
      until: deadline)
  }
}
