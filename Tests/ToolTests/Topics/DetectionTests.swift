import Foundation
import TestSupport
import Testing

/// Where `topic` looks for the root, and how it handles what it finds.
@Suite(.timeLimit(.minutes(20))) struct DetectionTests {
  let directory = TemporaryDirectory()

  @Test(
    "A dangling symlink neither creates a second root nor hides one",
    arguments: [".claude", ".claude/specs", "specs"])
  func unmounted(link: String) throws {
    try directory.makeDirectories(".claude", "specs")
    try run(["rm", "-r", directory(link)])
    try run(["ln", "-s", "/nowhere/specs", directory(link)])
    let message = "'\(directory(link))' is a dangling symbolic link"
    for (words, code) in [
      (["locate", "a"], 73), (["list"], 66), (["find", "a"], 66), (["verify"], 66),
      (["verify", link], 66), (["artifact", "1", "plans"], 66),
    ] {
      let outcome = try run([Product.topic] + words, in: directory.path)
      #expect(outcome.code == Int32(code), "\(words): \(outcome.error)")
      #expect(outcome.output.isEmpty)
      let place = words.count == 2 && words[1] == link ? "is a dangling symbolic link" : message
      #expect(outcome.error.contains(place), "\(words): \(outcome.error)")
    }
    #expect(try run(["find", directory.path, "-name", "0*"]).text.isEmpty)
    #expect(try run(["find", directory.path, "-name", ".topic*"]).text.isEmpty)
  }

  @Test("A root that takes precedence is used, wherever the other places lead")
  func precedence() throws {
    try directory.makeDirectories(".claude/specs")
    try run(["ln", "-s", "/nowhere", directory("specs")])
    for words in [["locate", "-f", "number", "a"], ["list", "-f", "number"], ["find", "a"]] {
      #expect(try run([Product.topic] + words, in: directory.path).lines == ["001"])
    }
  }

  @Test(
    "A place that cannot be read is an error, and does not count as empty",
    arguments: [EACCES, EIO])
  func unreadable(code: Int32) throws {
    try directory.makeDirectories("specs/001_a", ".claude")
    let place = directory(".claude/specs")
    #expect(
      try run(
        [Product.topic, "list"], in: directory.path,
        environment: ["POSIX_TRACE": directory("trace")]
      ).code == 0)
    let trace = try String(contentsOfFile: directory("trace"), encoding: .utf8)
    let calls = trace.split(separator: "\n").filter { $0.hasPrefix("stat ") }
    let index = try #require(calls.firstIndex { $0 == "stat \(place)" })
    let fault = ["POSIX_FAULT": "stat:\(index + 1):\(code)"]
    for words in [["locate", "a"], ["list"], ["find", "a"], ["verify"]] {
      let outcome = try run([Product.topic] + words, in: directory.path, environment: fault)
      #expect(outcome.code == (code == EACCES ? 77 : 74), "\(words): \(outcome.error)")
      #expect(outcome.error.contains("'\(place)'"), "\(words): \(outcome.error)")
    }
    #expect(directory.entries("specs") == ["001_a"] && directory.entries(".claude").isEmpty)
  }
}
