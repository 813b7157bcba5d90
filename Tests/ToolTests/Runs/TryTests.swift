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

/// `topic try`, with real commands that hang.
@Suite(.timeLimit(.minutes(20))) struct TryTests {
  let directory = TemporaryDirectory()
  private var log: String { directory("run/events.jsonl") }

  init() throws { try directory.makeDirectories("run") }

  private func attempt(
    _ script: String, timeout: String = "0.6", model: String = "gpt-5-pro",
    _ options: [String] = [], input: String = ""
  ) throws -> Outcome {
    let words = ["--timeout", timeout, "--model", model, "--run", directory("run")] + options
    return try run(
      [Product.topic, "try"] + words + ["--", "bash", "-c", script, "{model}"],
      in: directory.path, input: Data(input.utf8))
  }

  private func events() throws -> [[String: Any]] {
    try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").compactMap {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  /// Waits until the command has made the file `ready`.
  private func waitUntilReady() throws {
    try waitUntil(directory.entries().contains("ready"))
  }

  /// Waits until no process whose words hold `text` is left; false when one is after two seconds.
  private func isGone(_ text: String) -> Bool {
    for _ in 0..<100 {
      if runningCommands(containing: text).isEmpty { return true }
      usleep(20_000)
    }
    return false
  }

  /// A number of seconds to sleep that no other test uses.
  private func uniqueTime() -> String { "1\(Int.random(in: 100_000...999_999)).5" }

  @Test(
    "After a timeout the next model gets all of the input, and only its output is printed")
  func fallback() throws {
    let outcome = try attempt(
      """
      echo "begin $0"; cat
      case $0 in gpt-5-pro | gpt-5-mini*) sleep 100 ;; esac
      echo "end $0"
      """, input: "line 1\nline 2")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(outcome.text == "begin gpt-5-nano\nline 1\nline 2end gpt-5-nano\n")
    #expect(
      outcome.error == """
        topic: 'gpt-5-pro' was not done after 0.6 s; trying 'gpt-5-mini-2025-08-07'
        topic: 'gpt-5-mini-2025-08-07' was not done after 0.6 s; trying 'gpt-5-nano'

        """)
    let events = try events()
    #expect(events.map { $0["event"] as? String } == ["attempt", "attempt", "attempt"])
    #expect(events.map { $0["result"] as? String } == ["timeout", "timeout", "success"])
    #expect(
      events.map { $0["model"] as? String } == ["gpt-5-pro", "gpt-5-mini-2025-08-07", "gpt-5-nano"])
    #expect(events.map { $0["code"] as? Int } == [nil, nil, 0])
    #expect(try #require(events[0]["seconds"] as? Double) >= 0.6)
  }

  @Test("If there is no next model, the exit status is 75 and nothing is printed")
  func exhausted() throws {
    for model in ["gpt-5-nano", "another"] {
      let outcome = try attempt("echo x; sleep 100", timeout: "0.1", model: model)
      #expect(outcome.code == 75 && outcome.text.isEmpty, "\(outcome.error)")
      #expect(outcome.error.contains("'\(model)' was not done after 0.1 s"))
    }
  }

  @Test(
    "Other failures pass through with their own status, and no other model is tried",
    arguments: [
      ("exit 3", 3), ("exit 75", 75), ("kill -9 $$", 137), ("kill -TERM $$", 143),
      ("exit 124", 124),
    ])
  func failure(script: String, code: Int) throws {
    let outcome = try attempt("echo out; echo err >&2; \(script)", timeout: "20")
    #expect(outcome.code == Int32(code) && outcome.text.isEmpty && outcome.error == "err\n")
    #expect(try events().map { $0["code"] as? Int } == [code])
    #expect(try events().map { $0["result"] as? String } == ["failure"])
  }

  @Test("A command that does not exist or cannot be run is status 127 or 126")
  func notStarted() throws {
    let options = ["--timeout", "5", "--model", "m", "--log", log]
    try directory.makeFile("file")
    for (program, code) in [("no-such-program", 127), (directory("file"), 126)] {
      let outcome = try run([Product.topic, "try"] + options + ["--", program, "{model}"])
      #expect(outcome.code == Int32(code) && outcome.error.contains(program), "\(outcome.error)")
    }
    #expect(try events().map { $0["result"] as? String } == ["not_started", "not_started"])
  }

  @Test("After a timeout all descendants are gone, even stopped ones and those that ignore SIGTERM")
  func group() throws {
    let time = uniqueTime()
    let outcome = try attempt(
      """
      (trap '' TERM; sleep \(time); sleep \(time)) &
      bash -c 'sleep \(time); true' &
      sh -c 'kill -STOP $$; sleep \(time)' &
      sleep \(time)
      """, timeout: "0.3", model: "last")
    #expect(outcome.code == 75, "\(outcome.error)")
    #expect(runningCommands(containing: "sleep \(time)").isEmpty)
  }

  @Test("A command that handles SIGTERM has two seconds to clean up before it is killed")
  func grace() throws {
    let outcome = try attempt(
      "trap 'sleep 0.5; echo cleaned >done; exit 0' TERM; while :; do sleep 0.05; done",
      timeout: "0.2", model: "last")
    #expect(outcome.code == 75)
    #expect(directory.entries().contains("done"))
  }

  @Test("A signal reaches the command in every attempt, and a stopped command can clean up, too")
  func cleansUp() throws {
    let outcome = try attempt(
      """
      trap 'echo x >"cleaned $0"; exit' TERM
      [[ $0 == gpt-5-nano ]] && kill -STOP $$
      while :; do sleep 0.05; done
      """)
    #expect(outcome.code == 75, "\(outcome.error)")
    #expect(
      directory.entries() == [
        "cleaned gpt-5-mini-2025-08-07", "cleaned gpt-5-nano", "cleaned gpt-5-pro", "run",
      ])
  }

  /// Whether a user namespace with processes of its own is available.
  private static let hasNamespaces =
    (try? run(["unshare", "-Urpf", "--mount-proc", "true"]))?.code == 0

  @Test(
    "An orphan that process 1 does not wait for, as in many containers, does not look alive",
    .enabled(if: hasNamespaces))
  func orphans() throws {
    // After the exec, the first process of the namespace is sleep(1).
    let script = """
      topic try -n --timeout 0.3 --model m --log '\(log)' -- \
        bash -c '(sleep 100 & sleep 100 &); sleep 100' {model} 2>/dev/null &
      exec sleep 4
      """
    try bash("unshare -Urpf --mount-proc bash -c \"$SCRIPT\"", environment: ["SCRIPT": script])
    let event = try #require(try events().first)
    #expect(event["result"] as? String == "timeout")
    #expect(try #require(event["seconds"] as? Double) < 2.2)
  }

  @Test("A process that a command leaves in its group may finish writing, then is killed")
  func leftovers() throws {
    let time = uniqueTime()
    let late = try attempt("(sleep 0.3; echo late) & echo early", timeout: "20")
    #expect(late.code == 0 && late.text == "early\nlate\n")
    let start = Date()
    let stuck = try attempt("sleep \(time) & echo done", timeout: "20")
    #expect(stuck.code == 0 && stuck.text == "done\n" && -start.timeIntervalSinceNow < 10)
    #expect(runningCommands(containing: "sleep \(time)").isEmpty)
  }

  @Test(
    "A signal is passed on to the process group, and a process that ignores it is killed",
    arguments: [SIGINT, SIGTERM, SIGHUP])
  func interrupted(signal: Int32) throws {
    let time = uniqueTime()
    // What runs in the background of a shell without job control ignores SIGINT.
    let script = """
      bash -c 'trap "" HUP; trap "echo term >term; exit" TERM; touch listens
        while :; do sleep 0.05; done' \(time) &
      trap 'echo got >>got; exit 7' HUP INT TERM
      while [[ ! -e listens ]]; do sleep 0.05; done
      touch ready; wait; sleep \(time)
      """
    let process = try RunningProcess(
      [
        Product.topic, "try", "--timeout", "60", "--model", "gpt-5-pro", "--log", log, "--", "bash",
        "-c", script, "{model}",
      ], in: directory.path)
    try waitUntilReady()
    kill(process.id, signal)
    let outcome = try process.wait()
    #expect(outcome.signal == signal, "\(outcome)")
    #expect(isGone(time))
    // What was left in the background was asked before it was killed.
    #expect(directory.entries().contains("term"))
    #expect(try String(contentsOfFile: directory("got"), encoding: .utf8) == "got\n")
    #expect(try events().map { $0["result"] as? String } == ["interrupted"])
  }

  @Test("A second signal kills a command that ignores the first one")
  func interruptedTwice() throws {
    let time = uniqueTime()
    let process = try RunningProcess(
      [
        Product.topic, "try", "--timeout", "60", "--model", "m", "--", "bash", "-c",
        "trap '' INT TERM; touch ready; sleep \(time); sleep \(time)", "{model}",
      ], in: directory.path)
    try waitUntilReady()
    let start = Date()
    kill(process.id, SIGINT)
    usleep(100_000)
    kill(process.id, SIGINT)
    #expect(try process.wait().signal == SIGINT)
    #expect(-start.timeIntervalSinceNow < 1.9 && isGone("sleep \(time)"))
  }

  @Test("Input and output are kept in unnamed files in TMPDIR, or else in /tmp")
  func spools() throws {
    try directory.makeDirectories("tmp")
    let script = #"readlink /proc/$PPID/fd/* | grep -c "^$1/.*(deleted)"; ls -A "$TMPDIR"; cat"#
    for (tmp, used) in [(directory("tmp"), directory("tmp")), (directory("none"), "/tmp")] {
      let outcome = try run(
        [
          Product.topic, "try", "--timeout", "20", "--model", "m", "--", "bash", "-c", script,
          "{model}", used,
        ],
        environment: ["TMPDIR": tmp], input: Data("x\n".utf8))
      #expect(outcome.code == 0 && outcome.text == "2\nx\n", "\(outcome)")
    }
    #expect(directory.entries("tmp").isEmpty)
  }

  @Test("Input and output may exceed memory, and each attempt gets all of the input")
  func larger() throws {
    let outcome = try bash(
      """
      ulimit -v 100000
      head -c 100M /dev/zero | topic try --timeout 2 --model gpt-5-pro --log log -- \
        bash -c '[[ $0 == gpt-5-nano ]] || { head -c 99; sleep 10; }; cat; cat' {model} | wc -c
      """, in: directory.path)
    #expect(outcome.text == "\(100 << 20)\n", "\(outcome.error)")
  }

  @Test("If input or output does not fit on the disk, the status is 74 and nothing is printed")
  func noRoom() throws {
    func run(_ options: [String], input: String = "") throws -> Outcome {
      try TestSupport.run(
        [Product.topic, "try", "--timeout", "20", "--model", "m", "--log", log] + options + [
          "--", "sh", "-c", "trap 'touch ended; exit' TERM; echo x; sleep 10 & wait; touch {model}",
        ], in: directory.path,
        environment: ["POSIX_FAULT": "pwrite:1:\(ENOSPC)", "TMPDIR": directory.path],
        input: Data(input.utf8))
    }
    let hint = "topic: hint: free some space, or set TMPDIR to a directory with more space\n"
    let output = try run(["-n"])
    #expect(output.code == 74 && output.text.isEmpty)
    #expect(
      output.error == """
        topic: the output of 'sh' does not fit: cannot write to '\(directory.path)': No space left on device
        \(hint)
        """)
    #expect(directory.entries() == ["ended", "run"])
    #expect(try events().map { $0["result"] as? String } == ["failure"])
    let input = try run([], input: "x")
    #expect(
      input.code == 74 && input.error.contains("topic: standard input does not fit: cannot write"))
    #expect(input.error.hasSuffix(hint))
    #expect(try events().count == 1)
  }

  @Test("A process that left the group and holds the output open is not waited for")
  func escaped() throws {
    let time = uniqueTime()
    let start = Date()
    let outcome = try attempt(
      "echo early; setsid -f sh -c 'yes & sleep \(time)'; echo late", timeout: "20")
    let left = Set(outcome.lines).subtracting(["y"])
    #expect(outcome.code == 0 && left == ["early", "late"] && -start.timeIntervalSinceNow < 10)
    try bash("kill $(pgrep -f 'sleep \(time)')")
  }

  @Test("Megabytes pass through whole, without the output of a failed attempt")
  func large() throws {
    let input = String(repeating: "0123456789abcde\n", count: 500_000)
    let outcome = try attempt(
      "[[ $0 == gpt-5-pro ]] && { cat; sleep 100; }; cat", timeout: "1.5", input: input)
    #expect(outcome.code == 0 && outcome.output == Data(input.utf8))
  }

  @Test(
    "If input does not end within the timeout, the status is 75 and nothing is run",
    arguments: ["sleep 100 >pipe & exec <pipe", "yes >pipe & exec <pipe"])
  func endlessInput(source: String) throws {
    let script = "mkfifo pipe; \(source); topic try --timeout 0.5 --model m -- touch ran {model}"
    let outcome = try bash("\(script); echo $?; kill $!", in: directory.path)
    #expect(outcome.lines == ["75"] && directory.entries() == ["pipe", "run"])
    #expect(
      outcome.error == """
        topic: standard input did not end within 0.5 s
        topic: hint: if COMMAND needs no input, use --no-input or </dev/null

        """)
  }

  @Test("Slow input does not shorten the time of an attempt")
  func slowInput() throws {
    let outcome = try bash(
      "{ sleep 1; echo x; } | topic try --timeout 1.6 --model 1 -- sh -c 'sleep {model}; cat'")
    #expect(outcome.code == 0 && outcome.text == "x\n", "\(outcome.error)")
  }

  @Test("-n leaves the lines of standard input to the loop around the command")
  func loop() throws {
    let script =
      "while read -r l; do topic try OPTION --timeout 9 --model m -- echo \"$l\" {model}; done"
    for (option, expected) in [("-n", "a m\nb m\n"), ("", "a m\n")] {
      let text = "printf 'a\\nb\\n' | " + script.replacing("OPTION", with: option)
      #expect(try bash(text).text == expected)
    }
  }

  @Test("A closed pipe ends a writer inside the command, also after a message")
  func brokenPipe() throws {
    let outcome = try attempt(
      "[[ $0 == gpt-5-pro ]] && sleep 100; yes | head -n 1; echo \"${PIPESTATUS[0]}\"",
      timeout: "0.5")
    #expect(outcome.text == "y\n141\n", "\(outcome.error)")
  }

  @Test("A file can hold any chain, but a circle is an error that shows it")
  func file() throws {
    try directory.makeFile("chain", #"{"chains": {"a": "b", "b": "c", "c": null}}"#)
    let options = ["--fallback", directory("chain")]
    let outcome = try attempt(
      "[[ $0 != c ]] && sleep 100; echo $0", timeout: "0.2", model: "a", options)
    #expect(outcome.code == 0 && outcome.text == "c\n")
    for (text, message) in [
      (#"{"chains": {"x": "a", "a": "b", "b": "a"}}"#, "in a circle: a → b → a"),
      (#"{"chains": {"a": "a"}}"#, "a → a"), ("{\n\n\"chains\": }", "chain:3: not JSON"),
      ("[]", "expected an object"), (#"{"chains": {"a": 1}}"#, "'a' must be a model"),
      (#"{"chains": {"a": "b", "a": "c"}}"#, "two models"),
    ] {
      try directory.makeFile("chain", text)
      let outcome = try attempt("echo x", model: "z", options)
      #expect(outcome.code == 65 && outcome.error.contains(message), "\(outcome.error)")
    }
    #expect(try attempt("echo x", ["--fallback", "/nowhere"]).code == 66)
  }

  @Test(
    "Wrong usage is refused",
    arguments: [
      (["--model", "m", "--", "x", "{model}"], "no --timeout"),
      (["--timeout", "0", "--model", "m", "--", "x", "{model}"], "more than 0 seconds"),
      (["--timeout", "1", "--", "x", "{model}"], "no --model"),
      (["--timeout", "1", "--model", "m", "--", "x", "model"], "no word"),
      (["--timeout", "1", "--model", "m"], "no COMMAND"),
      (["--timeout", "1", "--model", "", "--", "{model}"], "MODEL is an empty string"),
      (["--timeout", "1", "--model", "m", "--", "", "{model}"], "COMMAND is an empty string"),
      (["--timeout", "1", "--model", "m", "--log", "", "--", "{model}"], "LOG is an empty string"),
      (
        ["--timeout", "1", "--model", "m", "--log", "a", "--run", "b", "--", "{model}"], "two logs"
      ),
    ])
  func refused(words: [String], message: String) throws {
    let outcome = try run([Product.topic, "try"] + words)
    #expect(outcome.code == 64 && outcome.error.contains(message), "\(outcome.error)")
  }

  @Test(
    "A log that cannot be opened is an error before anything runs; a full disk is a warning")
  func logFailures() throws {
    try directory.makeDirectories("run/events.jsonl")
    let outcome = try attempt("touch ran")
    #expect(outcome.code == 73 && !directory.entries().contains("ran"), "\(outcome.error)")
    try directory.makeFile("log", "{}\n")
    let full = try run(
      [
        Product.topic, "try", "--timeout", "5", "--model", "m", "--log", directory("log"), "--",
        "echo", "{model}",
      ], environment: ["POSIX_FAULT": "fsync:1:\(ENOSPC)"])
    #expect(full.code == 0 && full.text == "m\n" && full.error.contains("not in the log"))
  }
}
