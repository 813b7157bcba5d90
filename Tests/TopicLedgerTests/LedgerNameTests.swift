import POSIX
import Testing

@testable import TopicLedger

@Suite(.timeLimit(.minutes(20))) struct LedgerNameTests {
  @Test(
    "The path of a root becomes a name that git accepts and no other root has",
    arguments: [
      ("specs", "specs"), (".claude/specs", "%2eclaude%2fspecs"), ("", "%"), ("Specs", "%53pecs"),
      ("a b/ä", "a%20b%2f%c3%a4"), ("x.lock", "x%2elock"), ("100%", "100%25"), ("a\n", "a%0a"),
    ])
  func spelling(path: String, name: String) throws {
    #expect(LedgerName(spelling: Bytes(path))?.ledger == "refs/topic-alloc/" + name)
  }

  @Test(
    "Every byte has its own name, and no name is a directory of another")
  func allBytes() {
    let names = (1...UInt8.max).compactMap { LedgerName(spelling: [$0])?.text }
    #expect(Set(names).count == 255 && names.allSatisfy { !$0.contains("/") && !$0.contains(".") })
  }

  @Test("A path that is too long has no spelling")
  func tooLong() {
    #expect(LedgerName(spelling: Bytes(repeating: UInt8(ascii: "a"), count: 201)) == nil)
    #expect(LedgerName(spelling: Bytes(repeating: UInt8(ascii: "/"), count: 67)) == nil)
  }
}
