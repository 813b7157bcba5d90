import Foundation
import TestSupport
import Testing

/// `topic plan`, with real workers, real deaths and real crashes.
@Suite(.timeLimit(.minutes(20))) struct PlanTests {
  let directory = TemporaryDirectory()
  private var file: String { directory("PLAN.md") }

  private func topic(_ words: String..., fault: String = "") throws -> Outcome {
    try run([Product.topic, "plan"] + words, environment: ["POSIX_FAULT": fault])
  }

  /// Groups with so many tasks each, named `1.1` and so on.
  private func makePlan(_ sizes: Int..., extra: [String: String] = [:]) throws {
    var text = "# Plan\n\n**Goal:** Prove it\n\n| Group | Tasks |\n|---|---|\n"
    for (index, size) in sizes.enumerated() {
      let ids = (1...size).map { "\(index + 1).\($0)" }
      text += "| Group \(index + 1) | \(ids.joined(separator: ", ")) |\n"
    }
    for (index, size) in sizes.enumerated() {
      for task in 1...size {
        let id = "\(index + 1).\(task)"
        text += "\n### Task \(id): Part \(id)\n\nDo \(id).\n\(extra[id] ?? "")\n"
      }
    }
    try directory.makeFile("PLAN.md", text)
  }

  private func object(_ data: Data) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private func claim(_ worker: String, _ more: String...) throws -> [String: Any] {
    let outcome = try run([Product.topic, "plan", "claim", file, "--worker", worker] + more)
    #expect(outcome.code == 0, "\(outcome.error)")
    return try object(outcome.output)
  }

  @Test(
    "check counts a valid plan; of an invalid one, it lists every defect with its line, status 65")
  func check() throws {
    try makePlan(2, 1)
    let good = try topic("check", file)
    #expect(good.code == 0 && good.text == "3 tasks in 2 groups\n" && good.error.isEmpty)
    try directory.makeFile(
      "PLAN.md",
      """
      | Group 1 | 1.1, login, 1.3 |
      ## Task 1.1: a
      ### Task lgoin
      ### Task b
      Depends on: lgion
      """)
    let bad = try run([Product.topic, "plan", "check", "PLAN.md"], in: directory.path)
    #expect(bad.code == 65 && bad.output.isEmpty)
    #expect(
      bad.error.split(separator: "\n") == [
        "PLAN.md:1: no goal; add a line **Goal:** that says what the plan is for",
        "PLAN.md:1: there is no task '1.1'; did you mean the heading 'Task 1.1: a' on line 2?",
        "PLAN.md:1: there is no task 'login'; did you mean the heading 'Task lgoin' on line 3?",
        "PLAN.md:1: there is no task '1.3'",
        "PLAN.md:3: task 'lgoin' is in no group; add it to a row | Group N | IDS | of the table",
        "PLAN.md:4: task 'b' is in no group; add it to a row | Group N | IDS | of the table",
        "PLAN.md:5: 'b' depends on 'lgion', but there is no task 'lgion';"
          + " did you mean the heading 'Task lgoin' on line 3?",
      ])
    let json = try object(try topic("check", file, "--format", "json").output)
    #expect((json["defects"] as? [[String: Any]])?.count == 7)
    for command in ["show", "graph", "status"] {
      #expect(try topic(command, file).code == 65, "\(command)")
    }
    #expect(try topic("claim", file, "--worker", "w").code == 65)
    #expect(directory.entries() == ["PLAN.lock", "PLAN.md"])
  }

  @Test("show prints as JSON the goal, and all that a worker needs to know about a task")
  func show() throws {
    try makePlan(2, 1, extra: ["2.1": "Role: reviewer\nTimeout: 60\nDepends on: 1.2"])
    let plan = try object(try topic("show", file, "-f", "json").output)
    #expect(plan["goal"] as? String == "Prove it")
    let tasks = try #require(plan["tasks"] as? [[String: Any]])
    #expect(tasks.map { $0["id"] as? String } == ["1.1", "1.2", "2.1"])
    #expect(tasks[0]["role"] is NSNull && tasks[0]["timeout_seconds"] as? Int == 600)
    #expect(tasks[0]["instructions"] as? String == "Do 1.1.")
    #expect(tasks[2]["role"] as? String == "reviewer" && tasks[2]["timeout_seconds"] as? Int == 60)
    #expect(tasks[2]["dependencies"] as? [String] == ["1.1", "1.2"])
    #expect(tasks[0]["description"] as? String == "Part 1.1")
    #expect(try topic("show", file).text.contains("2.1: Part 2.1\n    after 1.2, by reviewer"))
  }

  @Test("claim exits with 0 if there is a task, 1 if there is none now, 2 if all are done")
  func codes() throws {
    try makePlan(1, 1)
    let first = try claim("a")
    #expect(first["id"] as? String == "1.1" && first["worker"] as? String == "a")
    #expect(first["reclaimed"] as? Bool == false)
    let waiting = try topic("claim", file, "--worker", "b")
    #expect(waiting.code == 1 && waiting.output.isEmpty)
    #expect(
      waiting.error.contains("1 task is held; the first lease to expire is that of 'a' on '1.1'"))
    #expect(try claim("a")["id"] as? String == "1.1")
    #expect(try topic("done", file, "1.1", "--worker", "a").text == "1.1 done, 1 of 2 done\n")
    #expect(try claim("b")["id"] as? String == "2.1")
    #expect(try topic("release", file, "2.1", "--worker", "b").code == 0)
    #expect(try claim("c")["id"] as? String == "2.1")
    #expect(try topic("done", file, "2.1", "--worker", "c").code == 0)
    #expect(try topic("done", file, "2.1", "--worker", "c").code == 0)
    let end = try topic("claim", file, "--worker", "a")
    #expect(end.code == 2 && end.output.isEmpty && end.error.isEmpty)
  }

  @Test("Only the holder can end a task; others learn who holds it")
  func holder() throws {
    try makePlan(2)
    _ = try claim("owner")
    for command in ["done", "fail", "release"] {
      let outcome = try topic(command, file, "1.1", "--worker", "other")
      #expect(outcome.code == 77 && outcome.error.contains("'1.1' is held by 'owner'"))
      let pending = try topic(command, file, "1.2", "--worker", "other")
      #expect(pending.code == 77 && pending.error.contains("'1.2' is not claimed"))
    }
    let unknown = try topic("done", file, "1.11", "--worker", "owner")
    #expect(unknown.code == 66 && unknown.error.contains("did you mean '1.1'?"))
    #expect(try claim("owner")["id"] as? String == "1.1")
    for words in [
      ["claim", file], ["done", file, "1.1"], ["claim", file, "--worker", ""],
      ["done", file, "--worker", "a"], ["show", file, "--worker", "a"], ["claims", file],
      ["claim", file, "x", "--worker", "a"], ["claim", "", "--worker", "a"], ["check"],
      ["claim", file, "--worker", "a", "--lease", "x"],
    ] {
      #expect(try run([Product.topic, "plan"] + words).code == 64, "\(words)")
    }
    #expect(try topic("claim", directory("no.md"), "--worker", "a").code == 66)
  }

  @Test("Tasks wait for a failed task until it is released with --force")
  func failed() throws {
    try makePlan(1, 2)
    _ = try claim("a")
    #expect(try topic("fail", file, "1.1", "--worker", "a").code == 0)
    let blocked = try topic("claim", file, "--worker", "b")
    #expect(blocked.code == 1 && blocked.error.contains("'1.1' failed"))
    #expect(blocked.error.contains("topic plan release --force"))
    #expect(try topic("status", file).text.contains("1.1 failed (worker 'a')"))
    #expect(try topic("release", file, "1.1", "--worker", "a").code == 77)
    #expect(try topic("release", file, "1.1", "--force").code == 0)
    let again = try claim("b")
    #expect(again["id"] as? String == "1.1" && again["attempts"] as? Int == 2)
    #expect(try topic("done", file, "1.1", "--worker", "b").code == 0)
    #expect(try topic("release", file, "1.1", "--force").code == 77)
  }

  @Test(
    "When the lease of a dead worker expires, another worker takes its task over, with a message")
  func takeOver() throws {
    try makePlan(1)
    let start = Date()
    _ = try claim("dead", "--lease", "1")
    var outcome = try topic("claim", file, "--worker", "heir")
    while outcome.code == 1, Date().timeIntervalSince(start) < 10 {
      usleep(50_000)
      outcome = try topic("claim", file, "--worker", "heir")
    }
    #expect(Date().timeIntervalSince(start) >= 1)
    #expect(outcome.error.contains("'1.1' is taken over from 'dead', whose lease has expired"))
    let task = try object(outcome.output)
    #expect(task["reclaimed"] as? Bool == true && task["reclaimed_from"] as? String == "dead")
    #expect(try topic("done", file, "1.1", "--worker", "dead").error.contains("held by 'heir'"))
    #expect(try topic("done", file, "1.1", "--worker", "heir").code == 0)
  }

  @Test("The state follows the edits of a plan, and each edit is reported once")
  func edited() throws {
    try makePlan(2)
    _ = try claim("a")
    #expect(try topic("done", file, "1.1", "--worker", "a").code == 0)
    try makePlan(3)
    let added = try topic("claim", file, "--worker", "a")
    #expect(added.error.contains("has changed; added: '1.3'"))
    #expect(try topic("claim", file, "--worker", "a").error.isEmpty)
    try directory.makeFile("PLAN.md", "**Goal:** g\n\n| Group 1 | 1.3 |\n\n### Task 1.3\n")
    #expect(try topic("status", file).error.contains("removed: '1.1', '1.2'"))
    let removed = try topic("done", file, "1.2", "--worker", "a")
    #expect(removed.code == 66 && removed.error.contains("removed: '1.1', '1.2'"))
    // A task that was done and comes back is still done.
    try makePlan(3)
    #expect(try topic("claim", file, "--worker", "b").error.contains("back: '1.1', '1.2'"))
    #expect(try topic("status", file).text.contains("1 of 3 done, 2 held"))
  }

  @Test("A damaged state is an error with advice, and stays as it is")
  func damaged() throws {
    try makePlan(1)
    for damage in ["", "{", "[]", "{\"version\": 2, \"tasks\": {}}", "\0\0"] {
      try directory.makeFile("PLAN.state.json", damage)
      let outcome = try topic("claim", file, "--worker", "a")
      #expect(
        outcome.code == 65 && outcome.error.contains("PLAN.state.json' is not the state of a plan"))
      #expect(outcome.error.contains("remove it to start over"))
      #expect(try String(contentsOfFile: directory("PLAN.state.json"), encoding: .utf8) == damage)
    }
  }

  @Test("Killed at any call, a command leaves the old state or the new one, and no lock")
  func killed() throws {
    let trace = directory("trace")
    try makePlan(300)
    _ = try claim("first")
    _ = try run(
      [Product.topic, "plan", "claim", file, "--worker", "traced"],
      environment: ["POSIX_TRACE": trace])
    let names = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names.contains("renameat") && names.contains("fsync") && names.contains("flock"))
    var counts: [String: Int] = [:]
    for (number, name) in names.enumerated() {
      counts[name, default: 0] += 1
      let outcome = try topic(
        "claim", file, "--worker", "w\(number)", fault: "\(name):\(counts[name] ?? 0):kill")
      #expect(outcome.signal == SIGKILL, "\(name)")
      let status = try topic("status", file)
      #expect(status.code == 0, "\(name) \(counts[name] ?? 0): \(status.error)")
      // The next one does not wait, and removes what is left.
      #expect(try topic("claim", file, "--worker", "n\(number)", "--timeout", "0").code == 0)
      let all = try FileManager.default.contentsOfDirectory(atPath: directory.path)
      #expect(all.sorted() == ["PLAN.lock", "PLAN.md", "PLAN.state.json", "trace"], "\(all)")
    }
  }

  @Test("A failing call is reported, and leaves the old state and no temporary file")
  func failing() throws {
    try makePlan(2)
    _ = try claim("a")
    let before = try Data(contentsOf: URL(fileURLWithPath: directory("PLAN.state.json")))
    for fault in ["creat:1", "write:1", "fsync:1", "renameat:1"] {
      let outcome = try topic("claim", file, "--worker", "b", fault: "\(fault):\(ENOSPC)")
      #expect([73, 74].contains(outcome.code) && outcome.error.contains("No space"), "\(fault)")
      #expect(outcome.output.isEmpty)
      let after = try Data(contentsOf: URL(fileURLWithPath: directory("PLAN.state.json")))
      #expect(after == before)
      let all = try FileManager.default.contentsOfDirectory(atPath: directory.path)
      #expect(!all.contains { $0.hasSuffix(".tmp") }, "\(fault): \(all)")
    }
    let full = try bash("topic plan claim '\(file)' --worker b >/dev/full")
    #expect(full.code == 74 && full.error.contains("'1.2' is still claimed"))
  }

  @Test("claim waits for the lock, gives up in time, and names the holder")
  func busy() throws {
    try makePlan(1)
    let lock = try HeldLock(directory("PLAN.lock"))
    let outcome = try topic("claim", file, "--worker", "a", "--timeout", "0.1")
    #expect(outcome.code == 75 && outcome.error.contains("held by process \(lock.holder.id)"))
    #expect(try topic("status", file).code == 0)
    try lock.release()
    #expect(try topic("claim", file, "--worker", "a", "--timeout", "0.1").code == 0)
  }

  @Test("All names of a plan share one state, beside the file")
  func link() throws {
    try makePlan(1)
    try directory.makeDirectories("other")
    try bash("ln -s ../PLAN.md other/link.md", in: directory.path)
    #expect(try topic("claim", directory("other/link.md"), "--worker", "a").code == 0)
    #expect(try topic("claim", file, "--worker", "b").code == 1)
    #expect(directory.entries("other") == ["link.md"])
    try directory.makeFile("other/plan", "**Goal:** g\n\n| Group 1 | a |\n\n### Task a\n")
    #expect(try topic("claim", directory("other/plan"), "--worker", "a").code == 0)
    #expect(
      directory.entries("other") == ["link.md", "plan", "plan.plan-lock", "plan.plan-state.json"])
  }

  @Test("Ten workers do each task once, groups in order, even if the lock file keeps being deleted")
  func workers() throws {
    try makePlan(20, 1, 30, 49)
    let outcome = try bash(
      """
      worker() {
        local task id code
        # A worker that fails keeps its task, and the others would wait for it.
        while [[ ! -e failed ]] && ((SECONDS < 60)); do
          task=$(topic plan claim --worker "$1" PLAN.md 2>>errors) && code=0 || code=$?
          case $code in
            0) ;;
            1) sleep 0.02; continue ;;
            2) return 0 ;;
            *) echo "claim: $code" | tee failed; return 1 ;;
          esac
          id=${task#*'"id": "'} id=${id%%'"'*}
          echo "begin $id $1" >>history
          echo "end $id $1" >>history
          topic plan done --worker "$1" PLAN.md "$id" >/dev/null || { echo "$id" | tee failed; return 1; }
        done
      }
      for w in 1 2 3 4 5 6 7 8 9 10; do worker "w$w" & done
      for i in {1..40}; do rm -f PLAN.lock; sleep 0.02; done
      wait
      """, in: directory.path)
    #expect(outcome.code == 0 && outcome.text.isEmpty && outcome.error.isEmpty, "\(outcome)")
    let history = try String(contentsOfFile: directory("history"), encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    var ended: Set<String> = []
    var begun: Set<String> = []
    for line in history {
      if line[0] == "end" {
        #expect(ended.insert(line[1]).inserted, "\(line)")
      } else {
        #expect(begun.insert(line[1]).inserted, "\(line)")
        let group = Int(line[1].split(separator: ".")[0]) ?? 0
        let earlier = [20, 1, 30, 49].prefix(group - 1).reduce(0, +)
        let count = ended.count { (Int($0.split(separator: ".")[0]) ?? 0) < group }
        #expect(count == earlier, "\(line)")
      }
    }
    #expect(ended.count == 100)
    #expect(Set(history.map { $0[2] }).count > 1)
    #expect(try topic("status", file).text.contains("100 of 100 done\n"))
  }

  @Test("status prints counts and holders; with --watch, again whenever something has changed")
  func status() throws {
    try makePlan(2, 1)
    _ = try claim("a", "--lease", "100")
    let text = try topic("status", file).text
    #expect(text.contains("] 0 of 3 done, 1 held, 1 can be claimed\n"))
    #expect(text.contains("  1.1 held by 'a' for "), "\(text)")
    let json = try object(try topic("status", file, "--format", "json").output)
    #expect(
      json["claimed"] as? Int == 1 && json["pending"] as? Int == 2 && json["ready"] as? Int == 1)
    let watch = try bash(
      """
      topic plan status --watch --format json PLAN.md >out &
      until [[ -s out ]]; do sleep 0.02; done
      sleep 1.2
      topic plan done PLAN.md 1.1 --worker a
      until [[ $(wc -l <out) == 2 ]]; do sleep 0.02; done
      for id in 1.2 2.1; do
        topic plan claim PLAN.md --worker b; topic plan done PLAN.md $id --worker b
      done
      wait $!
      """, in: directory.path)
    #expect(watch.code == 0, "\(watch.error)")
    let lines = try String(contentsOfFile: directory("out"), encoding: .utf8).split(separator: "\n")
    #expect((3...6).contains(lines.count) && lines.last?.contains("\"done\":3") == true)
  }

  @Test(
    "On a terminal, status --watch redraws in place; Ctrl-C ends it and shows the cursor again",
    .enabled(if: Product.hasProgram("script")))
  func terminal() throws {
    try makePlan(2)
    let outcome = try bash(
      """
      { sleep 1.5; printf '\\003'; sleep 1; } |
        timeout 30 script -qec 'trap : INT; topic plan status --watch PLAN.md; echo "code $?"' /dev/null
      """, in: directory.path)
    #expect(outcome.text.contains("\u{1B}[?25l"), "\(outcome.text)\(outcome.error)")
    #expect(outcome.text.contains("\u{1B}[2A\r"))
    #expect(outcome.text.contains("\u{1B}[?25h"))
    #expect(outcome.text.contains("code 130"), "\(outcome.text)")
  }

  @Test("Graphs label all tasks, whatever their descriptions hold")
  func graph() throws {
    try directory.makeFile(
      "PLAN.md",
      "**Goal:** g\n\n| Group 1 | end, b |\n| Group 2 | c |\n\n### Task end: a \"]; <b> & \\ #1;\n"
        + "### Task b\nDepends on: end\n### Task c\n")
    let mermaid = try topic("graph", file).text
    #expect(
      mermaid.contains("t0[\"end<br>a #34;#93;#59; #60;b#62; #38; #92; #35;1#59;\"]"), "\(mermaid)")
    #expect(mermaid.contains("  t0 & t1 --> t2\n") && mermaid.contains("  t0 --> t1\n"))
    let dot = try topic("graph", file, "--format", "dot").text
    #expect(dot.contains("t0 [label=\"end\\na \\\"]; <b> &amp; \\\\ #1;\"]"), "\(dot)")
    #expect(dot.contains("  {t0 t1} -> {t2}\n"))
    if Product.hasProgram("dot") {
      #expect(try bash("topic plan graph -f dot '\(file)' | dot -Tsvg").code == 0)
    }
    let json = try topic("graph", file, "--format", "json").output
    let nodes = try JSONSerialization.jsonObject(with: json) as? [[String: Any]]
    #expect(nodes?.last?["dependencies"] as? [String] == ["end", "b"])
  }
}
