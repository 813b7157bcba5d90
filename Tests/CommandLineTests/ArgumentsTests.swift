import POSIX
import Testing
import TopicAllocation

@testable import CommandLine

@Suite(.timeLimit(.minutes(20))) struct ArgumentsTests {
  private let options = [
    Option("format", "f", .text("FORMAT"), help: ""), Option("reuse", "r", help: ""),
    Option("timeout", "w", .text("SECS"), help: ""),
  ]

  private func parse(_ words: String...) throws(Failure) -> Arguments {
    try Arguments(words.map { Bytes($0) }, accepting: options)
  }

  @Test("Options stand anywhere, in every spelling of getopt_long")
  func spellings() throws {
    for words in [
      ["--format", "path", "a", "-r"], ["a", "--format=path", "--reuse"], ["-rfpath", "a"],
      ["-r", "a", "-f", "path"],
    ] {
      let arguments = try Arguments(words.map { Bytes($0) }, accepting: options)
      #expect(arguments.value(of: "format") == Bytes("path"))
      #expect(arguments.has("reuse"))
      #expect(arguments.operands == [Bytes("a")])
    }
  }

  @Test("An option with two values takes two words, or one after = and one word")
  func severalValues() throws {
    let step = [
      Option("step", .text("NAME"), .text("COMMAND"), help: ""), Option("reuse", "r", help: ""),
    ]
    for words in [
      ["--step", "a", "-r", "b", "--step", "c", "d"], ["b", "--step=a", "-r", "--step=c", "d"],
    ] {
      let arguments = try Arguments(words.map { Bytes($0) }, accepting: step)
      #expect(arguments.values(of: "step") == ["a", "-r", "c", "d"].map { Bytes($0) })
      #expect(arguments.operands == [Bytes("b")] && !arguments.has("reuse"))
    }
    #expect(throws: Failure.self) { try Arguments([Bytes("--step=a")], accepting: step) }
  }

  @Test("Nothing after -- is an option, and - alone never is")
  func endOfOptions() throws {
    let arguments = try parse("-", "--", "-r", "--format", "--")
    #expect(arguments.operands == ["-", "-r", "--format", "--"].map { Bytes($0) })
    #expect(!arguments.has("reuse"))
  }

  @Test("If an option is given twice, the last one counts")
  func repeated() throws {
    #expect(try parse("-fa", "--format=b").value(of: "format") == Bytes("b"))
  }

  @Test(
    "A usage error says what is wrong and suggests the closest word",
    arguments: [
      (["--formt", "x"], "'--format'"), (["-x"], "unknown option '-x'"),
      (["--format"], "'--format' needs a value"), (["-f"], "'-f' needs a value"),
      (["--reuse=yes"], "takes no value"), (["--completely-different"], "unknown option"),
    ])
  func wrongUsage(words: [String], expected: String) {
    do {
      _ = try Arguments(words.map { Bytes($0) }, accepting: options)
      Issue.record("\(words) was accepted")
    } catch {
      #expect(error.code == .usage)
      #expect(error.message?.contains(expected) == true, "\(error.message ?? "")")
    }
  }

  @Test(
    "Seconds are read to the nanosecond",
    arguments: [
      ("0", 0), ("30", 30_000_000_000), ("0.5", 500_000_000), (".25", 250_000_000),
      ("1.", 1_000_000_000), ("0.0000000019", 1), ("007", 7_000_000_000),
    ] as [(String, UInt64)])
  func seconds(text: String, expected: UInt64) throws {
    #expect(try parse("-w", text).seconds("timeout")?.nanoseconds == expected)
  }

  @Test(
    "Text that is not a time in seconds is refused",
    arguments: [
      "", ".", "-1", "1e3", "inf", "nan", "1.2.3", " 1", "0x10", "99999999999", "1,5", "1.x",
    ])
  func noSeconds(text: String) {
    #expect(throws: Failure.self) { try parse("--timeout=" + text).seconds("timeout") }
  }

  @Test(
    "Numbers are decimal, whole and in range",
    arguments: [
      ("0", 0), ("042", 42), ("9999999", 9_999_999), ("00000000000000000000007", 7),
      ("10000000", nil), ("-1", nil), ("1.0", nil), ("", nil), ("99999999999999999999", nil),
    ] as [(String, Int?)])
  func numbers(text: String, expected: Int?) {
    let number = try? parse("--format=" + text).number("format", in: 0...Style.highestNumber)
    #expect(number == expected)
  }
}

@Suite(.timeLimit(.minutes(20))) struct StyleArgumentsTests {
  private func style(_ words: String...) throws(Failure) -> Style {
    try Style(
      Arguments(words.map { Bytes($0) }, accepting: Style.namingOptions + [Style.startOption]))
  }

  @Test("Each property of a style can be changed")
  func changes() throws {
    #expect(try style() == .topic)
    let changed = try style(
      "--style=spec-kit", "--width=4", "--separator=.", "--suffix=txt", "--start=0")
    #expect(changed.width == 4 && changed.start == 0 && changed.suffix == Bytes(".txt"))
    #expect(changed.separator == UInt8(ascii: ".") && changed.slugRule == .dashes)
  }

  @Test(
    "A separator or suffix that could leave the root or look like a digit is refused",
    arguments: [
      "--separator=/", "--separator=", "--separator=ab", "--separator=1", "--separator= ",
      "--separator=x", "--suffix=../x", "--suffix=a/b", "--suffix=a\nb", "--width=0", "--width=8",
      "--start=10000000", "--style=nope",
    ])
  func refusals(word: String) {
    #expect(throws: Failure.self) { try style(word) }
  }
}
