import Git
import POSIX
import TopicAllocation

/// Why numbers could not be reserved.
public enum LedgerError: Error, Sendable {
  /// A system call failed.
  case system(SystemError)
  /// A git command failed.
  case git(GitError)
  /// No remote has this name.
  case unknownRemote(String)
  /// The remote could not be reached. `words` is git's message.
  case unreachable(remote: String, words: String)
  /// The remote refused the reservation. `words` is its message.
  case refused(remote: String, words: String)
  /// Others were faster until the time was up: after so many nanoseconds.
  case notInTime(what: String, waited: Duration)
  /// Another process of this machine held the lock of the ledger until the time was up.
  case lockBusy(Path, LockHolder?, waited: Duration)
  /// The tip of the ledger is not a reservation.
  case damaged(reference: String, commit: String)
  /// The number is already reserved for this entry.
  case numberReserved(Int, by: Bytes)
  /// This entry in another work tree or branch has the number.
  case numberTaken(Int, by: Bytes, in: Bytes)
  /// A shallow fetch has cut the ledger, so it is unknown whether the number is reserved.
  case recordCut(Int, reference: String)
  /// The remote refuses reservations as too late, though its ledger has not changed. `words` is
  /// git's message.
  case contradicted(remote: String, reference: String, words: String)
  /// There are no numbers left.
  case numbersExhausted(next: Int)
}

/// Returns the answer of git; its error becomes a ledger error.
func askGit<Answer>(
  _ question: @autoclosure () throws(GitError) -> Answer
) throws(LedgerError) -> Answer {
  do throws(GitError) { return try question() } catch { throw .git(error) }
}

extension Ledger {
  /// Runs git, as ``GitCommand/run(_:input:variables:)`` does.
  func run(
    _ words: [Bytes], input: Bytes = [], variables: [Bytes] = []
  ) throws(LedgerError) -> Bytes {
    try askGit(repository.git.run(words, input: input, variables: variables))
  }

  /// Runs git, as ``run(_:input:variables:)`` does.
  func run(_ words: String...) throws(LedgerError) -> Bytes {
    try run(words.map { Bytes($0) })
  }

  /// Runs git, as ``GitCommand/attempt(_:input:variables:)`` does.
  func attempt(
    _ words: [Bytes], input: Bytes = []
  ) throws(LedgerError) -> GitCommand.Answer {
    try askGit(repository.git.attempt(words, input: input))
  }
}
