import POSIX
import TopicAllocation

/// Why numbers could not be reserved, or git not be asked.
public enum LedgerError: Error, Sendable {
  /// A system call failed, such as starting git.
  case system(SystemError)
  /// There is no git in PATH.
  case noGit
  /// The directory is in no git work tree.
  case noWorkTree(Path)
  /// The `.git` of this work tree leads to a git directory that does not exist; nil when it names none.
  case repositoryMissing(workTree: Path, at: Path?)
  /// A file of git that can set the scope, or a git directory, cannot be read.
  case unreadable(SystemError)
  /// git refuses the repository of this work tree, whose files mention a scope; git's own words.
  case repositoryRefused(Path, words: String)
  /// This git command failed; these are its own words.
  case git(command: String, words: String)
  /// That names no commit; git's own words.
  case noCommit(Bytes, words: String)
  /// A remote of that name does not exist.
  case unknownRemote(String)
  /// The remote could not be reached; git's own words.
  case unreachable(remote: String, words: String)
  /// The remote does not accept the reservation; its own words.
  case refused(remote: String, words: String)
  /// Others were faster until the time was up, or it took too long: after so many nanoseconds.
  case notInTime(what: String, waited: UInt64)
  /// Another process of this machine held the lock of the ledger until the time was up.
  case lockBusy(Path, LockHolder?, waited: UInt64)
  /// The tip of the ledger is no reservation.
  case damaged(reference: String, commit: String)
  /// That number is reserved already, by this entry.
  case numberReserved(Int, by: Bytes)
  /// That number has this entry in another work tree or a branch.
  case numberTaken(Int, by: Bytes, in: Bytes)
  /// Whether that number is reserved is not known: a shallow fetch has cut the ledger.
  case recordCut(Int, reference: String)
  /// The remote refuses reservations as too late, though its ledger is what it was expected to be; git's
  /// own words.
  case contradicted(remote: String, reference: String, words: String)
  /// Past the last number there is.
  case numbersExhausted(next: Int)
  /// A signal asked the process to end.
  case interrupted
}
