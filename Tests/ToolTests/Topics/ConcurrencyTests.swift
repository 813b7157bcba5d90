import Foundation
import TestSupport
import Testing

/// Concurrent processes. Each round holds the lock while they start, so they all wait and then
/// continue together.
@Suite(
  .serialized, .timeLimit(.minutes(20)), .enabled(if: Product.hasProgram("flock"))
) struct ConcurrencyTests {
  let directory = TemporaryDirectory()

  /// Runs rounds of processes in the root `specs`, and returns their output, one line each. The
  /// `commands` take turns, with the variables root and name set.
  private func contend(rounds: Int, processes: Int, _ commands: [String]) throws -> [String] {
    try directory.makeDirectories("specs")
    try directory.makeFile("specs/.topic_number.lock")
    let starts = (0..<processes).map { index in
      "name=p\(index); { \(commands[index % commands.count]); } 9>&- >>\"$out\" &"
    }
    let outcome = try bash(
      """
      root=\(directory("specs")) out=\(directory("out"))
      for ((round = 0; round < \(rounds); round++)); do
        exec 9>>"$root/.topic_number.lock"
        flock 9
        \(starts.joined(separator: "\n  "))
        sleep 0.005
        exec 9>&-
        wait
      done
      """, environment: ["LC_ALL": "C"])
    #expect(outcome.code == 0 && outcome.error == "", "\(outcome.error)")
    return try String(contentsOfFile: directory("out"), encoding: .utf8)
      .split(separator: "\n").map(String.init)
  }

  private func expectUnique(_ numbers: [String], count: Int) throws {
    let values = numbers.compactMap { Int($0) }
    #expect(values.sorted() == Array(1...count), "a number twice, or one missing")
    let entries = directory.entries("specs").compactMap { Int($0.prefix { $0 != "_" }) }
    #expect(entries.sorted() == Array(1...count), "the directories are others")
  }

  @Test("100 rounds of 10 processes get 1,000 numbers, none twice, none missing")
  func many() throws {
    let numbers = try contend(rounds: 100, processes: 10, ["topic-alloc -f number \"$root\" $name"])
    try expectUnique(numbers, count: 1_000)
  }

  @Test("Beside an allocator of the old protocol, no number is used twice")
  func besideOldProtocol() throws {
    let old = Product.sources + "/stress/allocators/locked.sh"
    let numbers = try contend(
      rounds: 40, processes: 10,
      ["topic-alloc -f number \"$root\" $name", "'\(old)' \"$root\" $name | sed 's/|.*//'"])
    try expectUnique(numbers, count: 400)
  }

  @Test("While the lock file is deleted again and again, no number is used twice")
  func deletedLockFile() throws {
    let lockFile = directory("specs/.topic_number.lock")
    let deleter = try RunningProcess(["bash", "-c", "while :; do rm -f '\(lockFile)'; done"])
    defer {
      kill(deleter.id, SIGKILL)
      _ = try? deleter.wait()
    }
    let numbers = try contend(rounds: 50, processes: 10, ["topic-alloc -f number \"$root\" $name"])
    try expectUnique(numbers, count: 500)
  }

  @Test("Concurrent calls that reuse a name agree on one topic")
  func reuse() throws {
    let numbers = try contend(rounds: 10, processes: 10, ["topic-alloc -rf number \"$root\" same"])
    #expect(Set(numbers) == ["001"])
    #expect(directory.entries("specs") == ["001_same"])
  }

  @Test("One of several concurrent calls for the same number gets it")
  func sameNumber() throws {
    let commands = ["topic-alloc -n 7 -f number \"$root\" $name 2>/dev/null || echo $?"]
    let results = try contend(rounds: 1, processes: 10, commands)
    #expect(results.sorted() == ["007"] + Array(repeating: "73", count: 9))
  }

  @Test("Names of one call stay together while others allocate")
  func consecutive() throws {
    let blocks = try contend(
      rounds: 10, processes: 10, ["topic-alloc -f number \"$root\" a b c | paste -sd ' '"])
    #expect(blocks.count == 100)
    for block in blocks {
      let numbers = block.split(separator: " ").compactMap { Int($0) }
      #expect(numbers.count == 3 && numbers[2] == numbers[0] + 2 && numbers[1] == numbers[0] + 1)
    }
  }
}
