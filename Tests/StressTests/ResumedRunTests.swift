import Foundation
import JSON
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs that end early, and that are resumed.
extension RunTests {
  @Test("Ctrl-C stops the children, judges what ran, and leaves no process or directory")
  func interrupted() throws {
    let process = try RunningProcess(
      [Product.topicStress, "-d", directory("runs"), "-n", "unlimited", "--chaos", "kill"],
      environment: environment)
    try waitUntil(iterations >= 3)
    kill(process.id, SIGINT)
    let outcome = try process.wait()
    #expect(outcome.signal == SIGINT)
    #expect(
      outcome.text.contains("Collision rate: 0/") && outcome.text.contains("Interrupted after"))
    #expect(outcome.text.contains("Continue with: topic-stress --resume"))
    #expect(directory.entries("tmp").isEmpty)
    #expect(runningCommands(containing: directory.path).isEmpty)
    #expect(try read("manifest.json", of: runs[0])["verdict"]?.string == "interrupted")
    let done = try #require(try read("checkpoint.json", of: runs[0])["iterations"]?.integer)
    #expect(outcome.text.contains("after \(done) iterations"))
  }

  @Test("A run in progress cannot be resumed by another process")
  func resumedTwice() throws {
    let process = try RunningProcess(
      [Product.topicStress, "-d", directory("runs"), "-n", "unlimited"], environment: environment)
    try waitUntil(
      FileManager.default.fileExists(
        atPath: directory("runs/\(runs.first ?? "")/checkpoint.json")))
    let outcome = try stress("--resume", runs[0])
    #expect(
      outcome.code == 75
        && outcome.error.contains("is already in progress, held by process \(process.id)"))
    kill(process.id, SIGTERM)
    #expect(try process.wait().signal == SIGTERM)
  }

  @Test("An ignored signal does not end a run, and inherited children stay alive")
  func ignoredSignal() throws {
    let outcome = try bash(
      """
      trap '' HUP
      sleep 5 & sleeper=$!
      (sleep 0.3; kill -HUP $$) &
      bash -c 'exec topic-stress --run-dir "$1" --minutes 0.02' bash '\(directory("runs"))' &
      stress=$!; sleep 0.3; kill -HUP $stress; wait $stress; echo "code $?"
      kill $sleeper && echo alive
      """, environment: environment)
    #expect(
      outcome.text.contains("code 0\nalive") && !outcome.text.contains("Interrupted"),
      "\(outcome.text)")
    let inherited = try bash(
      "bash -c 'sleep 5 & exec topic-stress --run-dir \"$1\" -n 2' bash '\(directory("runs"))'; pkill -P $$ sleep; true",
      environment: environment)
    #expect(!inherited.text.contains("FAILED"), "\(inherited.text)")
  }

  @Test(
    "A history shorter than its checkpoint is refused, and resuming a complete run adds no metrics"
  )
  func lostHistory() throws {
    #expect(try stress("-n", "4", "-p", "2").code == 0)
    let run = try #require(runs.first)
    #expect(try stress("--resume", run).code == 0)
    #expect(try lines("metrics.jsonl").count == 1)
    try directory.makeFile("runs/\(run)/history.jsonl", "garbage\n")
    let outcome = try stress("--resume", run)
    #expect(outcome.code == 65 && outcome.error.contains("its history has 0 calls, not 4 times 2"))
    #expect(directory.entries("tmp").isEmpty)
  }

  @Test("A killed run is resumed with the same totals, and each call is recorded once")
  func resumed() throws {
    let words = ["-n", "60", "-p", "5", "--seed", "3", "--chaos", "kill", "--judge-every", "10"]
    let process = try RunningProcess(
      [Product.topicStress, "-d", directory("runs")] + words, environment: environment)
    try waitUntil(iterations >= 12)
    kill(process.id, SIGKILL)
    _ = try process.wait()
    let run = try #require(runs.first)
    // The crash may leave part of a line after what the checkpoint counts.
    let history = try FileHandle(
      forWritingTo: URL(fileURLWithPath: directory("runs/\(run)/history.jsonl")))
    try history.seekToEnd()
    try history.write(contentsOf: Data("{\"iteration\":13,\"pro".utf8))
    try history.close()

    let outcome = try stress("--resume", run, "--format", "json")
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    let report = try json(outcome)
    #expect(report["run"]?.string == run && report["resumes"]?.integer == 1)
    #expect(report["calls"]?.integer == 300 && report["iterations"]?.integer == 60)
    let keys = try lines("\(run)/history.jsonl").map {
      "\($0["iteration"]?.integer ?? 0)/\($0["process"]?.integer ?? 0)"
    }
    #expect(keys.count == 300 && Set(keys).count == 300)
    #expect(try read("manifest.json", of: run)["request"]?["seed"]?.integer == 3)
  }

  @Test(
    "A run that is killed at any system call leaves complete files, and resumes or refuses to"
  )
  func killedAnywhere() throws {
    var kills = 0
    for call in ["creat", "write", "fsync", "renameat", "mkdir", "unlinkat", "fork"] {
      for count in [1, 2, 3, 5, 8, 13] {
        let outcome = try stress(
          "-n", "4", "-p", "2", "--judge-every", "2",
          variables: ["POSIX_FAULT": "\(call):\(count):kill"])
        #expect(!outcome.faults.isEmpty || outcome.code == 0, "\(call) \(count): \(outcome)")
        guard outcome.signal == SIGKILL else { continue }
        kills += 1
        guard let run = runs.last else { continue }
        for name in directory.entries("runs/\(run)") where name.hasSuffix(".json") {
          _ = try read(name, of: run)
        }
        let resumed = try stress("--resume", run, "--format", "json")
        if resumed.code == 65 { continue }
        #expect(resumed.code == 0, "\(call) \(count): \(resumed.text)\(resumed.error)")
        #expect(try json(resumed)["calls"]?.integer == 8, "\(call) \(count)")
      }
    }
    #expect(try stress("--summary").code == 0)
    #expect(kills > 20)
  }
}
