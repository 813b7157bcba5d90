import Foundation
import TestSupport
import Testing

/// Reservations that are killed, interrupted or blocked.
extension ScopeTests {
  @Test("A kill at any git command leaves nothing locked and no duplicate number")
  func killed() throws {
    let outcome = try script(
      """
      server; clone a; clone b
      for n in 1 2 3 4 5 6 7 8; do
        POSIX_FAULT=fork:$n:kill topic-alloc --scope remote -f number a/specs x 2>/dev/null || :
        topic-alloc -w 5 --scope remote -f number b/specs x
      done
      (ls a/specs; ls b/specs) | sort | sed 's/_.*//' | uniq -d
      topic verify --scope remote b/specs
      """)
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    #expect(outcome.lines.count == 9 && outcome.faults.count == 8, "\(outcome)")
  }

  @Test("A signal while git waits ends both and leaves nothing behind")
  func interrupted() throws {
    let marker = "86399.\(ProcessInfo.processInfo.processIdentifier)"
    let setUp = try script(
      """
      server; clone a; cd a; git remote add slow 'ext::sleep \(marker)'; git config protocol.ext.allow always
      """)
    #expect(setUp.code == 0)
    let waiting = try RunningProcess(
      [Product.topicAlloc, "--scope", "remote=slow", directory("a/specs"), "x"],
      environment: ["HOME": directory("home"), "TOPIC_ALLOC_SCOPE": ""])
    try waitUntil(!runningCommands(containing: "sleep \(marker)").isEmpty)
    kill(waiting.id, SIGINT)
    let outcome = try waiting.wait()
    #expect(outcome.signal == SIGINT && outcome.output.isEmpty)
    #expect(directory.entries("a/specs").isEmpty)
    for _ in 0..<100 where !runningCommands(containing: "sleep \(marker)").isEmpty {
      usleep(50_000)
    }
    #expect(runningCommands(containing: "sleep \(marker)").isEmpty)
    let late = try run(
      [Product.topicAlloc, "-w", "0", "--scope", "worktrees", directory("a/specs"), "x"],
      environment: ["HOME": directory("home"), "TOPIC_ALLOC_SCOPE": ""])
    #expect(late.code == 0, "\(late.error)")
  }

  @Test(
    "A busy ledger is status 75 and names the holder", .enabled(if: Product.hasProgram("flock")))
  func busy() throws {
    _ = try script("git init -q a; cd a; commit; take --scope worktrees specs x")
    let holder = try HeldLock(directory("a/.git/topic-alloc.lock"))
    let outcome = try script("cd a; take -w 0.1 --scope worktrees specs x")
    try holder.release()
    #expect(outcome.code == 75 && outcome.error.contains("held by process"), "\(outcome.error)")
  }

  @Test("A lock left by a killed git is reported after a few retries, with git's message")
  func staleLock() throws {
    let outcome = try script(
      """
      server; clone a; clone b; cd a; take --scope worktrees specs x; take --scope remote specs x
      touch .git/refs/topic-alloc/specs.lock
      take -w 20 --scope worktrees specs x || echo "code $?"
      rm .git/refs/topic-alloc/specs.lock; touch ../server.git/refs/topic-alloc/specs.lock
      take -w 20 --scope remote specs x || echo "code $?"
      rm ../server.git/refs/topic-alloc/specs.lock; take --scope remote ../b/specs x
      touch .git/refs/topic-alloc-remotes/origin/specs.lock
      take -w 20 --scope remote specs x || echo "code $?"
      rm .git/refs/topic-alloc-remotes/origin/specs.lock; take --scope remote specs x
      """)
    #expect(
      outcome.lines == ["001", "002", "code 69", "code 69", "003", "code 69", "004"],
      "\(outcome.text)\(outcome.error)")
    let named = outcome.error.components(separatedBy: "specs.lock").count - 1
    #expect(named >= 3, "\(outcome.error)")
  }

  @Test(
    "With --durable, commit and ref are synced before the directory is created",
    .enabled(if: Product.hasProgram("strace")), arguments: ["worktrees", "remote"])
  func durable(scope: String) throws {
    let outcome = try script(
      """
      server; clone a; cd a; take --scope \(scope) specs x
      strace -f -y -qq -o ../trace -e trace=fsync,mkdirat topic-alloc --durable --scope \(scope) specs x
      sed -n '/specs.*mkdirat/q; s/.*fsync([0-9]*<\\(.*\\)>.*/\\1/p' ../trace
      """)
    let synced = outcome.text
    let reference =
      scope == "remote" ? "refs/topic-alloc-remotes/origin/specs" : "refs/topic-alloc/specs"
    #expect(synced.contains("a/.git/objects/"), "\(synced)\(outcome.error)")
    #expect(synced.contains("a/.git/\(reference).lock"), "\(synced)\(outcome.error)")
  }
}
