import POSIX

/// Why a git command failed or could not run.
public enum GitError: Error, Sendable {
  /// A system call failed, such as starting git.
  case system(SystemError)
  /// git is not in PATH.
  case noGit
  /// The directory is not in a git work tree.
  case noWorkTree(Path)
  /// The `.git` of this work tree leads to a git directory that does not exist; nil if it names
  /// none.
  case repositoryMissing(workTree: Path, at: Path?)
  /// A configuration file or a git directory cannot be read.
  case unreadable(SystemError)
  /// git refuses the repository of this work tree, whose files mention the key. `words` is git's
  /// message.
  case repositoryRefused(Path, words: String)
  /// This git command failed. `words` is its message.
  case failed(command: String, words: String)
  /// The name is not a commit. `words` is git's message.
  case noCommit(Bytes, words: String)
  /// It took too long: so many nanoseconds.
  case notInTime(what: String, waited: Duration)
  /// A signal asked the process to end.
  case interrupted
}
