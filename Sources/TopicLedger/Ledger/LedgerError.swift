import Git
import POSIX
import TopicAllocation

/// Why numbers could not be reserved.
public enum LedgerError: Error, Sendable {
  /// A system call failed.
  case system(SystemError)
  /// git could not be asked, or failed.
  case git(GitError)
  /// A remote of that name does not exist.
  case unknownRemote(String)
  /// The remote could not be reached; git's own words.
  case unreachable(remote: String, words: String)
  /// The remote does not accept the reservation; its own words.
  case refused(remote: String, words: String)
  /// Others were faster until the time was up: after so many nanoseconds.
  case notInTime(what: String, waited: Duration)
  /// Another process of this machine held the lock of the ledger until the time was up.
  case lockBusy(Path, LockHolder?, waited: Duration)
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
}

/// The answer of git; when it fails, that is why the ledger does.
func askGit<Answer>(
  _ question: @autoclosure () throws(GitError) -> Answer
) throws(LedgerError) -> Answer {
  do throws(GitError) { return try question() } catch { throw .git(error) }
}

extension Ledger {
  /// As ``GitCommand/run(_:input:variables:)``.
  func run(
    _ words: [Bytes], input: Bytes = [], variables: [Bytes] = []
  ) throws(LedgerError) -> Bytes {
    try askGit(repository.git.run(words, input: input, variables: variables))
  }

  /// As ``run(_:input:variables:)``, for words that are text.
  func run(_ words: String...) throws(LedgerError) -> Bytes {
    try run(words.map { Bytes($0) })
  }

  /// As ``GitCommand/attempt(_:input:variables:)``.
  func attempt(
    _ words: [Bytes], input: Bytes = []
  ) throws(LedgerError) -> GitCommand.Answer {
    try askGit(repository.git.attempt(words, input: input))
  }
}
