import Git
import POSIX
import TopicAllocation

/// The scope that the configuration of git sets for a root.
public enum ScopeConfiguration {
  private static let configuration = Configuration(section: "topic-alloc", name: "scope")
  /// The key in the configuration.
  public static var key: String { configuration.key }

  /// What `topic-alloc.scope` says for the root at `root`; nil when nothing does, or when the root is in
  /// no work tree.
  public static func value(for root: Root, until deadline: Instant) throws(GitError) -> Bytes? {
    var broken: [Path] = []
    let top = Location.workTree(holding: root.path) { broken.append($0) }
    return try configuration.value(in: top, passedOver: broken, until: deadline)
  }
}
