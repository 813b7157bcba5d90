import TestSupport
import Testing

/// Runs with numbers that work trees or clones share.
extension RunTests {
  @Test(
    "Work trees and clones share numbers, by path and by a daemon, even when killed or slow",
    .enabled(if: Product.hasProgram("git")),
    arguments: [
      "--scope worktrees --chaos kill", "--scope remote --chaos kill,slow",
      "--scope remote --serve --chaos daemon",
    ])
  func scopes(options: String) throws {
    let words = options.split(separator: " ").map(String.init)
    let outcome = try run(
      [Product.topicStress, "--run-dir", directory("runs"), "-n", "4", "-p", "6", "--clones", "3"]
        + words + ["--judge-every", "2"], environment: environment)
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    #expect(outcome.text.contains("ok      what was acknowledged is in the ledger"))
    #expect(!outcome.text.contains("no gap"))
    #expect(directory.entries("tmp").isEmpty)
  }

  @Test(
    "An allocator that numbers each clone on its own and reserves nothing fails",
    .enabled(if: Product.hasProgram("git")))
  func withoutLedger() throws {
    let outcome = try stress(
      "-n", "1", "-p", "4", "--clones", "2", "--scope", "remote", "--allocator",
      "\(Product.topicAlloc) -f path {root} {name}")
    #expect(outcome.code == 1, "\(outcome.text)\(outcome.error)")
    #expect(outcome.text.contains("FAILED  no number twice: 2"))
    #expect(outcome.text.contains("FAILED  what was acknowledged is in the ledger: 4"))
    let refused = try stress("--scope", "worktrees", "--chaos", "pause")
    #expect(refused.code == 64 && refused.error.contains("does not go with this scope"))
  }
}
