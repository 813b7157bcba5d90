import Foundation
import TestSupport
import Testing

/// Kills a renumbering at each call that changes something, and finishes it with another run.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Product.hasProgram("git")))
struct RenumberCrashTests {
  let renumbering = RenumberTests()
  var directory: TemporaryDirectory { renumbering.directory }

  /// A kill at each call that changes something, and at each change by git.
  private func kills() throws -> [String] {
    try run(["cp", "-a", directory("clash"), directory("traced")])
    let trace = directory("trace")
    let outcome = try renumbering.script(
      "cd traced; POSIX_TRACE='\(trace)' topic renumber --apply specs >../shown")
    #expect(outcome.code == 0, "\(outcome.error)")
    let changes = [
      "creat", "write", "fsync", "renameat", "renameat2", "unlinkat", "symlinkat", "fork", "poll",
      "waitpid",
    ]
    var counts: [Substring: Int] = [:]
    var hasBegun = false
    let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
    try run(["rm", "-r", trace, directory("traced")])
    return lines.compactMap { line in
      let name = line.prefix { $0 != " " }
      counts[name, default: 0] += 1
      hasBegun = hasBegun || line.starts(with: "creat ") && line.contains("topic-renumber")
      return hasBegun && changes.contains(String(name)) ? "\(name):\(counts[name] ?? 0):kill" : nil
    }
  }

  /// Creates the clash in `clash`, and in `killed` a copy after a run killed at `fault`.
  private func kill(_ fault: String) throws {
    let outcome = try renumbering.script(
      "cp -a clash killed; cd killed; POSIX_FAULT=\(fault) exec topic renumber --apply specs")
    #expect(outcome.signal == SIGKILL, "\(fault): \(outcome)")
    // The git process that it started continues.
    try waitUntil(runningCommands(containing: directory("killed")).isEmpty)
  }

  /// The errors in `killed`: mentions of missing entries, leftover files, and an index that differs
  /// from the entries.
  private func flaws() throws -> String {
    let outcome = try renumbering.script(
      """
      cd killed; topic verify --allow-gaps specs >/dev/null || echo violated; ls -d specs/002_b >/dev/null
      a=$(cd specs; ls -d 00?_a | tail -n 1); c=$(cd specs; ls -d 00?_c); printf \
        "$a, x002_a, 002_a_b.\n1002_a 002_a.md specs/$a/f $a.\r\n\n$c" >../wanted
      diff ../wanted top; diff ../wanted "specs/$a/text"
      git ls-files | while read -r file; do ls -d "$file" >/dev/null; done
      [ "$(readlink current)" = "specs/$a" ] || readlink current
      find . -name '*topic-renumber*'; ! git status --porcelain | grep -v -e lock -e '^R' -e '^ M top' -e '^ M current' -e 00._d
      """)
    return outcome.text + outcome.error + (outcome.code == 0 ? "" : "code \(outcome)")
  }

  /// Creates in `clash` two entries that git tracks and one that it does not. If one of the former
  /// has a `flag`, only git can move it.
  private func makeClashToKillIn(flag: Bool = false) throws {
    try directory.makeDirectories("clash")
    let made = RenumberTests()
    try made.makeClash()
    _ = try made.script("touch specs/002_c/f; ln -s specs/002_a current; at 2020-01-05")
    if flag { _ = try made.script("git update-index --assume-unchanged specs/002_a/f") }
    try run(["cp", "-a", made.directory.path + "/.", directory("clash")])
  }

  private func expectNextRunFinishes(_ what: String) throws {
    let next = try renumbering.script("cd killed; topic renumber --apply --scope worktrees specs")
    #expect(next.code == 0, "\(what): \(next.error)")
    let flaws = try flaws()
    #expect(flaws == "", "\(what): \(flaws)\(next.error)")
    try run(["rm", "-rf", directory("killed")])
  }

  @Test(
    "After a kill at any change, the next run finishes, and every mention names an existing entry",
    arguments: [false, true])
  func killed(flag: Bool) throws {
    try makeClashToKillIn(flag: flag)
    let kills = try kills()
    #expect(kills.count > 15, "\(kills)")
    for fault in kills {
      try kill(fault)
      try expectNextRunFinishes(fault)
    }
  }

  @Test("After a second kill during recovery, the run after that finishes")
  func killedTwice() throws {
    try makeClashToKillIn()
    let first = try #require(try kills().first { $0.hasPrefix("renameat2") })
    for call in ["creat", "renameat", "renameat2", "unlinkat", "fork"] {
      for number in 1... {
        try kill(first)
        let fault = "\(call):\(number):kill"
        let second = try renumbering.script(
          "cd killed; POSIX_FAULT=\(fault) exec topic renumber --apply specs", mayMiss: true)
        #expect((second.signal == SIGKILL) == !second.faults.isEmpty, "\(fault): \(second)")
        try waitUntil(runningCommands(containing: directory("killed")).isEmpty)
        try expectNextRunFinishes("\(first), then \(fault)")
        if second.faults.isEmpty {
          #expect(number > 1, "\(call)")
          break
        }
      }
    }
  }

  /// The git processes to kill before they change the index: the one that updates moved entries,
  /// and the one that moves an entry itself.
  private static let gits = [
    (flag: false, word: "--index-info", text: ":"),
    (flag: true, word: "mv", text: "mv specs/002_a specs/003_a"),
  ]

  @Test(
    "When git dies before it updates the index, the next run updates it", arguments: gits)
  func killedGit(flag: Bool, word: String, text: String) throws {
    try makeClashToKillIn(flag: flag)
    let environment = try renumbering.before(word, "\(text); kill -9 $PPID; exit 1")
    let outcome = try renumbering.script(
      "cp -a clash killed; cd killed; exec '\(Product.topic)' renumber --apply specs",
      environment: environment)
    #expect(outcome.signal == SIGKILL, "\(outcome)")
    let shown = try renumbering.script("cd killed; topic renumber specs")
    #expect(shown.error.contains("was interrupted; --apply finishes it first"), "\(shown.error)")
    let next = try renumbering.script("cd killed; topic renumber --apply specs")
    #expect(
      next.error.contains("rewrote the remaining 3 files\n  '002_a' -> '003_a'\n"),
      "\(next.error)")
    #expect(
      try renumbering.script("cd killed; git status --porcelain").text.contains(
        "R  specs/002_a/f -> "))
    #expect(try flaws() == "")
  }

  @Test("When git fails to update the index, everything is undone", arguments: gits)
  func failedGit(flag: Bool, word: String, text: String) throws {
    try makeClashToKillIn(flag: flag)
    let environment = try renumbering.before(word, "\(text); exit 1")
    let outcome = try renumbering.script(
      "cd clash; '\(Product.topic)' renumber --apply specs", environment: environment)
    #expect(outcome.code == 69 && outcome.error.contains("nothing is changed"), "\(outcome.error)")
    #expect(
      try renumbering.script("cd clash; git status --porcelain; find . -name '*topic-ren*'").lines
        == ["?? specs/.topic_number.lock"])
    #expect(directory.entries("clash/specs") == ["001_a", "002_a", "002_b", "002_c", "002_d"])
  }

  @Test(
    "When the index cannot be restored, the entries keep its names, and the next run finishes")
  func failedUndo() throws {
    try makeClashToKillIn()
    let environment = try renumbering.before(
      "--index-info", "[ ! -e ../once ] || exit 1; >../once")
    let outcome = try renumbering.script(
      """
      cp -a clash killed; cd killed
      POSIX_FAULT=renameat:2:\(EACCES) '\(Product.topic)' renumber --apply specs || echo "code $?"
      git diff --cached --name-only
      """, environment: environment)
    #expect(
      outcome.lines.first == "code 77" && outcome.text.contains("specs/003_a/f"),
      "\(outcome.text)")
    #expect(
      outcome.error.contains("these changes could not be undone")
        && outcome.error.contains("004_c'"),
      "\(outcome.error)")
    try expectNextRunFinishes("undo")
  }

  @Test("Renaming untracked entries needs no journal")
  func untracked() throws {
    let outcome = try renumbering.script(
      """
      git init -q .; mkdir -p specs/001_z; sleep 0.05; mkdir specs/001_a
      POSIX_FAULT=fsync:1:\(EIO) topic renumber --apply specs
      """, mayMiss: true)
    #expect(outcome.code == 0 && outcome.faults.isEmpty, "\(outcome.error)")
    #expect(directory.entries("specs") == ["001_z", "002_a"])
  }

  @Test(
    "An entry that takes a number or a name between crash and recovery keeps it",
    arguments: ["mkdir specs/004_x", "mkdir specs/003_a specs/004_c", "rm -r specs/002_c"])
  func takenAfterKill(_ change: String) throws {
    try makeClashToKillIn()
    // At the first and at the second move.
    for fault in try kills().filter({ $0.hasPrefix("renameat2") }).prefix(2) {
      try kill(fault)
      let outcome = try renumbering.script(
        "cd killed; \(change) || true; topic renumber --apply specs; topic renumber --apply specs")
      #expect(outcome.code == 0, "\(fault): \(outcome.error)")
      let broken = try renumbering.script(
        """
        cd killed; topic verify --allow-gaps specs
        sed 's/002_a\\.md//' top specs/*/text | grep -o -w -e '00[0-9]_[ac]' | sort -u |
          while read -r name; do ls -d "specs/$name" >/dev/null || echo "$name"; done
        """)
      let taken = change.split(separator: " ").filter { $0.hasPrefix("specs/") }.map(String.init)
      let isGone = change.hasPrefix("rm")
      let isThere = taken.allSatisfy {
        isGone || FileManager.default.fileExists(atPath: directory("killed/\($0)"))
      }
      #expect(isThere, "\(fault), \(change): \(outcome.text)")
      #expect(
        broken.code == 0
          && broken.lines.filter { $0.hasPrefix("00") } == (isGone ? ["002_c"] : []),
        "\(fault), \(change): \(broken.text)\(broken.error)\(outcome.text)")
      try run(["rm", "-rf", directory("killed")])
    }
  }

  /// Runs a script in a repository with `specs/001_a`, `specs/001_b` and `top`, beside a file
  /// `victim`. Both files mention 001_b. `plant FIELD...` writes a journal of these fields.
  private func planted(_ text: String) throws -> Outcome {
    let outcome = try renumbering.script(
      """
      mkdir clone; echo 001_b >victim; cd clone; git init -q .; mkdir -p specs/001_a specs/001_b/sub other
      touch specs/001_a/f specs/001_b/f; echo 001_b | tee top >specs/001_b/sub/f; at 2020-01-01
      ln -s .. out; ln -s .git store; ln -s ../../.. specs/001_b/up
      journal=.git/topic-renumber.specs name=.topic-renumber.0123456789abcdef
      plant() { printf '%s\\0' 'topic-renumber 1' "$@" >$journal; chmod 600 $journal; }
      look() { find .. -name .git -prune -o -type f ! -name .topic_number.lock ! -name error -exec md5sum {} +; }
      before=$(look); \(text)
      result=0; topic renumber --apply specs 2>../error || result=$?
      cat ../error >&2; echo "code $result"; cat ../victim; ls specs
      [ $result = 0 ] || [ "$before" = "$(look)" ] || echo changed
      """)
    try run(["rm", "-rf", directory("clone"), directory("victim"), directory("error")])
    return outcome
  }

  @Test("A journal that names only what a renumbering can change is finished")
  func soundJournal() throws {
    let outcome = try planted(
      "plant $name 1 001_b 002_b 001_a top specs/001_b/sub/f specs/gone/f")
    #expect(
      outcome.lines == ["no duplicate numbers", "code 0", "001_b", "001_a", "002_b"],
      "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.contains("rewrote the remaining 2 files"), "\(outcome.error)")
  }

  @Test(
    "A journal that names anything else is refused as a whole",
    arguments: [
      "$name 1 001_b 002_b 001_a top ../victim", "$name 1 001_b 002_b 001_a top other/../../victim",
      "$name 1 001_b 002_b 001_a top \"$PWD/../victim\"", "$name 1 001_b 002_b 001_a out/victim",
      "$name 1 001_b 002_b 001_a specs/001_b/up/victim", "$name 1 001_b 002_b 001_a .git/config",
      "$name 1 001_b 002_b 001_a other/.GIT/config", "$name 1 001_b 002_b 001_a store/config",
      "$name 1 001_b 002_b 001_a other//f", "$name 1 001_b 002_b 001_a ./top",
      "$name 1 001_b 002_b 001_a ''", "$name 1 001_b ../../002_b 001_a", "$name 1 001_b .git 001_a",
      "$name 1 ../victim 002_b 001_a", "$name 1 001_b/f 002_f 001_a", "$name 1 .. 002_b 001_a",
      "$name 1 '' 002_b 001_a", "$name 1 001_b 002_b /001_a", "$name 1 001_b name 001_a",
      "victim 1 001_b 002_b 001_a top", "../victim 1 001_b 002_b 001_a top",
      ".topic-renumber.4711 1 001_b 002_b 001_a top",
      ".topic-renumber.0123456789abcde/ 1 001_b 002_b 001_a top",
      "$name 9223372036854775807 001_b 002_b 001_a", "$name -1 001_b 002_b 001_a",
      "$name 2 001_b 002_b",
    ])
  func unsoundJournal(fields: String) throws {
    let outcome = try planted("plant \(fields)")
    #expect(
      outcome.lines == ["code 65", "001_b", "001_a", "001_b"], "\(outcome.text)\(outcome.error)")
    #expect(
      outcome.error.contains(".git/topic-renumber.specs': it is damaged"),
      "\(outcome.error)")
  }

  @Test(
    "A journal that another user could have written is refused",
    arguments: [
      "chmod 620 $journal", "chmod 602 $journal", "mv $journal ../j; ln -s ../../j $journal",
      "rm $journal; mkdir $journal", "rm $journal; mkfifo $journal",
      "chmod 2775 .git; chmod 662 $journal",
      "[ $(id -u) != 0 ] || chown 1001 $journal; chmod 666 $journal",
    ])
  func strangersJournal(change: String) throws {
    let outcome = try planted(
      """
      plant $name 1 001_b 002_b 001_a top; \(change); before=$(look)
      """)
    #expect(
      outcome.lines == ["code 65", "001_b", "001_a", "001_b"], "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.contains("cannot trust the renumbering journal"), "\(outcome.error)")
  }

  @Test("In a git directory that a group shares, any member's journal is finished")
  func sharedJournal() throws {
    let outcome = try planted(
      """
      plant $name 1 001_b 002_b 001_a top; chmod 2775 .git; chmod 664 $journal
      [ $(id -u) != 0 ] || chown 1001 $journal
      """)
    #expect(
      outcome.lines == ["no duplicate numbers", "code 0", "001_b", "001_a", "002_b"],
      "\(outcome.text)\(outcome.error)")
  }

  @Test(
    "Only this user may write the journal, whatever the umask, and in a shared git directory the group"
  )
  func journalPermissions() throws {
    try makeClashToKillIn()
    let fault = try #require(try kills().first { $0.hasPrefix("fork") })
    for (mode, permissions) in [("755", "600"), ("2775", "660")] {
      let outcome = try renumbering.script(
        """
        cp -a clash killed; cd killed; chmod \(mode) .git; umask 002
        POSIX_FAULT=\(fault) topic renumber --apply specs || :; stat -c %a .git/topic-renumber.specs
        """)
      #expect(outcome.lines.last == permissions, "\(outcome.text)\(outcome.error)")
      try waitUntil(runningCommands(containing: directory("killed")).isEmpty)
      try expectNextRunFinishes(mode)
    }
  }

  @Test("The name of a replacement file is unpredictable")
  func temporaryNames() throws {
    try makeClashToKillIn()
    var names: Set<String> = []
    for _ in 0..<2 {
      let outcome = try renumbering.script(
        """
        cp -a clash killed; cd killed; POSIX_TRACE=../trace topic renumber --apply specs >/dev/null
        sed -n 's/^creat .*\\(\\.topic-renumber\\..*\\)/\\1/p' ../trace | grep -v tmp$ | sort -u; rm -rf ../trace ../killed
        """)
      let name = try #require(outcome.lines.first)
      #expect(
        outcome.lines.count == 1 && name.wholeMatch(of: /\.topic-renumber\.[0-9a-f]{16}/) != nil)
      names.insert(name)
    }
    #expect(names.count == 2)
  }
}
