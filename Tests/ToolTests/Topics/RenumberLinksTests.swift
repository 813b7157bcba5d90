import Foundation
import TestSupport
import Testing

/// Symbolic links to entries with new numbers.
extension RenumberTests {
  /// Links to moving entries: from above, from another link, from inside, by an absolute path, and
  /// from beside.
  private func makeLinks() throws {
    try makeClash()
    _ = try script(
      """
      ln -s specs/002_a/f current; ln -s ../specs/002_a/../002_c specs/both; ln -s "$PWD/specs/002_a/" full
      ln -s ../002_a/f specs/002_a/own; ln -s 002_a specs/010_z; ln -s 010_z/f specs/through
      mkdir other other/002_a; ln -s 002_a other/there; ln -s x/002_a gone; at 2020-01-05
      ln -s specs/002_a untracked
      """)
  }

  private func links() throws -> [String] {
    try script("find . -type l -not -path './.git/*' -printf '%P -> %l\\n' | sort").lines
  }

  @Test("Tracked symlinks are retargeted to the new names; others stay")
  func linksFollow() throws {
    try makeLinks()
    let shown = try script("topic renumber specs; topic renumber --format json specs")
    #expect(
      shown.text.contains("'current', a symbolic link\n  - specs/002_a/f\n  + specs/011_a/f\n"))
    #expect(shown.text.contains(" 5 links updated\n"), "\(shown.text)")
    #expect(shown.text.contains("\"from\": \"002_a\",\n      \"to\": \"011_a\""), "\(shown.text)")
    let outcome = try script("topic renumber --apply specs; cat current specs/through")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(
      try links() == [
        "current -> specs/011_a/f", "full -> \(directory.path)/specs/011_a/", "gone -> x/002_a",
        "link -> 002_a", "other/there -> 002_a", "specs/010_z -> 011_a",
        "specs/011_a/own -> ../011_a/f", "specs/both -> ../specs/011_a/../012_c",
        "specs/through -> 010_z/f", "untracked -> specs/002_a",
      ])
  }

  @Test("Symlinks stay with --no-rewrite, and are restored after a failure")
  func linksStay() throws {
    try makeLinks()
    try run(["touch", directory("specs/.topic_number.lock")])
    let (links, before) = (try links(), try state())
    for number in 1...5 {
      for fault in ["symlinkat:\(number):\(EACCES)", "renameat:\(number):\(EACCES)"] {
        let outcome = try script("POSIX_FAULT=\(fault) topic renumber --apply specs")
        #expect(outcome.code == 77, "\(fault): \(outcome.error)")
        #expect(try self.links() == links, "\(fault)")
        #expect(try state() == before, "\(fault): \(outcome.error)")
      }
    }
    let outcome = try script("topic renumber --apply --no-rewrite specs; readlink current")
    #expect(outcome.lines.last == "specs/002_a/f")
  }
}
