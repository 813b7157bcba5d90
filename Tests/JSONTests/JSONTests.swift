import Foundation
import JSON
import POSIX
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct JSONTests {
  private func read(_ text: String) throws -> JSONValue { try JSONValue(parsing: Bytes(text)) }

  private func randomBytes(
    _ count: Int, of likely: String, _ random: inout some RandomNumberGenerator
  ) -> Bytes {
    (0..<count).map { _ in
      Bool.random(using: &random)
        ? UInt8.random(in: 0...255, using: &random)
        : Bytes(likely).randomElement(using: &random) ?? 0
    }
  }

  private func written(_ value: JSONValue) -> Bytes {
    var json = JSONWriter(.compact)
    json.value(value)
    return json.text
  }

  @Test("Foundation reads back every string that is written")
  func jsonStrings() throws {
    var random = seededRandom()
    for _ in 0..<500 {
      let text = String(
        decoding: randomBytes(30, of: "'\"\\ $`\n|;&é\u{9B}\u{202E}", &random), as: UTF8.self)
      for layout in [JSONWriter.Layout.compact, .indented] {
        var json = JSONWriter(layout)
        json.array { json in
          json.object { $0.member(text, Bytes(text)) }
          json.string(Bytes(text))
        }
        let read = try JSONSerialization.jsonObject(with: Data(json.text)) as? [Any]
        #expect((read?.first as? [String: String])?[text] == text)
        #expect(read?.last as? String == text)
      }
    }
  }

  @Test("Characters that a terminal interprets are written as escapes")
  func terminal() {
    let text = "\u{1B}\u{7F}\u{9B}\u{61C}\u{202E}é'\n"
    #expect(written(.string(text)) == Bytes(#""\u001b\u007f\u009b\u061c\u202eé'\n""#))
  }

  @Test("The compact layout is one line; the indented one has two spaces per level")
  func layouts() {
    func write(_ layout: JSONWriter.Layout) -> String {
      var json = JSONWriter(layout)
      json.object { json in
        json.member("a", Bytes("x"))
        json.key("b")
        json.array { json in
          json.string(Bytes("y"))
          json.object { $0.member("n", 3) }
        }
        json.key("c")
        json.object { _ in }
      }
      return String(decoding: json.text, as: UTF8.self)
    }
    #expect(write(.compact) == #"{"a":"x","b":["y",{"n":3}],"c":{}}"#)
    #expect(
      write(.indented) == """
        {
          "a": "x",
          "b": [
            "y",
            {
              "n": 3
            }
          ],
          "c": {}
        }
        """)
  }

  @Test("A parsed value is written unchanged, including the digits of numbers")
  func roundTrip() throws {
    let text = #"{"a":[1,-0.50,1e400,true,false,null],"b":{"":"\"\\\n"},"c":[],"d":{}}"#
    #expect(String(decoding: written(try read(text)), as: UTF8.self) == text)
    #expect(try read(" [ 1 , { \"a\" : 2 } ]\n") == read(#"[1,{"a":2}]"#))
  }

  @Test("Escapes become characters, and a surrogate pair becomes one")
  func escapes() throws {
    #expect(try read(#""\u0041\/\b\f\n\r\t\uD83D\ude00é""#).string == "A/\u{8}\u{c}\n\r\t😀é")
  }

  @Test("Members and numbers are found; the last of repeated keys counts")
  func access() throws {
    let value = try read(#"{"n":42,"x":-1.5e2,"s":"t","n":43,"b":true,"big":1e999}"#)
    #expect(value["n"]?.integer == 43 && value["x"]?.double == -150 && value["s"]?.string == "t")
    #expect(value["b"]?.bool == true && value["none"] == nil && value["s"]?.integer == nil)
    #expect(value["big"]?.double == nil)
  }

  @Test(
    "Invalid JSON is refused with the position",
    arguments: [
      ("", 0), ("  ", 2), ("{", 1), ("[1,]", 3), ("{\"a\" 1}", 5), ("{a:1}", 1), ("01", 1),
      ("1.", 2), ("-", 1), ("1e", 2), ("tru", 0), ("\"a", 0), ("\"\u{1}\"", 1), (#""\x""#, 1),
      (#""\u12g4""#, 5), (#""\ud800""#, 1), (#""\ud800\u0041""#, 1), ("1 2", 2), ("[1}", 2),
      ("'a'", 0), ("NaN", 0), ("\u{FEFF}\u{FEFF}1", 3),
    ])
  func refused(text: String, offset: Int) {
    #expect { try read(text) } throws: { ($0 as? JSONError)?.offset == offset }
  }

  @Test("A byte order mark before the value is ignored; elsewhere it is an error with its position")
  func byteOrderMark() throws {
    #expect(try read("\u{FEFF} [1]") == .array([.number("1")]))
    #expect(throws: JSONError(offset: 4, message: "expected a value")) {
      try read("\u{FEFF}[\u{FEFF}1]")
    }
    #expect(throws: JSONError.self) { try read(" \u{FEFF}1") }
  }

  @Test("A string that is not UTF-8 is refused")
  func invalidUTF8() {
    for bytes: Bytes in [
      [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
    ] {
      #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
    }
  }

  @Test("Nesting is limited by depth, not by the stack")
  func nesting() throws {
    let deepest = JSONValue.deepestNesting
    let text = { (depth: Int) in
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try read(text(deepest))
    #expect(throws: JSONError.self) { try read(text(100_000)) }
  }

  @Test("On random texts, the reader and Foundation read the same or both refuse")
  func random() throws {
    let pieces = [
      "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u00e9\"", "1", "-2.5", "1e3", "true", "null", " ",
      "0", ".",
    ]
    var random = seededRandom()
    var agreed = 0
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1...9, using: &random)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }.joined()
      // Foundation refuses numbers beyond the range of a double, and accepts a trailing comma.
      if text.contains(/e\d{3}|, *[\]}]/) { continue }
      let ours = try? read(text)
      let theirs = try? JSONSerialization.jsonObject(
        with: Data(text.utf8), options: .fragmentsAllowed)
      #expect((ours == nil) == (theirs == nil), "\(text)")
      if let ours, ours != .null {
        let again = try JSONSerialization.jsonObject(
          with: Data(written(ours)), options: .fragmentsAllowed)
        #expect((theirs as? NSObject) == (again as? NSObject), "\(text)")
        agreed += 1
      }
    }
    #expect(agreed > 100)
  }

  /// The results of reading and of checking the text.
  private func outcomes(_ text: Bytes) -> (read: JSONError?, checked: JSONError?) {
    func error(_ body: () throws(JSONError) -> Void) -> JSONError? {
      do throws(JSONError) { try body() } catch { return error }
      return nil
    }
    return (
      error { () throws(JSONError) in _ = try JSONValue(parsing: text) },
      error { () throws(JSONError) in try JSONValue.check(text[...]) }
    )
  }

  @Test("A check accepts the same texts as reading, with the same errors, and finds the members")
  func check() throws {
    let pieces =
      [
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u00e9é\\n\"", "\"\\ud83d\\ude00\"",
        "\"\\ud800\"", "1",
        "-2.5", "1e3", "true", "null", "false", " ", "0", ".", "{\"k\":", "[[", "\u{FEFF}", "\"é",
      ].map { Bytes($0) } + [[0xC3], [0x22, 0xFF, 0x22], [0xA9], [0x01]]
    var accepted = 0
    for _ in 0..<60_000 {
      let count = Int.random(in: 1...12)
      let text = Bytes((0..<count).flatMap { _ in pieces.randomElement() ?? [] })
      let (read, checked) = outcomes(text)
      #expect(read == checked, "\(text)")
      guard read == nil else { continue }
      accepted += 1
      var members: [JSONValue.Member] = []
      let isObject = try JSONValue.check(text[...]) { key, value in
        guard let key = (try? JSONValue(parsing: key))?.string,
          let value = try? JSONValue(parsing: value)
        else { return }
        members.append(.init(key, value))
      }
      #expect(try JSONValue(parsing: text).members == (isObject ? members : nil), "\(text)")
    }
    #expect(accepted > 1_000)
    for count in 4_090...4_100 {
      for end in ["é", "😀", "€"] {
        let text = Bytes("\"" + String(repeating: "x", count: count) + end)
        for cut in [0, 1, 2] {
          let (read, checked) = outcomes(Bytes(text.dropLast(cut)) + Bytes("é\""))
          #expect(read == checked)
        }
      }
    }
    for depth in [JSONValue.deepestNesting, JSONValue.deepestNesting + 1, 100_000] {
      let text = Bytes(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
      let (read, checked) = outcomes(text)
      #expect(read == checked)
    }
  }

  @Test("Only the requested members of an object are read, the last of each name")
  func someMembers() throws {
    let text = Bytes(#"{"a":1,"b":{"a":2},"c":[3],"\u0061":"x","d":4,"b":null,"c":{"d":5}} "#)
    #expect(
      try JSONValue(parsing: text[...], onlyMembers: ["a", "b", "c", "e"])
        == read(#"{"a":"x","b":null,"c":{}}"#))
    #expect(try JSONValue(parsing: Bytes("[1]")[...], onlyMembers: ["a"]) == nil)
    #expect(throws: JSONError.self) {
      try JSONValue(parsing: Bytes("{\"a\":1,}")[...], onlyMembers: ["a"])
    }
  }

  @Test("Random bytes result in a value or an error")
  func randomBytes() {
    var random = seededRandom()
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...40, using: &random)
      let bytes = randomBytes(count, of: "{}[]\",:\\u0e-tfn", &random)
      _ = try? JSONValue(parsing: bytes)
    }
  }
}
