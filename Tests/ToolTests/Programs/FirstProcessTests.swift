import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs a command as process 1 of its own PID namespace.
private enum Namespace {
  static let words =
    ["unshare"] + (getuid() == 0 ? [] : ["--map-root-user"]) + ["--pid", "--fork", "--kill-child"]

  static let isAvailable = (try? run(words + ["true"]))?.code == 0
}

/// The programs as process 1 of a PID namespace, as in a container. There the kernel drops signals
/// without a handler.
@Suite(
  .enabled(if: Namespace.isAvailable, "needs unshare(1) and namespaces"),
  .timeLimit(.minutes(20)))
struct FirstProcessTests {
  let directory = TemporaryDirectory()

  init() throws { try directory.makeDirectories("run") }

  /// Runs `words` as process 1 and sends it `signal` from outside, once the file `ready` exists. If
  /// the command creates none, waits a while instead.
  private func interrupt(
    _ words: [String], by signal: Int32, makesReady: Bool = true,
    environment: [String: String] = [:]
  ) throws -> Outcome {
    // The timeout kills everything, whatever fails.
    let watch = try RunningProcess(
      ["timeout", "--foreground", "-s", "KILL", "30"] + Namespace.words + words,
      in: directory.path, environment: environment)
    let first = try #require(child(of: child(of: watch.id)))
    if makesReady {
      try waitUntil(directory.entries().contains("ready"))
    }
    // Gives the program time to start waiting.
    usleep(300_000)
    kill(first, signal)
    return try watch.wait()
  }

  /// The only child of a process, once it exists: proc(5).
  private func child(of parent: pid_t?) -> pid_t? {
    guard let parent else { return nil }
    for _ in 0..<1_000 {
      let children = "/proc/\(parent)/task/\(parent)/children"
      let text = try? String(contentsOfFile: children, encoding: .utf8)
      if let child = pid_t((text ?? "").dropLast()) { return child }
      usleep(10_000)
    }
    return nil
  }

  /// The same for a script that ends with the `exec` of a program.
  private func interrupt(script: String, by signal: Int32) throws -> Outcome {
    let path = Product.directory + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
    return try interrupt(["bash", "-c", script], by: signal, environment: ["PATH": path])
  }

  @Test(
    "A signal ends the wait for the lock", .enabled(if: Product.hasProgram("flock")),
    arguments: [SIGHUP, SIGINT, SIGQUIT, SIGTERM])
  func lock(signal: Int32) throws {
    try directory.makeDirectories("specs")
    let lock = try HeldLock(directory("specs"))
    let outcome = try interrupt(
      [Product.topicAlloc, "-w", "5", directory("specs"), "a"], by: signal, makesReady: false)
    try lock.release()
    #expect(outcome.code == 128 + signal && outcome.error.isEmpty, "\(outcome)")
    #expect(directory.entries("specs").isEmpty)
  }

  @Test("An ignored signal stays ignored", .enabled(if: Product.hasProgram("flock")))
  func ignored() throws {
    try directory.makeDirectories("specs")
    let lock = try HeldLock(directory("specs"))
    let outcome = try interrupt(
      script: "trap '' TERM; touch ready; exec topic-alloc -w 1 specs a", by: SIGTERM)
    try lock.release()
    #expect(outcome.code == 75, "\(outcome)")
  }

  @Test(
    "A signal during the creation undoes it; one during the report lets it finish",
    .enabled(if: Product.hasProgram("strace")))
  func allocation() throws {
    func allocate(_ injection: String) throws -> Outcome {
      let strace = ["strace", "-f", "-o", "/dev/null", "-e", "inject=\(injection)"]
      return try run(
        strace + Namespace.words
          + [Product.topicAlloc, "-f", "number", directory("specs"), "a", "b", "c"])
    }
    let undone = try allocate("mkdirat:signal=TERM:when=2")
    #expect(undone.code == 128 + SIGTERM && undone.output.isEmpty, "\(undone)")
    #expect(directory.entries("specs").isEmpty)
    // The very first write(2) is that of unshare(1), if it maps a user.
    if getuid() == 0 {
      let reported = try allocate("write:signal=INT:when=1")
      #expect(reported.code == 128 + SIGINT && reported.lines == ["001", "002", "003"])
    }
  }

  private static let waits =
    "bash -c 'trap \"touch asked; exit\" TERM; touch ready; while :; do sleep 0.05; done'"

  @Test(
    "A signal ends commands that follow, watch or read",
    arguments: [
      "exec topic log tail --follow events",
      "exec topic plan status --watch PLAN.md",
      "mkfifo pipe; exec 3<>pipe; exec topic log append --linger 60 events <&3",
      "mkfifo pipe; exec 3<>pipe; exec topic try --timeout 60 --model m -- echo {model} <&3",
    ])
  func waiting(script: String) throws {
    try directory.makeFile("PLAN.md", "**Goal:** g\n\n| Group 1 | a |\n\n### Task a: x\n")
    let outcome = try interrupt(script: "touch ready; " + script, by: SIGTERM)
    #expect(outcome.code == 128 + SIGTERM && outcome.error.isEmpty, "\(outcome)")
  }

  @Test("Lines that were read are written before a signal ends the append")
  func append() throws {
    let outcome = try interrupt(
      script: """
        mkfifo pipe; exec 3<>pipe; echo '{"a": 1}' >&3; touch ready
        exec topic log append --linger 60 events <&3
        """, by: SIGTERM)
    #expect(outcome.code == 128 + SIGTERM, "\(outcome)")
    #expect(try String(contentsOfFile: directory("events"), encoding: .utf8) == "{\"a\": 1}\n")
  }

  @Test(
    "A signal is passed on to the command, and the program exits with its number",
    arguments: [
      "exec topic gate run --step waits \"$WAITS\"",
      "exec topic try -n --timeout 60 --model m -- bash -c \"$WAITS # {model}\"",
    ])
  func children(script: String) throws {
    let outcome = try interrupt(
      script: "WAITS=$(cat <<'END'\n\(Self.waits)\nEND\n)\n" + script, by: SIGTERM)
    #expect(outcome.code == 128 + SIGTERM, "\(outcome)")
    #expect(directory.entries().contains("asked"))
  }

  @Test(
    "A signal ends a hanging git, and then the program", .enabled(if: Product.hasProgram("git")))
  func git() throws {
    let outcome = try interrupt(
      script: """
        git init -q .; mkdir bin specs
        cat >bin/git <<'END'
        #!/bin/sh
        exec \(Self.waits)
        END
        chmod +x bin/git
        PATH=$PWD/bin:$PATH exec topic-alloc --scope worktrees specs a
        """, by: SIGTERM)
    #expect(outcome.code == 128 + SIGTERM && outcome.output.isEmpty, "\(outcome)")
    #expect(directory.entries().contains("asked") && directory.entries("specs").isEmpty)
  }
}
