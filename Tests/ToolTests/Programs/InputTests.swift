import Foundation
import TestSupport
import Testing

/// Unusual names and roots.
@Suite(.timeLimit(.minutes(20))) struct InputTests {
  let directory = TemporaryDirectory()

  private func allocate(_ words: String...) throws -> Outcome {
    try run([Product.topicAlloc] + words)
  }

  @Test(
    "A name never leaves its root",
    arguments: [
      ("../../x", "001_x"), ("a/../../b", "001_ab"), ("new\nline", "001_new_line"), ("..", nil),
      ("😀🎉", nil), ("", nil), ("a\u{1B}[31mb", "001_a31mb"), ("/etc/passwd", "001_etcpasswd"),
    ] as [(String, String?)])
  func names(name: String, entry: String?) throws {
    let outcome = try allocate("-f", "path", directory("specs"), "--", name)
    if let entry {
      #expect(outcome.text == directory("specs/\(entry)") + "\n")
    } else {
      #expect(outcome.code == 65 && outcome.output.isEmpty)
      #expect(outcome.error.contains("no name is left"))
    }
    #expect(directory.entries() == (entry == nil ? [] : ["specs"]))
    #expect(directory.entries("specs") == (entry.map { [$0] } ?? []))
  }

  @Test("A name that looks like options needs --, and the message says so")
  func dashes() throws {
    let wrong = try allocate(directory("specs"), "-rx")
    #expect(wrong.code == 64 && wrong.error.contains("put '--' before"))
    #expect(try allocate("-f", "number", directory("specs"), "--", "-rf").lines == ["001"])
  }

  @Test("Random bytes as a name give a topic or status 65, and nothing else")
  func randomNames() throws {
    var random = seededRandom()
    var lines = Data()
    for _ in 0..<300 {
      lines += Data((0..<40).map { _ in UInt8.random(in: 11...255, using: &random) })
      lines += Data("x\n".utf8)
    }
    let outcome = try run(
      [Product.topicAlloc, "-f", "number", directory("specs"), "-"], input: lines)
    #expect(outcome.code == 0 && outcome.lines.count == 300, "\(outcome.error)")
    #expect(try run([Product.topic, "verify", directory("specs")]).code == 0)
    #expect(directory.entries() == ["specs"])
  }

  @Test("A name of 10 MB is cut without using much memory")
  func hugeName() throws {
    let script = """
      ulimit -v 60000
      yes 'ab cd' | tr -d '\\n' | head -c 10000000 | topic-alloc -f path "$1" -
      """
    let outcome = try bash("set -- '\(directory("specs"))'; \(script)")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(outcome.text.hasPrefix(directory("specs/001_ab_cdab_cdab")))
  }

  @Test("Standard input supplies one name per line, in order, among other names")
  func standardInput() throws {
    let words = [Product.topicAlloc, "-f", "path", directory("specs"), "first", "-", "last"]
    let outcome = try run(words, input: Data("one\r\ntwo words\nno newline at the end".utf8))
    #expect(
      outcome.lines.map { $0.split(separator: "/").last ?? "" } == [
        "001_first", "002_one", "003_two_words", "004_no_newline_at_the_end", "005_last",
      ])
  }

  @Test("A byte order mark at the beginning of names, feedback, prices and a ledger is ignored")
  func byteOrderMark() throws {
    let outcome = try bash(
      """
      mark=$'\\xef\\xbb\\xbf'; mkdir run
      printf '%sone\\ntwo\\n' "$mark" | topic-alloc -f path specs - | sed 's/.*\\///'
      printf '%sone\\n' "$mark" | topic slug --style adr -
      topic retry check run --status needs_changes --feedback same >/dev/null
      printf '%ssame\\n' "$mark" |
        topic retry check run --status needs_changes --feedback-file - 2>/dev/null || echo $?
      topic cost prices 2>/dev/null | sed "1s/^/$mark/" >prices
      topic cost add run --role r --model gpt-5 --input-tokens 1 --output-tokens 1 --prices prices
      topic cost add run --role r --model gpt-5 --input-tokens 1 --output-tokens 1 --prices prices
      sed -i "1s/^/$mark/" run/cost.jsonl; topic cost total -f json run | jq .entries
      """, in: directory.path)
    #expect(
      outcome.lines == ["001_one", "002_two", "one", "10", "2"], "\(outcome.text)\(outcome.error)")
  }

  @Test("A line without a name is an error that names the line, and nothing is created")
  func emptyLine() throws {
    let outcome = try run(
      [Product.topicAlloc, directory("specs"), "-"], input: Data("a\n\nb\n".utf8))
    #expect(outcome.code == 65 && outcome.error.contains("line 2 of standard input"))
    #expect(directory.entries().isEmpty)
    #expect(try run([Product.topicAlloc, directory("specs"), "-"]).code == 65)
  }

  @Test(
    "Roots of any bytes work",
    arguments: ["with space", "quo'te\"d", "new\nline", "pi|pe", "$(x) `y`", "*?[a]", "-dash"])
  func roots(name: String) throws {
    let root = directory(name)
    #expect(try allocate("-f", "path", "--", root, "a").text == root + "/001_a\n")
    #expect(try allocate("-f", "pipe", "--", root, "b").text == "002|\(root)/002_b\n")
    let json = try allocate("--", root, "c")
    let object = try JSONSerialization.jsonObject(with: json.output) as? [String: Any]
    #expect(object?["topic_path"] as? String == root + "/003_c")
    let shell = try bash(
      "eval \"$(topic-alloc -f shell -- \"$root\" d)\"; printf '%s|%s' \"$TOPIC_PATH\" \"$OUTPUTS_DIR\"",
      environment: ["root": root])
    #expect(shell.text == "\(root)/004_d|\(root)/004_d/outputs")
    let relative = try run([Product.topicAlloc, "-f", "path", "--", name, "e"], in: directory.path)
    #expect(relative.text == root + "/005_e\n")
  }

  @Test(
    "Invalid UTF-8 in a root works if the format can represent it, and is a clear error otherwise")
  func invalidRoot() throws {
    let script = """
      cd '\(directory.path)'
      topic-alloc -f json $'ro\\xffot' a; echo "json $? $(ls | wc -l)"
      topic-alloc -f path $'ro\\xffot' a | od -c | grep -c 377
      eval "$(topic-alloc -f shell $'ro\\xffot' b)"; [[ -d $TOPIC_PATH ]] && echo shell
      topic-alloc -f jsonl $'ro\\xffot' c || echo "jsonl $?"
      """
    let outcome = try bash(script)
    #expect(outcome.lines == ["json 65 0", "1", "shell", "jsonl 65"])
    #expect(outcome.error.contains("not UTF-8"))
  }

  @Test("A file in the path of a root is named, with the documented status")
  func badRoots() throws {
    try directory.makeFile("file")
    try run(["ln", "-s", "loop", directory("loop")])
    try run(["ln", "-s", "nowhere", directory("dangling")])
    for (root, code) in [("file", 73), ("file/specs", 73), ("loop", 73), ("dangling", 73)] {
      let outcome = try allocate(directory(root), "a")
      #expect(outcome.code == Int32(code) && outcome.output.isEmpty)
      #expect(
        outcome.error.contains(directory(root)) && outcome.error.contains("hint: "),
        "\(outcome.error)")
    }
    #expect(try allocate("", "a").code == 64)
    #expect(directory.entries() == ["dangling", "file", "loop"])
  }

  @Test("In a deleted directory, a relative path is an error, not an endless search")
  func goneDirectory() throws {
    let script =
      "mkdir gone; cd gone; rmdir ../gone; topic-alloc specs a; echo $?; topic list; echo $?"
    let outcome = try bash(script, in: directory.path)
    #expect(outcome.lines == ["73", "66"])
  }

  @Test("A trailing slash, a dot and a link lead to the same root")
  func sameRoot() throws {
    try directory.makeDirectories("specs")
    try run(["ln", "-s", "specs", directory("link")])
    for (index, root) in ["specs/", "./specs/.", "link", "link/"].enumerated() {
      let outcome = try run([Product.topicAlloc, "-f", "path", root, "a"], in: directory.path)
      #expect(outcome.text == directory("specs/00\(index + 1)_a") + "\n")
    }
  }

  @Test("Only entries numbered by the rule count")
  func neighbours() throws {
    for name in ["20251129_backup", "0042_x", "99999999_x", "007", "7_x", "x_100", ".050_x"] {
      try directory.makeDirectories("specs/\(name)")
    }
    #expect(try allocate("-f", "number", directory("specs"), "a").lines == ["043"])
    try directory.makeDirectories("specs/1000_x")
    #expect(try allocate("-f", "number", directory("specs"), "a").lines == ["1001"])
  }

  @Test(
    "Another user's root is used as far as its permissions allow",
    .enabled(if: getuid() == 0 && Product.hasProgram("setpriv")))
  func otherUser() throws {
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    try run(["chmod", "755", directory.path])
    for (name, mode, group) in [
      ("shared", "2775", "65534"), ("listed", "755", "0"), ("closed", "700", "0"),
      ("blind", "733", "0"),
    ] {
      try directory.makeDirectories(name)
      #expect(try allocate(directory(name), "a").code == 0)
      try run(["chgrp", "-R", group, directory(name)])
      try run(["chmod", mode, directory(name)])
    }
    func asNobody(_ root: String) throws -> Outcome {
      try run(nobody + [Product.topicAlloc, "-f", "number", directory(root), "b"])
    }
    #expect(try asNobody("shared").lines == ["002"])
    for root in ["listed", "closed", "blind"] {
      let outcome = try asNobody(root)
      #expect(outcome.code == 77 && outcome.output.isEmpty, "\(root): \(outcome.error)")
      #expect(outcome.error.contains("Permission denied"))
      #expect(outcome.error.contains(directory(root)))
    }
    // An existing topic is found even if nothing can be created.
    try directory.makeDirectories("readable/001_b")
    try run(["chmod", "755", directory("readable")])
    let found = try run(nobody + [Product.topicAlloc, "-rf", "number", directory("readable"), "b"])
    #expect(found.lines == ["001"], "\(found.error)")
    // Another user's lock file does not need to be writable.
    try run(["chmod", "644", directory("shared/.topic_number.lock")])
    #expect(try asNobody("shared").lines == ["003"])
  }

  @Test(
    "A usage error is status 64 with a way out",
    arguments: [
      ([], "no ROOT"), (["root"], "no NAME"), (["--formt=json", "r", "n"], "'--format'"),
      (["-f", "xml", "r", "n"], "one of: json"),
      (["-w", "-1", "r", "n"], "--timeout takes seconds"),
      (["-w", "0.1234567890x", "r", "n"], "--timeout takes seconds"),
      (["-n", "1", "r", "a", "b"], "one NAME"), (["-n", "x", "r", "a"], "from 0 to 9999999"),
      (["--sty=adr", "r", "a"], "'--style'"),
      (["r", "-", "-"], "read once"), (["--style", "topics", "r", "a"], "'topic'"),
    ])
  func usage(words: [String], hint: String) throws {
    let outcome = try run([Product.topicAlloc] + words, in: directory.path)
    #expect(outcome.code == 64 && outcome.output.isEmpty)
    #expect(outcome.error.contains(hint), "\(outcome.error)")
    #expect(directory.entries().isEmpty)
  }
}
