// How a renumbering survives a crash
//
// Asking git for the age of entries and for the files that mention them can take seconds. That
// happens before anything is locked (Renumbering.swift). Under the lock of the root, the directory
// and the changed files are read again, and git is asked only about new entries.
//
// In a scope beyond the root, the first look counts the numbers that are needed. They are reserved
// without the lock (Ledger.swift). The second look, under the lock, starts the moves at the first
// reserved number. If other allocations have used up reserved numbers meanwhile, the lock is
// released and more numbers are reserved. Reserved numbers without a move are gaps.
//
// Under the lock of the root, a renumbering takes these steps (RenumberingWork.swift):
//
//   1. Write the journal: which entry gets which name, and which files mention an entry or link to
//      one. It is a file in the git directory of the work tree, one for each root, written
//      atomically (AtomicFile). Only the user may write to it, or the group in a git directory that
//      the group shares.
//   2. Move the entries one by one: by git mv if they contain a submodule or another file that only
//      git can move, otherwise by renameat2(2).
//   3. Give the latter their new names in the index, all at once, by git update-index.
//   4. Replace the files that mention entries and the links to them, each atomically.
//   5. Remove the journal.
//
// A failing step undoes all earlier ones in reverse order and removes the journal. So does a signal
// that asks the process to end, if it can be held. If the index cannot be restored, the entries
// keep the names that it has, and the journal stays.
//
// After a crash, the next renumbering that changes anything in the root finishes the journal before
// it looks for duplicate numbers (RenumberingRecovery.swift). It depends on the step where the
// crash happened:
//
//   1   There is no journal, and nothing has changed.
//   2   Entries that have not moved now move to their planned names. An entry stays if its number
//       has been taken meanwhile. Entries that have moved still have their old names in the index,
//       and are renamed there with the others in step 3. The same holds for git mv, which renames
//       first and then writes its index, if it was killed in between.
//   3   git replaces its index as a whole, so it has either all old names or all new ones. If it
//       has the old ones, they are renamed now; otherwise nothing is left to do. An index.lock left
//       by a killed git must be removed by hand, as git says.
//   4   The remaining files get the new names. A file that was replaced has no old names.
//   5   All is done.
//
// A crash while steps are undone leaves the same states. An entry that has its old name again moves
// once more. If the index already has its new name, the index stays as it is.
//
// Step 3 reads the old entries of the index only after the old names are gone from disk. After
// that, no file can be staged under an old name, so no staged contents are lost.
//
// A journal is trusted only if its writer can also write to the git directory. It may name only
// entries of the root and files of the work tree outside of any git directory, with symbolic links
// resolved. Otherwise it is rejected as a whole, before anything changes. Replacement files first
// get an unpredictable name, which the journal records.
//
// So no file mentions the new name of an entry that has not moved. Untracked entries without
// mentions need no journal: each of them moves in one atomic step.

import Git
import POSIX

/// The plan of a renumbering on disk.
public struct RenumberingJournal: Sendable {
  /// The contents of a journal.
  struct Plan {
    let moves: [Renumbering.Move]
    /// The files that mention a moving entry or link to one, relative to the top of the work tree,
    /// with their names before the move.
    let files: [Bytes]
    /// The temporary name of replacement files.
    let temporary: Bytes
  }

  /// The path of the journal, which may not exist.
  let path: Path

  private let repository: Repository
  private static let format = Bytes("topic-renumber 1")

  /// Finds the journal for the root of `repository`.
  public init(of repository: Repository) throws(GitError) {
    self.repository = repository
    let name = try LedgerName(of: repository)
    // Not --git-path, which would follow a link of the journal's name.
    let directory = Path(try repository.git.run("rev-parse", "--absolute-git-dir"))
    path = directory.appending("topic-renumber." + name.text)
  }

  /// Whether a journal exists: a renumbering is incomplete.
  var isThere: Bool { (try? FileStatus.ofLink(path)) != nil }

  /// Writes `plan` to disk. The caller must hold the lock of the root.
  func write(_ plan: Plan) throws(SystemError) {
    removeLeftovers()
    var fields = [Self.format, plan.temporary, Bytes("\(plan.moves.count)")]
    for move in plan.moves { fields += [move.old, move.new, move.keeper] }
    fields += plan.files
    // NUL separates the fields, because names can contain any other byte.
    let isShared = try FileStatus.of(path.parent).isSharedByGroup
    try AtomicFile.write(
      Bytes(fields.map { $0 + [0] }.joined()), to: path, limit: isShared ? 0o660 : 0o600)
  }

  /// Reads the plan; nil if it is malformed or untrusted.
  func read() throws(SystemError) -> Plan? {
    let file: Descriptor
    do throws(SystemError) { file = try Descriptor.maintained(path, .readNoLink) } catch {
      if error.found != nil { return nil }
      throw error
    }
    let text = try file.readToEnd(atMost: Path.longestDocument)
    guard try isTrusted(file.status()), let plan = Self.plan(text),
      plan.isSound(in: repository)
    else { return nil }
    return plan
  }

  private func isTrusted(_ file: FileStatus) throws(SystemError) -> Bool {
    let directory = try FileStatus.of(path.parent)
    if directory.isSharedByGroup, file.group == directory.group {
      return file.permissions & 0o002 == 0
    }
    let isOurs =
      file.owner == System.user || System.user == 0 && file.owner == directory.owner
    return isOurs && file.permissions & 0o022 == 0
  }

  private static func plan(_ text: Bytes) -> Plan? {
    let fields = text.split(separator: 0, omittingEmptySubsequences: false).map { Bytes($0) }
    guard fields.count > 3, fields[0] == format, fields.last == [],
      let count = Int(String(decoding: fields[2], as: UTF8.self)),
      (0...(fields.count - 4) / 3).contains(count)
    else { return nil }
    let moves = (0..<count).map {
      Renumbering.Move(
        old: fields[3 + 3 * $0], new: fields[4 + 3 * $0], keeper: fields[5 + 3 * $0],
        isTracked: true, needsGitMove: false)
    }
    return Plan(
      moves: moves, files: Array(fields[(3 + 3 * count)...].dropLast()), temporary: fields[1])
  }

  /// Removes the journal. If that fails, the next renumbering finds all of it done.
  func remove() {
    try? Descriptor(opening: path.parent, .directory).removeFile(path.lastComponent)
  }

  private func removeLeftovers() {
    guard let directory = try? Descriptor(opening: path.parent, .directory) else { return }
    try? AtomicFile.removeLeftovers(of: [path.lastComponent], in: directory)
  }
}

extension RenumberingJournal.Plan {
  private static let prefix = Bytes(".topic-renumber.")

  /// Creates a temporary name for replacement files.
  static func temporaryName() -> Bytes { prefix + Bytes(randomHexadecimalDigits: 16) }

  /// Whether it names only what a renumbering in the root of `repository` can change.
  fileprivate func isSound(in repository: Repository) -> Bool {
    let digits = Bytes("0123456789abcdef")
    let random = temporary.dropFirst(Self.prefix.count)
    return temporary.starts(with: Self.prefix) && random.count == 16
      && random.allSatisfy { digits.contains($0) }
      && moves.allSatisfy { [$0.old, $0.new, $0.keeper].allSatisfy(Self.isNumberedEntry) }
      && files.allSatisfy { file in
        Self.isFile(file)
          && [repository.workTree.appending(file), repository.path(of: file, after: moves)]
            .allSatisfy { !$0.parent.isReachable || repository.encloses($0.parent) }
      }
  }

  private static func isNumberedEntry(_ name: Bytes) -> Bool {
    name.first != UInt8(ascii: ".") && !name.contains(UInt8(ascii: "/"))
      && name.contains { $0 &- UInt8(ascii: "0") <= 9 }
  }

  /// Whether git can track a file with this path.
  private static func isFile(_ path: Bytes) -> Bool {
    path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
      ![Bytes(), Bytes("."), Bytes("..")].contains(Bytes($0)) && !Repository.isGitDirectory($0)
    }
  }
}

extension FileStatus {
  /// Whether it is a directory of a repository shared by a group: git-config(1),
  /// core.sharedRepository.
  fileprivate var isSharedByGroup: Bool { isSharedWithGroup && permissions & 0o002 == 0 }
}
