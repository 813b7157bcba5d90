import JSON
import TestSupport
import Testing

/// Runs whose processes are killed, stopped and disturbed.
extension RunTests {
  @Test(
    "No assertion fails under any kind of chaos",
    arguments: [
      "kill", "pause", "lockfile", "foreign", "nofile", "kill,pause,lockfile,foreign,nofile",
    ])
  func chaos(kinds: String) throws {
    let outcome = try stress("-n", "30", "--chaos", kinds)
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
  }

  @Test(
    "No assertion fails when calls are killed at each system call",
    .enabled(if: Product.hasProgram("strace")))
  func crashMatrix() throws {
    let outcome = try stress("--chaos", "syscall-kill", "-p", "4", "--format", "json")
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    let report = try json(outcome)
    let iterations = try #require(report["iterations"]?.integer)
    let killed = try #require(report["killed"]?.integer)
    #expect(iterations > 30 && killed > iterations * 3 / 4)
  }

  @Test("On a full disk, calls fail and leave nothing")
  func full() throws {
    let outcome = try stress("-n", "30", "--chaos", "full", "--format", "json")
    // Mounting may not be permitted.
    if outcome.code == 77 {
      #expect(outcome.error.contains("cannot mount a small file system"))
      return
    }
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    let report = try json(outcome)
    #expect((report["refused"]?.integer ?? 0) > 0 && (report["acknowledged"]?.integer ?? 0) > 0)
    #expect(directory.entries("tmp").isEmpty)
  }

  @Test("Deleting the lock file exposes an allocator that locks nothing else")
  func brokenByChaos() throws {
    let script = """
      exec 9>>"$1/.topic_number.lock"; flock 9; n=$(ls "$1" | sort -n | tail -n 1); n=${n%%_*}
      n=$(printf %03d $((10#${n:-0} + 1))); mkdir "$1/${n}_$2" && echo "$n"
      """
    try directory.makeFile("alloc.sh", script)
    let command = "bash \(directory("alloc.sh")) {root} {name}"
    #expect(try stress("-n", "10", "--allocator", command).code == 0)
    // It takes many rounds to hit the right moment for sure.
    let outcome = try stress("-n", "200", "--chaos", "lockfile", "--allocator", command)
    #expect(outcome.code == 1 && outcome.text.contains("FAILED"), "\(outcome.text)")
  }
}
