import Foundation
import POSIX
import TestSupport
import Testing

/// Applies the rule for opening maintained files (Sources/POSIX/Files/MaintainedFile.swift) to all
/// of them, on a shared machine.
@Suite(.timeLimit(.minutes(20))) struct MaintainedFileTests {
  let directory = TemporaryDirectory()

  /// A maintained file and the command that maintains it. The command runs in a directory with
  /// `run`, `specs`, a `PLAN.md` of two tasks, and a repository.
  struct Case: Sendable, CustomTestStringConvertible {
    let file: String
    let command: String
    /// Whether the file is replaced instead of appended to.
    var isReplaced = false
    /// Commands that prepare the directory.
    var setUp = "true"
    /// A command that succeeds if the work was done.
    var proof = "true"

    var testDescription: String { file }
  }

  static let cases = [
    Case(
      file: "run/events.jsonl", command: "topic log append run/events.jsonl '{\"a\":1}'",
      proof: "grep -q '\"a\":1' run/events.jsonl"),
    Case(
      file: "run/cost.jsonl",
      command: "topic cost add run --role r --model gpt-5 --input-tokens 1 --output-tokens 1",
      proof: "grep -q gpt-5 run/cost.jsonl"),
    Case(
      file: "run/metrics.jsonl", command: "topic metrics append run/metrics.jsonl status=ok",
      proof: "grep -q ok run/metrics.jsonl"),
    Case(
      file: "run/checkpoint.json", command: "topic checkpoint save run --iteration 2",
      isReplaced: true, proof: "grep -q '\"iteration\": 2' run/checkpoint.json"),
    Case(
      file: "run/checkpoint.previous.json", command: "topic checkpoint save run --iteration 2",
      isReplaced: true, setUp: "topic checkpoint save run --iteration 1",
      proof: "grep -q '\"iteration\": ' run/checkpoint.previous.json"),
    Case(
      file: "PLAN.state.json", command: "topic plan claim --worker w PLAN.md", isReplaced: true,
      proof: "grep -q claimed PLAN.state.json"),
    Case(file: "PLAN.lock", command: "topic plan claim --worker w PLAN.md"),
    Case(file: "specs/.topic_number.lock", command: "topic-alloc specs a"),
    Case(file: ".git/topic-alloc.lock", command: "topic-alloc --scope worktrees specs a"),
    Case(
      file: "out/state.json", command: "topic metrics aggregate --out out m.jsonl",
      isReplaced: true, setUp: "mkdir -p out; echo '{\"status\":\"ok\"}' >m.jsonl",
      proof: "grep -q version out/state.json"),
    Case(
      file: "out/baseline.json", command: "topic metrics aggregate --out out m.jsonl",
      isReplaced: true, setUp: "mkdir -p out; echo '{\"status\":\"ok\"}' >m.jsonl",
      proof: "grep -q ok out/baseline.json"),
  ]

  /// Runs a script in the directory of the cases, as this user or under another user ID.
  private func script(_ text: String, user: Int? = nil) throws -> Outcome {
    let asUser =
      user.map { ["setpriv", "--reuid=\($0)", "--regid=\($0)", "--groups=7000", "--"] } ?? []
    let path = directory("bin") + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
    return try run(
      asUser + ["bash", "--noprofile", "--norc", "-c", "umask 022; " + text],
      in: directory("place"),
      environment: ["PATH": path, "HOME": directory("place"), "GIT_CONFIG_NOSYSTEM": "1"])
  }

  /// Creates the directory `place`, and `bin` with hard links or copies of the programs: another user
  /// may have no access to the build. (swift build has been seen to make .build for its group alone.)
  private func prepare(_ aCase: Case) throws {
    try directory.makeDirectories("bin", "place/run", "place/specs")
    for program in [Product.topic, Product.topicAlloc] {
      let copy = directory("bin/") + (program as NSString).lastPathComponent
      do {
        try FileManager.default.linkItem(atPath: program, toPath: copy)
      } catch {
        // Another file system.
        try FileManager.default.copyItem(atPath: program, toPath: copy)
      }
    }
    try directory.makeFile(
      "place/PLAN.md", "**Goal:** g\n\n| Group 1 | a, b |\n\n### Task a: A\n\n### Task b: B\n")
    try directory.makeFile("secret", "nobody else's\n")
    let made = try script(
      "git init -q . && mkdir -p \"$(dirname \(aCase.file))\" && \(aCase.setUp)")
    #expect(made.code == 0, "\(made.error)")
  }

  @Test(
    "Anything but a regular file is refused, named, and left unchanged",
    .timeLimit(.minutes(20)), arguments: cases,
    [
      ("a symbolic link", "ln -s ../secret FILE || ln -s ../../secret FILE"),
      ("a symbolic link", "ln -s \"$PWD/../secret\" FILE"),
      ("a symbolic link", "ln -s \"$PWD/../nowhere\" FILE"),
      ("a FIFO", "mkfifo FILE"), ("a directory", "mkdir FILE"), ("a socket", "bind FILE"),
      ("a device", "mknod FILE c 1 3"),
    ])
  func refused(aCase: Case, planted: (kind: String, command: String)) throws {
    if planted.kind == "a device", getuid() != 0 { return }
    try prepare(aCase)
    let bind =
      "bind() { python3 -c 'import socket,sys; socket.socket(1).bind(sys.argv[1])' \"$1\"; }; "
    let command = planted.command.replacing("FILE", with: aCase.file)
    let planting = try script(
      bind + "rm -rf \(aCase.file); \(command) && ls -ld \(aCase.file) >../before")
    #expect(planting.code == 0, "\(planting.error)")
    let outcome = try script("timeout 20 " + aCase.command + "; echo code $?")
    let code = outcome.lines.last ?? ""
    #expect(code == "code 73" || code == "code 74", "\(outcome.text)\(outcome.error)")
    #expect(outcome.lines.count == 1, "\(outcome.text)")
    #expect(
      outcome.error.contains("it is \(planted.kind), not a regular file")
        && outcome.error.contains(aCase.file), "\(outcome.error)")
    let after = try script("ls -ld \(aCase.file) | diff ../before - && ! test -e ../nowhere")
    #expect(after.code == 0, "\(after.text)")
    #expect(try String(contentsOfFile: directory("secret"), encoding: .utf8) == "nobody else's\n")
  }

  @Test(
    "A replaced file gets no permission that the old one lacked, and no set-ID bits",
    .enabled(if: getuid() == 0, "only root can give a file to another user"),
    arguments: cases.filter(\.isReplaced), [0o4777, 0o2770, 0o1600, 0o640])
  func permissions(aCase: Case, mode: Int) throws {
    try prepare(aCase)
    let octal = String(mode, radix: 8)
    for owner in [1001, 0] {
      let outcome = try script(
        """
        \(aCase.command) >/dev/null && rm -f PLAN.state.json.old
        chown \(owner):1001 \(aCase.file) && chmod \(octal) \(aCase.file)
        test -e PLAN.state.json && sed -i 's/claimed/pending/; s/"worker"/"was"/' PLAN.state.json
        test -e PLAN.state.json && chown \(owner):1001 \(aCase.file) && chmod \(octal) \(aCase.file)
        \(aCase.command) >/dev/null && stat -c '%a %u %g' \(aCase.file)
        """)
      let words = outcome.lines.last?.split(separator: " ").map(String.init) ?? []
      try #require(words.count == 3, "\(outcome.error)")
      let now = try #require(Int(words[0], radix: 8))
      #expect(now & ~(mode & 0o777) == 0 && now & 0o600 == 0o600, "\(octal), \(owner): \(words)")
      #expect(words[1] == "0")
      // Another user's file also gets no permission that a new file would lack.
      if owner != 0 { #expect(now & 0o022 == 0, "\(words)") }
      #expect(now & 0o070 == 0 || words[2] == "1001", "\(words)")
    }
  }

  @Test("Only those who can read a checkpoint can read its copy")
  func copies() throws {
    try prepare(Self.cases[3])
    let outcome = try script(
      """
      topic checkpoint save run --iteration 1; chmod 600 run/checkpoint.json
      topic checkpoint save run --iteration 2; chmod 644 run/checkpoint.previous.json
      topic checkpoint save run --iteration 3; stat -c %a run/*.json
      """)
    #expect(outcome.lines == ["600", "600"], "\(outcome.error)")
  }

  @Test(
    "In a directory shared by a group, a second user continues the work of the first, whatever the umask",
    .enabled(if: getuid() == 0, "only root can act as two users"),
    arguments: cases + [
      Case(
        file: "deep/er/log.jsonl", command: "topic log append deep/er/log.jsonl '{\"a\":1}'",
        proof: "grep -q a deep/er/log.jsonl"),
      Case(
        file: "new/specs/.topic_number.lock", command: "topic-alloc new/specs a",
        proof: "test -d new/specs/002_a"),
      Case(
        file: "run/reports/.topic_number.lock",
        command: "topic artifact --suffix .md ./run reports r",
        proof: "test -e run/reports/002_r.md"),
      Case(
        file: "doc/.topic_number.lock", command: "topic-alloc --style adr doc a",
        proof: "echo more >>doc/0001-a.md"),
    ])
  func group(aCase: Case) throws {
    try prepare(aCase)
    _ = try script("rm -rf \(aCase.file)")
    let shared = try run(
      [
        "sh", "-c",
        """
        cd "$1" && git config core.sharedRepository group && git config --global --add safe.directory '*'
        chgrp -R 7000 . && find . -type d -exec chmod 2775 {} + && find . -type f -exec chmod 664 {} +
        """, "sh", directory("place"),
      ], environment: ["HOME": directory("place")])
    #expect(shared.code == 0, "\(shared.error)")
    for user in [1001, 1002] {
      let outcome = try script(
        aCase.command.replacing("worker w", with: "worker w$UID"), user: user)
      #expect(outcome.code == 0, "user \(user): \(outcome.error)")
    }
    let outcome = try script(aCase.proof, user: 1002)
    #expect(outcome.code == 0, "\(outcome.error)")
    let closed = try script(
      """
      find . -path ./.git -prune -o -type d \\( ! -perm -2070 -o ! -group 7000 \\) -print
      find . -type f \\( -name '*.lock' -o -name '*.jsonl' \\) \\( ! -perm -060 -o ! -group 7000 \\)
      """)
    #expect(closed.lines.isEmpty, "\(closed.text)")
  }

  @Test("A file that a user asks to read may be a pipe")
  func pipes() throws {
    try prepare(Self.cases[0])
    let outcome = try script(
      """
      topic cost prices --prices <(sleep 0.2; topic cost prices 2>/dev/null) 2>/dev/null | head -c 1; echo
      topic retry check run --status needs_changes --feedback-file <(sleep 0.2; echo "no tests")
      topic plan check <(cat PLAN.md)
      topic try --timeout 5 --model a --fallback <(echo '{"chains": {}}') -n -- echo {model}
      """)
    #expect(
      outcome.lines == ["{", "go on: round 1, the first feedback", "2 tasks in 1 group", "a"],
      "\(outcome.text)\(outcome.error)")
  }

  @Test("PLAN and PLAN.md have separate states, and a state of version 0.1 is migrated")
  func plans() throws {
    try prepare(Self.cases[0])
    let outcome = try script(
      """
      cp PLAN.md OTHER; cp PLAN.md PLAN
      echo '{"version":1,"tasks":{"a":{"status":"done","worker":"x"},"b":{"status":"pending"}}}' >OTHER.state.json
      topic plan status -f json OTHER | jq .done; topic plan claim --worker w OTHER | jq -r .id
      ls OTHER*
      topic plan claim --worker w PLAN.md | jq -r .id; topic plan status -f json PLAN | jq .claimed
      topic plan claim --worker w PLAN | jq -r .id; topic plan done --worker w PLAN a
      topic plan status -f json PLAN.md | jq -c '[.claimed, .done]'
      """)
    #expect(
      outcome.lines == [
        "1", "b", "OTHER", "OTHER.plan-lock", "OTHER.plan-state.json", "a", "0", "a",
        "a done, 1 of 2 done", "[1,0]",
      ], "\(outcome.text)\(outcome.error)")
  }

  @Test(
    "An ambiguous state of version 0.1 goes to PLAN.md, not PLAN, and a message says so")
  func ambiguousState() throws {
    try prepare(Self.cases[0])
    let outcome = try script(
      """
      cp PLAN.md PLAN; topic plan claim --worker w PLAN.md >/dev/null
      topic plan status -f json PLAN | jq .claimed; mv PLAN.state.json PLAN.plan-state.json
      topic plan status -f json PLAN 2>&1 | jq .claimed
      """)
    #expect(outcome.lines == ["0", "1"], "\(outcome.text)\(outcome.error)")
    #expect(
      outcome.error.contains("'PLAN' has no state yet") && outcome.error.contains("rename it"))
  }

  @Test(
    "The name of a new log or ledger is synced before its first line",
    .enabled(if: Product.hasProgram("strace"), "strace is missing"),
    arguments: cases.prefix(3))
  func newFiles(aCase: Case) throws {
    try prepare(aCase)
    for isNew in [true, false] {
      let outcome = try script("strace -yf -o ../trace -e trace=fsync,write \(aCase.command)")
      #expect(outcome.code == 0, "\(outcome.error)")
      let calls = try String(contentsOfFile: directory("trace"), encoding: .utf8).split(
        separator: "\n")
      let written = try #require(
        calls.firstIndex { $0.contains("write(") && $0.contains(".jsonl>") })
      let named = calls.firstIndex { $0.contains("fsync(") && $0.contains("/place/run>") }
      #expect(isNew ? (named ?? .max) < written : named == nil, "\(calls)")
      #expect(calls.last { $0.contains("fsync(") }?.contains(".jsonl>") == true)
    }
  }

  @Test(
    "A record of the highest number counts only if no other user could have written it",
    .enabled(if: getuid() == 0 && RecordTests.isPossibleHere, "only root can act as two users"))
  func strangers() throws {
    try prepare(Self.cases[0])
    /// Allocates as `user` beside a record that says 500 and matches the state of the root.
    func next(owner: Int, mode: String, root: String, user: Int) throws -> String? {
      let path = directory("place/specs")
      let setUp = try script(
        """
        rm -rf specs; mkdir specs; chown \(root) specs; chmod 0777 specs; topic-alloc specs a >/dev/null
        chmod 0775 specs; chown \(owner):1001 specs/.topic_number.lock; chmod \(mode) specs/.topic_number.lock
        """)
      #expect(setUp.code == 0, "\(setUp.error)")
      let status = try FileStatus.of(Path(path))
      let key = [
        status.device, status.inode, status.links, UInt64(status.changed.seconds),
        UInt64(status.changed.nanoseconds),
      ].map { String($0, radix: 16) }
      let text = Bytes("2 \(key.joined(separator: " ")) 3_ 500 ")
      let sum = text.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
      let lock = try Descriptor(opening: Path(path + "/.topic_number.lock"), .readWriteNoLink)
      try lock.setAttribute(
        "user.topic-alloc", to: text + Bytes(String((sum ^ sum >> 32) & 0xFFFF_FFFF, radix: 16)))
      return try script("topic-alloc --dry-run -f number specs b", user: user).lines.first
    }
    #expect(try next(owner: 1001, mode: "644", root: "1001:1001", user: 1001) == "501")
    #expect(try next(owner: 1001, mode: "644", root: "1001:1001", user: 0) == "501")
    #expect(try next(owner: 1002, mode: "644", root: "1001:1001", user: 1002) == "501")
    #expect(try next(owner: 1001, mode: "664", root: "1001:1001", user: 1001) == "501")
    // Owned by another user, writable by all, and writable by a group without access to the root.
    #expect(try next(owner: 1002, mode: "644", root: "1001:1001", user: 1001) == "002")
    #expect(try next(owner: 1001, mode: "666", root: "1001:1001", user: 1001) == "002")
    #expect(try next(owner: 1001, mode: "664", root: "1001:7000", user: 1001) == "002")
  }
}
