import Foundation
import TestSupport
import Testing

/// Duplicate numbers in real repositories.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Product.hasProgram("git"))) struct RenumberTests {
  let directory = TemporaryDirectory()

  /// Runs a script in the directory. `at TIME` commits all files.
  func script(
    _ text: String, environment: [String: String] = [:], mayMiss: Bool = false
  ) throws -> Outcome {
    let functions = """
      set -eu
      at() {
        git add -A; GIT_AUTHOR_DATE=$1T00:00:00Z GIT_COMMITTER_DATE=$1T00:00:00Z \\
          git -c user.name=x -c user.email=x@x commit -q -m x
      }

      """
    let variables = [
      "HOME": directory("home"), "GIT_CONFIG_NOSYSTEM": "1", "TOPIC_ALLOC_SCOPE": "",
    ]
    return try bash(
      functions + text, in: directory.path, environment: variables.merging(environment) { $1 },
      mayMiss: mayMiss)
  }

  /// A repository in which 002_b is the oldest of four, and a text that mentions them.
  func makeClash() throws {
    let outcome = try script(
      """
      git init -q .; mkdir -p specs/001_a specs/002_b; touch specs/001_a/f specs/002_b/f; at 2020-01-01
      mkdir specs/002_a; touch specs/002_a/f; at 2020-01-03
      mkdir specs/002_c
      printf '002_a, x002_a, 002_a_b.\\n1002_a 002_a.md specs/002_a/f 002_a.\\r\\n\\n002_c' >specs/002_a/text
      cp specs/002_a/text top; chmod 755 top; printf '\\000002_a' >binary; ln -s 002_a link; at 2020-01-04
      mkdir specs/002_d
      """)
    #expect(outcome.code == 0, "\(outcome.error)")
  }

  func state() throws -> String {
    try script(
      "git status --porcelain; find .git -name '*topic-renumber*'; ls -lR --time-style=+ . | grep -v topic_number; cat top specs/*/text"
    ).text
  }

  @Test("The oldest entry keeps its number, the others get new ones, and mentions follow")
  func apply() throws {
    try makeClash()
    let outcome = try script(
      "topic renumber --apply specs; topic verify specs; git status --porcelain")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(directory.entries("specs") == ["001_a", "002_b", "003_a", "004_c", "005_d"])
    #expect(outcome.text.contains("R  specs/002_a/f -> specs/003_a/f"), "\(outcome.text)")
    #expect(outcome.text.contains("'top':2\n  - 1002_a 002_a.md specs/002_a/f 002_a."))
    for file in ["top", "specs/003_a/text"] {
      #expect(
        try String(contentsOfFile: directory(file), encoding: .utf8)
          == "003_a, x002_a, 002_a_b.\n1002_a 002_a.md specs/003_a/f 003_a.\r\n\n004_c")
    }
    #expect(FileManager.default.isExecutableFile(atPath: directory("top")))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: directory("link")) == "002_a")
    let binary = try Data(contentsOf: URL(fileURLWithPath: directory("binary")))
    #expect(binary == Data("\0".utf8) + Data("002_a".utf8))
  }

  @Test("Without --apply, renumber only shows the changes, also from a subdirectory")
  func dryRun() throws {
    try makeClash()
    let before = try state()
    let outcome = try script(
      "cd specs/001_a; topic renumber ..; topic renumber --dry-run --format json ..")
    #expect(outcome.code == 0 && outcome.text.contains("'002_a' -> '003_a'"), "\(outcome.error)")
    #expect(
      outcome.text.contains("\"applied\": false") && outcome.text.contains("\"file\": \"top\""))
    #expect(try state() == before)
  }

  @Test("An entry of the same name in another directory keeps its mentions")
  func elsewhere() throws {
    try makeClash()
    let outcome = try script(
      """
      mkdir -p other/002_a sub; touch other/002_a/f
      echo 'other/002_a specs/002_a ../specs/002_a ./002_a $x/002_a' >sub/text; at 2020-01-05
      topic renumber --apply specs; cat sub/text
      """)
    #expect(
      outcome.lines.last == "other/002_a specs/003_a ../specs/003_a ./003_a $x/003_a",
      "\(outcome.text)")
  }

  @Test("If one name begins with another, the longest match is replaced")
  func prefixes() throws {
    let outcome = try script(
      """
      git init -q .; mkdir -p specs/001_0 specs/001_a 'specs/001_a b'; touch specs/001_0/f specs/001_a/f 'specs/001_a b/f'
      echo '001_a b, 001_a' >text; at 2020-01-01; topic renumber --apply specs; cat text
      """)
    #expect(outcome.lines.last == "003_a b, 002_a", "\(outcome.text)\(outcome.error)")
  }

  @Test("A name that stays is left alone, even if it begins with a name that changes")
  func stayingNames() throws {
    let outcome = try script(
      """
      git init -q .; mkdir -p 'specs/001_a b'; touch 'specs/001_a b/f'; at 2020-01-01
      mkdir specs/001_a; touch specs/001_a/f
      echo '001_a b, 001_a, 001_a bc specs/001_a/b' >text; at 2020-01-02
      topic renumber --apply specs; cat text
      """)
    #expect(
      outcome.lines.last == "001_a b, 002_a, 002_a bc specs/002_a/b",
      "\(outcome.text)\(outcome.error)")
  }

  /// A git in PATH that runs `text` before each command that contains `word`.
  func before(_ word: String, _ text: String) throws -> [String: String] {
    try git(after: "case \" $* \" in *\" \(word) \"*) \(text) ;; esac")
  }

  /// A git in PATH that first runs `text`, a shell script with git's arguments.
  func git(after text: String) throws -> [String: String] {
    try directory.makeDirectories("bin")
    let search = Product.directory + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
    try directory.makeFile(
      "bin/text",
      """
      #!/bin/sh
      PATH='\(search)'
      \(text)
      exec git "$@"
      """)
    // A file that this process writes may still be open in a child of another test: "Text file
    // busy".
    try run(["install", "-m", "755", directory("bin/text"), directory("bin/git")])
    return ["PATH": directory("bin") + ":" + search]
  }

  @Test("With --no-rewrite, mentions stay")
  func noRewrite() throws {
    try makeClash()
    #expect(try script("topic renumber --apply --no-rewrite specs").code == 0)
    #expect(try String(contentsOfFile: directory("top"), encoding: .utf8).hasPrefix("002_a, "))
  }

  @Test("A root that does not exist is status 66 and is not created")
  func missingRoot() throws {
    for words in ["renumber specs", "renumber --apply specs"] {
      let outcome = try script("topic \(words)")
      #expect(outcome.code == 66, "\(outcome.error)")
    }
    #expect(directory.entries() == [])
  }

  @Test("A rewritten file loses set-ID and sticky bits, and another user's file all permissions")
  func permissions() throws {
    try makeClash()
    let isRoot = getuid() == 0
    let outcome = try script(
      """
      umask 077; cp top foreign; cp top closed; at 2020-01-05
      chmod 7755 top; chmod 4775 foreign; chmod 600 closed
      [ \(isRoot) = false ] || chown 1001 foreign closed
      topic renumber --apply specs >/dev/null; grep -l 003_a top foreign closed | wc -l
      stat -c %a top foreign closed
      """)
    let others = isRoot ? ["600", "600"] : ["775", "600"]
    #expect(outcome.lines == ["3", "755"] + others, "\(outcome.text)\(outcome.error)")
  }

  @Test("verify --against finds numbers that another branch gives to another entry")
  func against() throws {
    let outcome = try script(
      """
      git init -q -b main .; mkdir -p specs/001_a; touch specs/001_a/f; at 2020-01-01
      git checkout -q -b theirs; mkdir specs/002_x; touch specs/002_x/f; at 2020-01-02
      git checkout -q main; mkdir specs/002_y; touch specs/002_y/f
      topic verify --against theirs specs || echo "code $?"
      mv specs/002_y specs/003_y; topic verify --allow-gaps --against theirs specs; git merge -q theirs
      topic verify --against theirs specs
      topic verify --against nowhere specs || echo "code $?"
      """)
    #expect(
      outcome.lines.first == "clash: number 002 belongs to '002_y' here and to '002_x' in 'theirs'",
      "\(outcome.text)\(outcome.error)")
    #expect(outcome.lines.filter { $0.hasPrefix("code") } == ["code 1", "code 65"])
  }
}
