import POSIX

/// Where a number is unique.
public enum Scope: Hashable, Sendable {
  /// In the directory.
  case root
  /// In all work trees of the repository.
  case worktrees
  /// In all clones that push to the remote of this name.
  case remote(String)

  /// The remote to use if none is named.
  public static let defaultRemote = "origin"
  /// The accepted spellings.
  public static let spellings = ["root", "worktrees", "remote", "remote=NAME"]

  /// Parses `root`, `worktrees`, `remote` or `remote=NAME`; nil for anything else.
  public init?(_ text: Bytes) {
    let prefix = Bytes("remote=")
    switch text {
    case Bytes("root"): self = .root
    case Bytes("worktrees"): self = .worktrees
    case Bytes("remote"): self = .remote(Self.defaultRemote)
    default:
      let name = String(decoding: text.dropFirst(prefix.count), as: UTF8.self)
      // git would take a leading dash for an option.
      guard text.starts(with: prefix), !name.isEmpty, name.first != "-" else { return nil }
      self = .remote(name)
    }
  }
}
