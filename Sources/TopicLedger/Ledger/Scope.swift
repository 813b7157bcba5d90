import POSIX

/// Among whom a number is unique.
public enum Scope: Hashable, Sendable {
  /// Those who share the directory.
  case root
  /// All work trees of the repository.
  case worktrees
  /// All clones that push to the remote of this name.
  case remote(String)

  /// The remote that is meant where none is named.
  public static let defaultRemote = "origin"
  /// What can be given for one.
  public static let spellings = ["root", "worktrees", "remote", "remote=NAME"]

  /// The scope that `text` names: `root`, `worktrees`, `remote` or `remote=NAME`; nil for all else.
  public init?(_ text: Bytes) {
    let prefix = Bytes("remote=")
    switch text {
    case Bytes("root"): self = .root
    case Bytes("worktrees"): self = .worktrees
    case Bytes("remote"): self = .remote(Self.defaultRemote)
    default:
      let name = String(decoding: text.dropFirst(prefix.count), as: UTF8.self)
      // What begins with a dash would be an option of git.
      guard text.starts(with: prefix), !name.isEmpty, name.first != "-" else { return nil }
      self = .remote(name)
    }
  }
}
