import Git
import POSIX
import TopicAllocation

/// The scope that git's configuration sets for a root.
public enum ScopeConfiguration {
  private static let configuration = Configuration(section: "topic-alloc", name: "scope")
  /// The key in git's configuration.
  public static var key: String { configuration.key }

  /// Returns the value of `topic-alloc.scope` for the root; nil if it is not set, or if the root is
  /// not in a work tree.
  public static func value(for root: Root, until deadline: Instant) throws(GitError) -> Bytes? {
    var broken: [Path] = []
    let top = Location.workTree(holding: root.path) { broken.append($0) }
    return try configuration.value(in: top, passedOver: broken, until: deadline)
  }
}
