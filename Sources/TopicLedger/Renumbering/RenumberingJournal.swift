// A renumbering that ends half-way
//
// Asking git for the age of entries and for the files that mention them can take seconds. So that happens
// before anything is locked (Renumbering.swift). Under the lock of the root, the directory and the changed
// files are read again, and git is asked only about new entries.
//
// In a scope beyond the root, the first look counts the numbers that are needed. They are reserved without
// the lock (Ledger.swift). The second look, under the lock, starts the moves at the first reserved number. If
// others have numbered in the directory meanwhile and a number is not reserved, the lock is released and more
// numbers are reserved. Reserved numbers without a move are gaps.
//
// The order of things, under the lock of the root (RenumberingWork.swift):
//
//   1. The journal: which entry gets which name, and which files mention one or are links to one. In
//      the git directory of the work tree, a file for each root, written as a whole (AtomicFile).
//      Only the user may write it; in a git directory that its group shares, the group.
//   2. The entries move, one after another: those that git itself has to move, as they hold a submodule,
//      by git mv, all others by renameat2(2).
//   3. The index gets the new names of the latter, all of them at once, by git update-index.
//   4. The files that mention them and the links to them are replaced, each as a whole.
//   5. The journal is removed.
//
// What fails, or is ended by a signal that can be held, is taken back, the last step first, and then the
// journal goes, too. When the index cannot be taken back, the entries keep the names that it has, and the
// journal stays.
//
// After a crash, the next renumbering that changes anything in the root finishes what the journal says
// (RenumberingRecovery.swift), before it looks for numbers that are there twice:
//
//   in 1   there is no journal, and nothing has changed.
//   in 2   what has not moved moves now, to the very name that was meant for it; it stays as it is when
//          somebody else has taken the number meanwhile. What has moved is still in the index by its old
//          name, and is renamed there, with the others in 3. So is what git mv has moved, which renames
//          first and then writes its index, when it was killed in between.
//   in 3   git replaces its index as a whole, so that it has all old names or all new ones. In the first case,
//          that is done now; in the second, nothing is left of the old ones. An index.lock that a killed
//          git left has to be removed by hand, as git says.
//   in 4   what has moved is mentioned by its new name now. A file that had its turn has no old name.
//   in 5   all is done.
//
// A crash while steps are taken back leaves what a crash on the way forth does. An entry that has its old name
// again moves once more; where the index has the new one already, it is left as it is.
//
// Step 3 reads the old entries of the index only after the old names are gone from disk. After that nobody
// can stage a file under an old name, so no staged contents are lost.
//
// A journal is trusted only if its writer can also write the git directory. It may name only entries of the
// root, and files of the work tree outside of any git directory, with symbolic links resolved. Otherwise it
// is rejected as a whole, before anything changes. Replacement files are written under an unpredictable name
// first; the journal records that name.
//
// So a file never mentions the new name of something that has not moved. What git does not
// know, neither entries nor mentions, moves at once or not at all: then there is no journal.

import Git
import POSIX

/// What a renumbering is about to do, on disk.
public struct RenumberingJournal: Sendable {
  /// What is to be done.
  struct Plan {
    let moves: [Renumbering.Move]
    /// The files that mention an entry that moves, and the links to one, relative to the top of
    /// the work tree, by the names that they have before anything moves.
    let files: [Bytes]
    /// The name of the file that takes the place of another one.
    let temporary: Bytes
  }

  /// Where it is, when it is there.
  let path: Path

  private let repository: Repository
  private static let format = Bytes("topic-renumber 1")

  /// The journal of the root of `repository`.
  public init(of repository: Repository) throws(GitError) {
    self.repository = repository
    let name = try LedgerName(of: repository)
    // Not --git-path, which follows a link of the journal's name.
    let directory = Path(try repository.git.run("rev-parse", "--absolute-git-dir"))
    path = directory.appending("topic-renumber." + name.text)
  }

  /// Whether a renumbering is half-way.
  var isThere: Bool { (try? FileStatus.ofLink(path)) != nil }

  /// Puts `plan` on disk. Under the lock of the root.
  func write(_ plan: Plan) throws(SystemError) {
    removeLeftovers()
    var fields = [Self.format, plan.temporary, Bytes("\(plan.moves.count)")]
    for move in plan.moves { fields += [move.old, move.new, move.keeper] }
    fields += plan.files
    // Names hold any byte but this one.
    let isShared = try FileStatus.of(path.parent).isSharedByGroup
    try AtomicFile.write(
      Bytes(fields.map { $0 + [0] }.joined()), to: path, limit: isShared ? 0o660 : 0o600)
  }

  /// What it says; nil when it says nothing that this program understands, or when somebody else can
  /// have written it.
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

  /// Takes it off the disk. Where that fails, all that it says is found to be done the next time.
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

  /// A name for a file until it takes the place of another one.
  static func temporaryName() -> Bytes { prefix + Bytes(randomHexadecimalDigits: 16) }

  /// Whether it names nothing but what a renumbering in the root of `repository` can change.
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

  /// Whether git could have a file of this path.
  private static func isFile(_ path: Bytes) -> Bool {
    path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
      ![Bytes(), Bytes("."), Bytes("..")].contains(Bytes($0)) && !Repository.isGitDirectory($0)
    }
  }
}

extension FileStatus {
  /// Whether it is a directory of a repository that a group shares: git-config(1), core.sharedRepository.
  fileprivate var isSharedByGroup: Bool { isSharedWithGroup && permissions & 0o002 == 0 }
}
