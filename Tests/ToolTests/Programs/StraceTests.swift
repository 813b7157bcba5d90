import Foundation
import TestSupport
import Testing

/// Interrupts the system calls themselves, including those of the runtime. ``FaultTests`` covers
/// the wrapped calls.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Product.hasProgram("strace"))) struct StraceTests {
  let directory = TemporaryDirectory()

  private func strace(_ rules: String..., words: [String]) throws -> Outcome {
    let options = rules.flatMap { ["-e", $0] }
    return try run(
      ["strace", "-f", "-o", directory("trace")] + options + [Product.topicAlloc] + words)
  }

  private var trace: [String] {
    let text = try? String(contentsOfFile: directory("trace"), encoding: .utf8)
    return (text ?? "").split(separator: "\n").map(String.init)
  }

  @Test("A kill at any system call leaves nothing locked and no duplicate number")
  func killedAnywhere() throws {
    _ = try strace("trace=all", words: [directory("specs"), "a"])
    let names = trace.compactMap { $0.split(separator: "(").first?.split(separator: " ").last }
      .filter { $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } && $0 != "execve" }
    #expect(names.count > 30 && names.contains("flock"))
    var counts: [Substring: Int] = [:]
    var kills = 0
    for name in names {
      counts[name, default: 0] += 1
      let rule = "inject=\(name):signal=KILL:when=\(counts[name] ?? 0)"
      // An existing root needs fewer calls, so some are never reached.
      let outcome = try strace(rule, words: [directory("specs"), "a"])
      #expect(outcome.signal == SIGKILL || outcome.code == 0, "\(rule): \(outcome.error)")
      if outcome.signal == SIGKILL { kills += 1 }
      let next = try run([Product.topicAlloc, "-w", "0", directory("specs"), "a"])
      #expect(next.code == 0, "after \(rule): \(next.error)")
    }
    #expect(kills > names.count / 2)
    let verdict = try run([Product.topic, "verify", "--start", "1", directory("specs")])
    #expect(verdict.code == 0, "\(verdict.text)")
  }

  @Test(
    "A signal during the creation undoes it, and then ends the process",
    arguments: [
      ("HUP", SIGHUP), ("INT", SIGINT), ("TERM", SIGTERM),
    ])
  func signalDuringCreation(name: String, number: Int32) throws {
    let words = [directory("specs"), "a", "b", "c"]
    let outcome = try strace("inject=mkdirat:signal=\(name):when=2", words: words)
    #expect(outcome.signal == number)
    #expect(outcome.output.isEmpty && outcome.error.isEmpty)
    #expect(directory.entries("specs").isEmpty)
    #expect(
      try run([Product.topicAlloc, "-f", "number", directory("specs"), "a"]).lines == ["001"])
  }

  @Test("A kill while a signal undoes the creation leaves no gap")
  func killedDuringUndo() throws {
    let words = [directory("specs"), "a", "b", "c"]
    let outcome = try strace(
      "inject=mkdirat:signal=TERM:when=3", "inject=unlinkat:signal=KILL:when=2", words: words)
    #expect(outcome.signal == SIGKILL)
    #expect(directory.entries("specs") == ["001_a", "002_b"])
  }

  @Test("A signal during the report lets it finish, and then ends the process")
  func signalDuringReport() throws {
    let words = ["-f", "number", directory("specs"), "a"]
    let outcome = try strace("inject=write:signal=INT:when=1", words: words)
    #expect(outcome.signal == SIGINT)
    #expect(outcome.lines == ["001"] && outcome.error.isEmpty)
  }

  @Test("An ignored signal undoes nothing")
  func ignoredSignal() throws {
    let script = """
      trap '' HUP
      strace -o /dev/null -e inject=mkdirat:signal=HUP:when=1 topic-alloc -f number '\(directory("specs"))' a
      """
    #expect(try bash(script).lines == ["001"])
  }

  @Test(
    "With --durable, the entry and its root are synced after the lock is released, before the report"
  )
  func durable() throws {
    _ = try strace(
      "trace=flock,mkdirat,close,fsync,write", words: ["--durable", directory("a/specs"), "x"])
    let calls = trace.compactMap { $0.split(separator: "(").first?.split(separator: " ").last }
    let created = try #require(calls.firstIndex(of: "mkdirat"))
    let synced = calls.indices.filter { calls[$0] == "fsync" }
    let closed = calls[created...].indices.filter { calls[$0] == "close" }
    let written = try #require(calls.lastIndex(of: "write"))
    // The topic, its root, and every directory above.
    #expect(synced.count == 2 + directory("a/specs").split(separator: "/").count)
    #expect(try #require(synced.first) > closed[1])
    #expect(try #require(synced.last) < written)
  }

  @Test("An allocation makes only the calls it needs, and does not look for a project")
  func spared() throws {
    _ = try strace("trace=all", words: ["--scope", "root", "-f", "path", directory("specs"), "x"])
    #expect(!trace.contains { $0.contains(".git") })
  }
}
