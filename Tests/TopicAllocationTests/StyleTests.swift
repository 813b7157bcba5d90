import POSIX
import Testing

@testable import TopicAllocation

@Suite(.timeLimit(.minutes(20))) struct StyleTests {
  private func number(_ entry: String, _ style: Style) -> Int? {
    Topic(Bytes(entry), in: Path("/r"), style)?.number
  }

  @Test(
    "A number is three to seven decimal digits before an underscore",
    arguments: [
      ("042_a", 42), ("010_a", 10), ("0042_x", 42), ("1000_x", 1000), ("9999999_x", 9_999_999),
      ("000_x", 0), ("042_", 42), ("042_A b", 42), ("042_x.md", 42),
      ("20251129_backup", nil), ("99999999_x", nil), ("007", nil), ("7_x", nil), ("42_x", nil),
      ("042-a", nil), ("x042_a", nil), ("", nil), ("_", nil), (" 042_a", nil),
    ] as [(String, Int?)])
  func topicNumbers(entry: String, expected: Int?) {
    #expect(number(entry, .topic) == expected)
  }

  @Test("Decision records need four digits and a dash")
  func adrNumbers() {
    #expect(number("0042-a.md", .adr) == 42)
    #expect(number("042-a.md", .adr) == nil)
    #expect(number("0042_a.md", .adr) == nil)
  }

  @Test("A smaller width admits shorter numbers; a larger one excludes them")
  func width() {
    var style = Style.topic
    style.width = 1
    #expect(number("7_x", style) == 7)
    style.width = 4
    #expect(number("007_x", style) == nil)
  }

  @Test("Numbers are padded to the width, and may exceed it")
  func names() throws {
    let slug = try #require(Slug(Bytes("a b"), .underscores))
    #expect(Style.topic.entryName(42, slug) == Bytes("042_a_b"))
    #expect(Style.topic.entryName(1000, slug) == Bytes("1000_a_b"))
    #expect(Style.adr.entryName(42, slug) == Bytes("0042-a_b.md"))
  }

  @Test("The name of a topic is the text between separator and suffix")
  func topicNames() {
    #expect(Topic(Bytes("0042-a-b.md"), in: Path("/r"), .adr)?.name == Bytes("a-b"))
    #expect(Topic(Bytes("0042-a-b"), in: Path("/r"), .adr)?.name == Bytes("a-b"))
    #expect(Topic(Bytes("042_oauth_20"), in: Path("/r"), .topic)?.name == Bytes("oauth_20"))
    #expect(Topic(Bytes("0042_x"), in: Path("/r"), .topic)?.digits == Bytes("0042"))
  }
}
