import Foundation
import POSIX
import TestSupport
import Testing

@testable import TopicAllocation

@Suite(.timeLimit(.minutes(20))) struct SlugTests {
  private func slug(_ text: String, _ rule: Slug.Rule = .underscores) -> String? {
    Slug(Bytes(text), rule).map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  @Test(
    "Underscore slugs fold letters to lower-case ASCII, join words, and drop the rest",
    arguments: [
      ("Research: Auth (2025)!", "research_auth_2025"), ("real-time", "realtime"),
      ("OAuth 2.0 login", "oauth_20_login"), ("  a \t\n b  ", "a_b"), ("__a__b__", "a_b"),
      ("Ärger im Büro", "arger_im_buro"), ("Straße", "strasse"), ("e\u{301}te\u{301}", "ete"),
      ("Łódź", "lodz"), ("Ελλάδα x", "x"), ("ﬁn", "fin"), ("Ａｂ１", "ab1"), ("../../x", "x"),
      ("-rf", "rf"), ("a\u{A0}b\u{3000}c", "a_b_c"), ("x\u{200D}y", "xy"), ("ẞ", "ss"),
    ])
  func underscores(text: String, expected: String) {
    #expect(slug(text) == expected)
  }

  @Test(
    "Dash slugs turn every run of other characters into one dash",
    arguments: [
      ("Research: Auth (2025)!", "research-auth-2025"), ("real-time", "real-time"),
      ("OAuth 2.0 login", "oauth-2-0-login"), ("a_b", "a-b"), ("--a--", "a"),
      ("cafe\u{301} au lait", "cafe-au-lait"), ("a😀b", "a-b"), ("don't", "don-t"),
    ])
  func dashes(text: String, expected: String) {
    #expect(slug(text, .dashes) == expected)
  }

  @Test(
    "Text without a letter or digit leaves no slug",
    arguments: ["", " ", "😀😀", "../..", "___", "漢字"])
  func nothingLeft(text: String) {
    #expect(slug(text) == nil)
    #expect(slug(text, .dashes) == nil)
  }

  @Test("A slug is cut to 50 characters and does not end in a separator")
  func length() {
    #expect(slug(String(repeating: "a", count: 60)) == String(repeating: "a", count: 50))
    #expect(slug(String(repeating: "a", count: 49) + " bc") == String(repeating: "a", count: 49))
    #expect(
      slug(String(repeating: "a", count: 48) + " bc") == String(repeating: "a", count: 48) + "_b")
  }

  @Test("Invalid UTF-8 is dropped or becomes a dash")
  func invalidBytes() {
    let text: Bytes = [0x61, 0xFF, 0x62, 0xC3, 0x63, 0xED, 0xA0, 0x80, 0x64, 0xC3]
    #expect(Slug(text, .underscores)?.bytes == Bytes("abcd"))
    #expect(Slug(text, .dashes)?.bytes == Bytes("a-b-c-d"))
  }

  @Test(
    "Random bytes make a well-formed slug or none, however they are split",
    arguments: [
      Slug.Rule.underscores, .dashes,
    ])
  func randomBytes(rule: Slug.Rule) throws {
    let pattern = rule == .underscores ? "^[a-z0-9]+(_[a-z0-9]+)*$" : "^[a-z0-9]+(-[a-z0-9]+)*$"
    let shape = try RegularExpression(Bytes(pattern))
    var random = seededRandom()
    for _ in 0..<2_000 {
      let text = (0..<Int.random(in: 0..<120, using: &random)).map { _ in
        Bool.random(using: &random)
          ? UInt8.random(in: 0...255, using: &random)
          : Bytes("aZ9_- .é").randomElement(using: &random) ?? 0x61
      }
      let whole = Slug(text, rule)
      if let whole {
        #expect(whole.bytes.count <= 50 && shape.matches(whole.bytes), "of \(text)")
      }
      var builder = SlugBuilder(rule)
      let middle = Int.random(in: 0...text.count, using: &random)
      builder.append(text[..<middle])
      builder.append(text[middle...])
      #expect(builder.finish() == whole, "of \(text) split at \(middle)")
    }
  }

  @Test("The slug of a slug is the slug itself")
  func idempotence() {
    for text in ["OAuth 2.0 login", "Ärger im Büro", String(repeating: "ab ", count: 40)] {
      #expect(slug(slug(text) ?? "") == slug(text))
      #expect(slug(slug(text, .dashes) ?? "", .dashes) == slug(text, .dashes))
    }
  }

  @Test("The folding table agrees with Unicode's compatibility decomposition")
  func foldingTable() throws {
    let ranges: [ClosedRange<UInt32>] = [
      0xC0...0x24F, 0x1E00...0x1EFF, 0xFB00...0xFB06, 0xFF21...0xFF5A,
    ]
    for value in ranges.joined() {
      let scalar = try #require(Unicode.Scalar(value))
      guard scalar.properties.isAlphabetic else { continue }
      let decomposed = String(scalar).decomposedStringWithCompatibilityMapping
      let letters = decomposed.unicodeScalars.filter { $0.isASCII && $0.properties.isAlphabetic }
      guard !letters.isEmpty else { continue }
      let expected = String(String.UnicodeScalarView(letters)).lowercased()
      let base = LatinFolding.asciiBase(of: value).map { String(decoding: $0, as: UTF8.self) }
      #expect(base == expected, "of U+\(String(value, radix: 16))")
    }
  }
}

@Suite(.timeLimit(.minutes(20))) struct UTF8DecoderTests {
  @Test("The decoder accepts exactly the UTF-8 that the standard library accepts")
  func validity() {
    let interesting: Bytes = [
      0x00, 0x61, 0x7F, 0x80, 0xBF, 0xC1, 0xC2, 0xE0, 0xED, 0xA0, 0xF0, 0x90, 0xF4, 0xF5, 0xFF,
    ]
    var random = seededRandom()
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0..<7, using: &random)).map { _ in
        interesting.randomElement(using: &random) ?? 0
      }
      let expected = String(validating: bytes, as: UTF8.self) != nil
      #expect(UTF8Decoder.isValid(bytes) == expected, "\(bytes)")
    }
  }
}
