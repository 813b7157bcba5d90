import POSIX

/// Why git could not be asked, or did not do what it was asked.
public enum GitError: Error, Sendable {
  /// A system call failed, such as starting git.
  case system(SystemError)
  /// There is no git in PATH.
  case noGit
  /// The directory is in no git work tree.
  case noWorkTree(Path)
  /// The `.git` of this work tree leads to a git directory that does not exist; nil when it names none.
  case repositoryMissing(workTree: Path, at: Path?)
  /// A file of the configuration, or a git directory, cannot be read.
  case unreadable(SystemError)
  /// git refuses the repository of this work tree, whose files mention the key that was looked up; git's
  /// own words.
  case repositoryRefused(Path, words: String)
  /// This git command failed; these are its own words.
  case failed(command: String, words: String)
  /// That names no commit; git's own words.
  case noCommit(Bytes, words: String)
  /// It took too long: so many nanoseconds.
  case notInTime(what: String, waited: Duration)
  /// A signal asked the process to end.
  case interrupted
}
