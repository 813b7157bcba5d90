import Foundation
import TestSupport
import Testing

/// Runs the examples in the documents, and compares their claims.
@Suite(.timeLimit(.minutes(20))) struct DocumentationTests {
  let directory = TemporaryDirectory()

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: Product.sources + "/" + name, encoding: .utf8)
  }

  /// Runs the `sh` blocks of a page in order, from an empty directory, and expects no error.
  private func runBlocks(of page: String, environment: [String: String] = [:]) throws {
    let blocks = try text(page).matches(of: #/(?s)```sh\n(.*?)```/#).map { $0.output.1 }
    #expect(blocks.count > 3, "\(page) has \(blocks.count) blocks")
    let script =
      "set -euo pipefail\nlibrary='\(LibraryTests.library)'\nproject='\(Product.sources)'\n"
      + blocks.joined(separator: "\n")
    let outcome = try bash(script, in: directory.path, environment: environment)
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.text)\(outcome.error)")
  }

  @Test(
    "Every shell block of the README runs in order, from an empty directory",
    .enabled(if: Product.hasProgram("jq")))
  func readmeBlocks() throws {
    try runBlocks(of: "README.md")
    #expect(
      directory.entries("specs")
        == [
          "001_oauth_20_login", "002_billing", "003_search", "004_import", "005_audit_log",
        ])
    #expect(directory.entries("specs/001_oauth_20_login") == ["plans"])
    #expect(directory.entries("doc/adr") == ["0001-use-flock-for-numbering.md"])
  }

  @Test(
    "Every shell block of the shell README runs in order, from an empty directory",
    .enabled(if: Product.hasProgram("jq")))
  func shellBlocks() throws {
    try runBlocks(of: "shell/README.md")
    #expect(directory.entries("specs/001_oauth_20_login") == ["plans", "reports"])
    #expect(directory.entries("specs/001_oauth_20_login/reports") == ["001_token_lifetimes.md"])
    #expect(directory.entries("specs/005_audit_trail/reports") == [])
    #expect(directory.entries("tasks").count == 1000)
  }

  @Test(
    "Every shell block of the stress README runs",
    .enabled(if: Product.hasProgram("jq")))
  func stressBlocks() throws {
    try runBlocks(of: "stress/README.md", environment: ["XDG_STATE_HOME": directory("state")])
    #expect(directory.entries() == ["page.html", "runs", "state"])
  }

  @Test("Every link in a README leads somewhere")
  func links() throws {
    let pages = ["README.md", "shell/README.md", "stress/README.md", "Sources/README.md"]
    for page in pages {
      let directory = page.split(separator: "/").dropLast().map { $0 + "/" }.joined()
      let links = try text(page).matches(of: #/\]\(([^):]+)\)/#).map { $0.output.1 }
      #expect(!links.isEmpty)
      for link in links {
        let parts = link.split(separator: "#", omittingEmptySubsequences: false)
        let target = parts[0].isEmpty ? page : directory + parts[0]
        #expect(
          FileManager.default.fileExists(atPath: Product.sources + "/" + target),
          "\(page): \(link)")
        guard parts.count > 1 else { continue }
        let anchors = try text(target).matches(of: #/(?m)^#+ (.*)$/#).map { heading in
          heading.output.1.lowercased().replacing(" ", with: "-")
            .filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        }
        #expect(anchors.contains(String(parts[1])), "\(page): \(link)")
      }
    }
  }

  @Test("No page, library or example assigns the variable path, which zsh ties to PATH")
  func pathVariable() throws {
    let outcome = try bash(
      "grep -rnE '(^|[ ;(])path=[$\"]' README.md shell/*.md stress/*.md shell/*.sh shell/examples"
        + " | grep -v ^shell/install.sh: || :",
      in: Product.sources)
    #expect(outcome.text.isEmpty && outcome.error.isEmpty, "\(outcome.text)\(outcome.error)")
  }

  @Test("The stress README and the help name every kind of chaos")
  func stressNames() throws {
    let help = try run([Product.topicStress, "--help"]).text
    let page = try text("stress/README.md")
    for kind in ["kill", "syscall-kill", "pause", "lockfile", "foreign", "full", "nofile"] {
      #expect(page.contains("| `\(kind)` |") && help.contains("- \(kind): "))
    }
  }

  @Test("The tour of the sources names every folder, and only files that exist")
  func tour() throws {
    let page = try text("Sources/README.md")
    let sources = Product.sources + "/Sources"
    let folders = try run(["find", ".", "-mindepth", "1", "-type", "d"], in: sources).lines
    for folder in folders where !folder.hasSuffix("/include") {
      #expect(page.contains("`\(folder.dropFirst(2))"), "\(folder)")
    }
    for file in page.matches(of: #/`([A-Za-z./-]+\.swift)`/#).map({ String($0.output.1) }) {
      #expect(FileManager.default.fileExists(atPath: sources + "/" + file), "\(file)")
    }
  }

  @Test(
    "The worked example, killed halfway, continues from its checkpoint and does each task once",
    .enabled(if: Product.hasProgram("jq")))
  func workflow() throws {
    let outcome = try bash(
      #"""
      {
        printf '**Goal:** x\n\n'
        printf '| Group 1 | %s |\n' a,b,c,d,e,f,g,h
        printf '| Group 2 | %s |\n\n' last
        for task in a b c d e f g h last; do printf '### Task %s: Number %s\n' $task $task; done
      } >PLAN.md
      export STAND_IN_SECONDS=0.3
      setsid bash "$example" PLAN.md run >first 2>&1 & first=$!
      until test "$(ls run/outputs 2>/dev/null | wc -l)" -ge 2; do sleep 0.05; done
      kill -KILL -- -$first; wait $first || echo "ended with $?"
      test "$(ls run/outputs | wc -l)" -lt 9
      bash "$example" PLAN.md run >second
      grep -c 'resume number 1, after task [a-h]' second
      ls run/outputs | tr '\n' ' '
      jq -r 'select(.event == "finished").task' run/events.jsonl | sort | uniq -d
      topic plan status --format json PLAN.md | jq -c '[.tasks[]?.status] | unique' || :
      topic metrics summary -f json run/metrics.jsonl | jq '.passed >= 5'
      grep -c passed second
      cp PLAN.md orphans.md; bash "$example" orphans.md orphans >/dev/null 2>&1 & first=$!
      until test -s orphans/events.jsonl; do sleep 0.05; done
      kill -KILL $first; wait $first || :
      bash "$example" orphans.md orphans >/dev/null 2>said || cat said
      jq -r 'select(.event == "finished").task' orphans/events.jsonl | sort | uniq -c | grep -c ' 1 '
      printf '#!/bin/sh\\necho the same as ever\\nexit 1\\n' >strict; chmod +x strict
      cp PLAN.md again.md
      REVIEW=./strict timeout 60 bash "$example" again.md again >/dev/null 2>said || echo "code $?"
      grep -c 'a limit is reached' said
      MAX_USD=0.000001 bash "$example" PLAN.md run >/dev/null && echo 'nothing left to pay'
      """#, in: directory.path,
      environment: ["example": Product.sources + "/shell/examples/agent-workflow.sh"])
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    #expect(outcome.text.contains("ended with 137"), "\(outcome.text)\(outcome.error)")
    #expect(
      outcome.text.contains("a.md b.md c.md d.md e.md f.md g.md h.md last.md "), "\(outcome.text)")
    #expect(
      outcome.lines.suffix(6) == ["true", "2", "9", "code 10", "1", "nothing left to pay"],
      "\(outcome.text)")
  }

  @Test("Every exit status is in the shell page and in the programs' own page")
  func exitStatuses() throws {
    let page = try "\n" + run([Product.topic, "help", "exit-status"]).text
    for code in ["0", "1", "2", "10", "64", "65", "66", "69", "73", "74", "75", "77"] {
      #expect(try text("shell/README.md").contains("| \(code) |"))
      #expect(page.contains("\n  \(code) "), "\(code)")
    }
  }

  @Test("The example script creates one topic, and one plan per run, for any description")
  func example() throws {
    try directory.makeDirectories("specs")
    let script = Product.sources + "/shell/examples/start-topic.sh"
    func plan(_ arguments: String) throws -> String {
      let outcome = try bash("'\(script)' \(arguments)", in: directory.path)
      return outcome.text.replacing(directory("specs/"), with: "") + outcome.error
    }
    #expect(try plan("OAuth 2.0 login") == "001_oauth_20_login/plans/001_oauth_20_login.md\n")
    #expect(try plan("-- OAuth 2.0 login") == "001_oauth_20_login/plans/002_oauth_20_login.md\n")
    #expect(try plan("'日本'").hasPrefix("002_untitled/plans/001_untitled.md\n"))
    #expect(try plan("--help").hasPrefix("Usage: "))
    #expect(try bash("'\(script)'").code == 64)
    #expect(directory.entries("specs").count == 2)
  }

  @Test("The bash blocks of the example command work unchanged, for any description")
  func exampleCommand() throws {
    try directory.makeDirectories("specs")
    let blocks = try text("shell/examples/research.md").matches(of: #/(?s)```bash\n(.*?)```/#)
      .map { match in
        match.output.1.split(separator: "\n").filter { $0 != "> " }
          .map { $0.trimmingPrefix("> ") }.joined(separator: "\n")
      }
    #expect(blocks.count == 3)
    let script = blocks.joined(separator: "\n")
      .replacing("$ARGUMENTS", with: "--deep \"dive\" $(touch PWNED) `touch PWNED` 'x'")
      .replacing("TOPIC_PATH", with: directory("specs/001_deep_dive_touch_pwned_touch_pwned_x"))
      .replacing("NAME OF THE PART", with: "Tokens")
    let outcome = try bash("set -e\n" + script, in: directory.path)
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    #expect(directory.entries() == ["specs"])
    let reports = directory.entries("specs/001_deep_dive_touch_pwned_touch_pwned_x/reports")
    #expect(reports == ["001_tokens.md"])
  }
}
