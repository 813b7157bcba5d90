import Foundation
import JSON
import TestSupport
import Testing

/// What a run leaves and tells.
extension RunTests {
  @Test("A run leaves history, manifest, checkpoint, report and a line of metrics")
  func record() throws {
    let page = directory("page.html")
    let outcome = try stress(
      "-n", "5", "-p", "4", "--seed", "7", "--format", "json", "--report", page)
    let report = try json(outcome)
    let run = try #require(report["run"]?.string)
    #expect(runs == [run])
    let history = try lines("\(run)/history.jsonl")
    #expect(history.count == 20 && history.allSatisfy { $0["exit"]?.integer == 0 })
    #expect(Set(history.compactMap { $0["number"]?.integer }) == Set(1...20))
    let manifest = try read("manifest.json", of: run)
    #expect(manifest["verdict"]?.string == "passed" && manifest["seed"]?.integer == 7)
    #expect(manifest["kernel"]?.string?.isEmpty == false && manifest["file_system"] != nil)
    #expect(try read("checkpoint.json", of: run)["iterations"]?.integer == 5)
    let metrics = try #require(try lines("metrics.jsonl").first)
    #expect(metrics["run"]?.string == run && metrics["status"]?.string == "passed")
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(
      try html == String(contentsOfFile: directory("runs/\(run)/report.html"), encoding: .utf8))
    #expect(html.hasPrefix("<!DOCTYPE html>") && html.contains("<svg"))
    for external in ["http:", "https:", "src=", "@import", "url("] {
      #expect(!html.contains(external))
    }
  }

  @Test("Runs that start together have their own directories and lines of metrics")
  func together() throws {
    let started = try (0..<4).map { _ in
      try RunningProcess(
        [Product.topicStress, "-d", directory("runs"), "-n", "3", "-p", "2"],
        environment: environment)
    }
    for process in started { #expect(try process.wait().code == 0) }
    #expect(runs.count == 4)
    #expect(Set(try lines("metrics.jsonl").compactMap { $0["run"]?.string }) == Set(runs))
  }

  @Test("A run in a root with topics continues their numbers, and its topics stay")
  func ownRoot() throws {
    try directory.makeDirectories("specs/041_old")
    let outcome = try stress(
      "-n", "4", "-p", "3", "--root", directory("specs"), "--judge-every", "2")
    #expect(outcome.code == 0, "\(outcome.text)")
    #expect(directory.entries("specs").compactMap { Int($0.prefix(3)) } == Array(41...53))
    #expect(
      try stress("-n", "4", "-p", "3", "--root", directory("specs"), "--chaos", "foreign").code == 0
    )
    #expect(directory.entries("specs").compactMap { Int($0.prefix(3)) } == Array(41...65))
  }

  @Test("The last line of a long answer counts, and the shortest run has one iteration")
  func longAnswer() throws {
    let script = """
      exec 9>>"$1/.topic_number.lock"; flock 9; seq 20000 >&2; seq -f 'line %g' 20000
      n=$(ls "$1" | wc -l); mkdir "$1/00$((n + 1))_$2"; echo "00$((n + 1))"
      """
    try directory.makeFile("alloc.sh", script)
    let outcome = try stress(
      "-m", "0.00001", "-p", "3", "--allocator", "bash \(directory("alloc.sh")) {root} {name}")
    #expect(
      outcome.code == 0 && outcome.lines.first == "Collision rate: 0/3 (0%)", "\(outcome.text)")
  }

  @Test(
    "Absurd numbers in the files of a run are refused, and crash no resume")
  func numbers() throws {
    #expect(try stress("-n", "4", "-p", "2", "--judge-every", "2").code == 0)
    let run = try #require(runs.first)
    try TestSupport.run(["cp", "-r", directory("runs/\(run)"), directory("saved")])
    let values = [
      "-1", "2147483648", "9223372036854775807", "18446744073709551616", "1e308", "\"x\"",
    ]
    for name in ["checkpoint.json", "manifest.json", "history.jsonl"] {
      let path = "runs/\(run)/\(name)"
      let whole = try String(contentsOfFile: directory(path), encoding: .utf8)
      let lines = name.hasSuffix("l") ? String(whole.prefix { $0 != "\n" }) : whole
      let numbers = lines.ranges(of: /: ?\d+(?=[,\n}])/)
      #expect(numbers.count >= 7, "\(lines)")
      for number in numbers {
        for value in values {
          try directory.makeFile(path, whole.replacingCharacters(in: number, with: ":" + value))
          // A run with too many iterations to wait for is stopped by timeout(1).
          let outcome = try TestSupport.run(
            ["timeout", "2", Product.topicStress, "--run-dir", directory("runs"), "--resume", run],
            environment: environment)
          #expect(
            [0, 1, 65, 124].contains(outcome.code ?? -1),
            "\(name), \(whole[number]) as \(value): \(outcome)")
          for file in ["checkpoint.json", "manifest.json", "history.jsonl"] where file != name {
            _ = try? FileManager.default.removeItem(atPath: directory("runs/\(run)/\(file)"))
            try FileManager.default.copyItem(
              atPath: directory("saved/\(file)"), toPath: directory("runs/\(run)/\(file)"))
          }
        }
      }
      try directory.makeFile(path, whole)
    }
  }

  @Test("With --fail-below, a run much slower than the last ones fails")
  func slower() throws {
    try directory.makeDirectories("runs")
    let line = { (share: Double) in
      "{\"status\":\"passed\",\"configuration\":\"topic-alloc, 2 at once\",\"relative_throughput\":\(share)}\n"
    }
    try directory.makeFile("runs/metrics.jsonl", String(repeating: line(100), count: 10) + "{\"cut")
    let outcome = try stress("-n", "2", "-p", "2", "--fail-below", "0.5")
    #expect(outcome.code == 1 && outcome.text.contains("FAILED  not slower than the last runs"))
    #expect(try stress("-n", "2", "-p", "2").code == 0, "without --fail-below, it passes")
    let summary = try stress("--summary")
    #expect(
      summary.code == 0 && summary.lines.first?.contains("1 line cut or damaged") == true,
      "\(summary.text)")
  }

  @Test("A terminal shows the progress", .enabled(if: Product.hasProgram("script")))
  func progress() throws {
    let command =
      "TMPDIR='\(directory("tmp"))' '\(Product.topicStress)' -d '\(directory("runs"))' -n 30"
    let outcome = try run(["script", "-qec", command, "/dev/null"])
    #expect(outcome.text.contains("allocations/s, no violation") && outcome.text.contains("left"))
    #expect(outcome.text.contains("Collision rate: 0/300 (0%)"))
  }
}
