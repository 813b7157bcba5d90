import Foundation
import TestSupport
import Testing

/// Numbers that are there twice, in real repositories.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Product.hasProgram("git"))) struct RenumberTests {
  let directory = TemporaryDirectory()

  /// Runs a script in the directory; `at TIME` commits all that is there.
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

  private func state() throws -> String {
    try script(
      "git status --porcelain; find .git -name '*topic-renumber*'; ls -lR --time-style=+ . | grep -v topic_number; cat top specs/*/text"
    ).text
  }

  @Test("The oldest keeps its number, the others follow the highest, and mentions follow them")
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

  @Test("Without --apply nothing changes, and what would is shown; in a subdirectory, too")
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

  @Test("What has the same name in another directory keeps its mentions")
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

  @Test("Of two names of which one begins with the other, the longer one is meant")
  func prefixes() throws {
    let outcome = try script(
      """
      git init -q .; mkdir -p specs/001_0 specs/001_a 'specs/001_a b'; touch specs/001_0/f specs/001_a/f 'specs/001_a b/f'
      echo '001_a b, 001_a' >text; at 2020-01-01; topic renumber --apply specs; cat text
      """)
    #expect(outcome.lines.last == "003_a b, 002_a", "\(outcome.text)\(outcome.error)")
  }

  @Test("The name of an entry that stays is left alone, though a name that moves begins it")
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

  @Test("A submodule moves with its entry and keeps its name")
  func submodule() throws {
    let outcome = try script(
      """
      git init -q lib; cd lib; touch f; at 2020-01-01; cd ..; git init -q main; cd main
      mkdir -p specs/001_0 specs/001_a; touch specs/001_0/f; at 2020-01-01
      git -c protocol.file.allow=always submodule --quiet add "$PWD/../lib" specs/001_a/lib
      echo 'specs/001_a/lib' >text; at 2020-01-02
      topic renumber --apply specs; cat text; ls specs/002_a/lib; git -C specs/002_a/lib log --format=%s
      git config -f .gitmodules submodule.specs/001_a/lib.path
      """)
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(
      outcome.lines.suffix(4) == ["specs/002_a/lib", "f", "x", "specs/002_a/lib"],
      "\(outcome.text)")
  }

  /// Links to what moves: from above, from another link, from inside, by an absolute path, and beside it.
  private func makeLinks() throws {
    try makeClash()
    _ = try script(
      """
      ln -s specs/002_a/f current; ln -s ../specs/002_a/../002_c specs/both; ln -s "$PWD/specs/002_a/" full
      ln -s ../002_a/f specs/002_a/own; ln -s 002_a specs/010_z; ln -s 010_z/f specs/through
      mkdir other other/002_a; ln -s 002_a other/there; ln -s x/002_a gone; at 2020-01-05
      ln -s specs/002_a untracked
      """)
  }

  private func links() throws -> [String] {
    try script("find . -type l -not -path './.git/*' -printf '%P -> %l\\n' | sort").lines
  }

  @Test("Tracked links lead to the new names, and those that lead elsewhere stay")
  func linksFollow() throws {
    try makeLinks()
    let shown = try script("topic renumber specs; topic renumber --format json specs")
    #expect(
      shown.text.contains("'current', a symbolic link\n  - specs/002_a/f\n  + specs/011_a/f\n"))
    #expect(shown.text.contains(" 5 links updated\n"), "\(shown.text)")
    #expect(shown.text.contains("\"from\": \"002_a\",\n      \"to\": \"011_a\""), "\(shown.text)")
    let outcome = try script("topic renumber --apply specs; cat current specs/through")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(
      try links() == [
        "current -> specs/011_a/f", "full -> \(directory.path)/specs/011_a/", "gone -> x/002_a",
        "link -> 002_a", "other/there -> 002_a", "specs/010_z -> 011_a",
        "specs/011_a/own -> ../011_a/f", "specs/both -> ../specs/011_a/../012_c",
        "specs/through -> 010_z/f", "untracked -> specs/002_a",
      ])
  }

  @Test("Links stay with --no-rewrite, and are led back when something fails")
  func linksStay() throws {
    try makeLinks()
    try run(["touch", directory("specs/.topic_number.lock")])
    let (links, before) = (try links(), try state())
    for number in 1...5 {
      for fault in ["symlinkat:\(number):\(EACCES)", "renameat:\(number):\(EACCES)"] {
        let outcome = try script("POSIX_FAULT=\(fault) topic renumber --apply specs")
        #expect(outcome.code == 77, "\(fault): \(outcome.error)")
        #expect(try self.links() == links, "\(fault)")
        #expect(try state() == before, "\(fault): \(outcome.error)")
      }
    }
    let outcome = try script("topic renumber --apply --no-rewrite specs; readlink current")
    #expect(outcome.lines.last == "specs/002_a/f")
  }

  /// A git in PATH that does `text` before it runs a command that holds `word`.
  func before(_ word: String, _ text: String) throws -> [String: String] {
    try git(after: "case \" $* \" in *\" \(word) \"*) \(text) ;; esac")
  }

  /// A git in PATH that runs `text`, a shell script with the arguments of git, and then the command.
  private func git(after text: String) throws -> [String: String] {
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
    // What this process writes itself, a child of another test can have open still: "Text file busy".
    try run(["install", "-m", "755", directory("bin/text"), directory("bin/git")])
    return ["PATH": directory("bin") + ":" + search]
  }

  @Test("A directory that takes a new name on the way is left alone, and all is taken back")
  func nameTaken() throws {
    try makeClash()
    try run(["touch", directory("specs/.topic_number.lock")])
    _ = try script("git update-index --assume-unchanged specs/002_a/f")
    // The first is where git would move an entry into, the second what rename(2) would replace.
    for (taken, made) in [("003_a", "003_a/theirs"), ("005_d", "005_d")] {
      let environment = try before("mv", "mkdir -p specs/\(made)")
      let before = try state()
      let outcome = try script(
        "'\(Product.topic)' renumber --apply specs", environment: environment)
      #expect(outcome.code == 73, "\(taken): \(outcome.error)")
      #expect(outcome.error.contains("specs/\(taken)': File exists; nothing is changed"))
      #expect(
        directory.entries("specs")
          == ["001_a", "002_a", "002_b", "002_c", "002_d", taken].sorted())
      try run(["rm", "-r", directory("specs/\(taken)")])
      #expect(try state() == before, "\(taken)")
    }
  }

  @Test("With --no-rewrite, mentions stay")
  func noRewrite() throws {
    try makeClash()
    #expect(try script("topic renumber --apply --no-rewrite specs").code == 0)
    #expect(try String(contentsOfFile: directory("top"), encoding: .utf8).hasPrefix("002_a, "))
  }

  @Test(
    "Whatever fails on the way is taken back, all of it",
    arguments: [
      ("renameat", EACCES), ("fork", EAGAIN), ("creat", ENOSPC), ("write", ENOSPC), ("fsync", EIO),
      ("renameat2", EACCES),
    ])
  func undone(call: String, error: Int32) throws {
    try makeClash()
    try run(["touch", directory("specs/.topic_number.lock")])
    let before = try state()
    for number in 1... {
      let fault = "\(call):\(number):\(error)"
      let outcome = try script("POSIX_FAULT=\(fault) topic renumber --apply specs", mayMiss: true)
      if outcome.faults.isEmpty {
        #expect(outcome.code == 0 && number > 1, "\(fault): \(outcome.error)")
        return
      }
      // The last git only refreshes its index.
      if outcome.code == 0 { return #expect(call == "fork" && number > 1, "\(fault)") }
      #expect(outcome.output.isEmpty, "\(fault): \(outcome.text)")
      // The last write is that of the report.
      if outcome.error.contains("; all is renumbered") { return #expect(number > 1) }
      #expect(try state() == before, "\(fault): \(outcome.error)")
      #expect(!outcome.error.contains("could not be taken back"))
    }
  }

  @Test("What cannot be reported is done, and said so")
  func unreported() throws {
    try makeClash()
    let outcome = try script("topic renumber --apply specs >/dev/full")
    #expect(outcome.code == 74, "\(outcome.error)")
    #expect(
      outcome.error.contains("No space left on device; all is renumbered"), "\(outcome.error)"
    )
    #expect(directory.entries("specs") == ["001_a", "002_b", "003_a", "004_c", "005_d"])
    let names = try script(
      "mkdir specs/005_$(printf '\\377'); topic renumber --apply -f json specs")
    #expect(names.code == 65 && directory.entries("specs").count == 6, "\(names.error)")
  }

  @Test("A signal on the way has everything taken back", .enabled(if: Product.hasProgram("strace")))
  func interrupted() throws {
    try makeClash()
    try run(["touch", directory("specs/.topic_number.lock")])
    let before = try state()
    for call in ["renameat:signal=INT:when=1", "renameat:signal=TERM:when=2"] {
      let outcome = try script(
        "exec strace -o /dev/null -e inject=\(call) \(Product.topic) renumber --apply specs")
      #expect(outcome.signal == SIGINT || outcome.signal == SIGTERM, "\(outcome)")
      #expect(try state() == before)
    }
  }

  /// Runs `text` with a git in PATH that lists in `ran` which commands run, and in `locked` which of them
  /// while the root is locked.
  private func listing(_ text: String) throws -> Outcome {
    let environment = try git(
      after: """
        for word; do case $word in rev-parse | config | ls-files | log | grep | mv | update-index)
          echo "$word" >>'\(directory("ran"))'
          flock -n '\(directory("specs"))' true || echo "$word" >>'\(directory("locked"))' ;;
        esac; done
        """)
    return try script(text, environment: environment)
  }

  @Test(
    "Many duplicates take as many processes of git as one, and two of them while the root is locked",
    .enabled(if: Product.hasProgram("flock")))
  func processes() throws {
    for count in [1, 40] {
      let outcome = try listing(
        """
        rm -rf specs .git ran locked link text; git init -q .; mkdir specs
        for ((i = 1; i <= \(count); i++)); do mkdir specs/${i}00_{a,b}; touch specs/${i}00_{a,b}/f; done
        echo 100_b >text; ln -s specs/100_b link; at 2020-01-01; rm -f ran
        '\(Product.topic)' renumber --apply specs | tail -n 1; git status --porcelain | grep -c ^R
        tr '\\n' ' ' <ran; echo; tr '\\n' ' ' <locked
        """)
      #expect(
        outcome.lines == [
          "\(count) renamed, 1 line in 1 file rewritten, 1 link updated", "\(count)",
          "rev-parse config ls-files ls-files log grep ls-files ls-files update-index update-index ",
          "ls-files update-index ",
        ], "\(outcome.text)\(outcome.error)")
    }
  }

  @Test("What appears or changes between the look at the history and the lock is seen")
  func changedBeforeLock() throws {
    try makeClash()
    let environment = try before(
      "grep",
      "[ -e specs/002_e ] || { mkdir specs/002_e; touch specs/002_e/f; git add specs/002_e; printf ' 002_d 002_e' >>top; }"
    )
    let outcome = try script(
      "'\(Product.topic)' renumber --apply specs; tail -n 1 top; git status --porcelain",
      environment: environment)
    #expect(
      directory.entries("specs") == ["001_a", "002_b", "003_a", "004_c", "005_d", "006_e"],
      "\(outcome.text)\(outcome.error)")
    #expect(
      outcome.text.contains("  - 002_c 002_d 002_e\n  + 004_c 005_d 006_e\n")
        && outcome.text.contains("\n004_c 005_d 006_e"), "\(outcome.text)")
    #expect(outcome.text.contains("A  specs/006_e/f"), "\(outcome.text)")
  }

  @Test("A number that a sparse checkout leaves out is taken")
  func sparse() throws {
    let outcome = try script(
      """
      git init -q .; mkdir -p specs/00{1,2}_a specs/003_c; touch specs/00{1_a,2_a,3_c}/f; at 2020-01-01
      git sparse-checkout set --no-cone '/*' '!/specs/003_c/'
      mkdir specs/002_b; touch specs/002_b/f; git add specs/002_b
      topic renumber --apply specs | tail -n 1; git sparse-checkout disable; topic verify specs
      """)
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    #expect(directory.entries("specs") == ["001_a", "002_a", "003_c", "004_b"])
  }

  @Test("The index keeps what it knows of files, and finds them unchanged")
  func index() throws {
    let outcome = try script(
      """
      git init -q .; mkdir -p specs/001_a specs/001_b specs/001_c specs/001_d; touch specs/001_a/f; at 2020-01-01
      echo x | tee specs/001_b/f specs/001_c/f >specs/001_d/f; at 2020-01-02; sleep 1.1
      echo y >>specs/001_b/f; git add .; echo z >>specs/001_b/f
      git update-index --assume-unchanged specs/001_c/f; echo new >specs/001_d/new; git add -N specs/001_d/new
      topic renumber --apply specs >/dev/null; git diff-files --name-only
      git ls-files -v | grep ^h; git diff --name-only --cached --diff-filter=A
      git show :specs/002_b/f; git status --porcelain specs/004_d/new
      """)
    #expect(
      outcome.lines == [
        "specs/002_b/f", "specs/004_d/new", "h specs/003_c/f", "x", "y", " A specs/004_d/new",
      ], "\(outcome.text)\(outcome.error)")
  }

  @Test("A history that git cannot read is code 69, and nothing is renumbered")
  func unreadableHistory() throws {
    try makeClash()
    let outcome = try script(
      """
      commit=$(git rev-parse HEAD~1); rm -f ".git/objects/${commit:0:2}/${commit:2}"
      topic renumber --apply specs
      """)
    #expect(outcome.code == 69 && outcome.output.isEmpty, "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.contains("git log failed, it says"), "\(outcome.error)")
    #expect(directory.entries("specs") == ["001_a", "002_a", "002_b", "002_c", "002_d"])
  }

  @Test("Outside of git the oldest by birth stays")
  func withoutGit() throws {
    let outcome = try script(
      "mkdir -p specs/001_z; sleep 0.05; mkdir specs/001_a; topic renumber --apply specs; topic renumber specs"
    )
    #expect(directory.entries("specs") == ["001_z", "002_a"], "\(outcome.error)")
    #expect(outcome.lines.last == "no duplicate numbers")
  }

  @Test("In a work tree whose history cannot be asked for want of git, nothing is renumbered")
  func withoutProgram() throws {
    try makeClash()
    let outcome = try script(
      "PATH='\(Product.directory)'; topic renumber --apply --scope root specs")
    #expect(outcome.code == 69 && outcome.output.isEmpty, "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.hasSuffix("hint: install git\n"), "\(outcome.error)")
    #expect(directory.entries("specs") == ["001_a", "002_a", "002_b", "002_c", "002_d"])
  }

  @Test("In a scope, the new numbers are reserved")
  func scoped() throws {
    let outcome = try script(
      """
      git init -q .; mkdir -p specs/001_a specs/001_b; touch specs/001_a/f; at 2020-01-01
      git worktree add -q ../linked-$$ ; mkdir ../linked-$$/specs/007_x
      topic renumber --apply --scope worktrees specs; rm -rf ../linked-$$
      git log --format=%s refs/topic-alloc/specs
      """)
    #expect(directory.entries("specs") == ["001_a", "008_b"], "\(outcome.error)")
    #expect(outcome.lines.last == "008_renumbered")
  }

  /// A git in PATH that does `text` after it has moved the ledger; `$n` says for the how many-th time.
  private func afterReservations(_ text: String) throws -> [String: String] {
    try directory.makeDirectories("bin")
    let search = Product.directory + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
    try directory.makeFile(
      "bin/text",
      """
      #!/bin/sh
      PATH='\(search)'
      git "$@" || exit
      case " $* " in
      *" update-ref "*refs/topic-alloc/*)
        echo >>'\(directory("bin/count"))'; n=$(wc -l <'\(directory("bin/count"))'); \(text) ;;
      esac
      """)
    try run(["install", "-m", "755", directory("bin/text"), directory("bin/git")])
    return ["PATH": directory("bin") + ":" + search]
  }

  @Test(
    "Whatever others do between the reservation and the lock, every new number is reserved",
    arguments: [
      // More numbers than were reserved.
      "[ $n -gt 1 ] || mkdir specs/001_d", "[ $n -gt 2 ] || mkdir specs/001_d$n",
      // Somebody numbers past them, or up to the middle.
      "[ $n -gt 1 ] || mkdir specs/050_x", "[ $n -gt 1 ] || mkdir specs/002_x",
      // Fewer numbers.
      "rmdir specs/001_c || :",
    ])
  func reservedByRenumbering(change: String) throws {
    let environment = try afterReservations("{ \(change); }")
    let outcome = try script(
      """
      git init -q .; mkdir -p specs/001_a specs/001_b specs/001_c
      '\(Product.topic)' renumber --apply --scope worktrees specs
      """, environment: environment)
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    let given = try script("ls specs | grep -v x$ | sed 's/_.*//' | grep -v 001 | sort").lines
    let reserved = try script(
      "git log --format=%B refs/topic-alloc/specs | sed -n 's/^Entry: \\([0-9]*\\).*/\\1/p'"
    ).lines
    #expect(!given.isEmpty && Set(given).count == given.count)
    #expect(Set(reserved).isSuperset(of: given), "\(given) of \(reserved)")
  }

  @Test("When others keep taking the reserved numbers, it is code 75 and nothing is changed")
  func neverReserved() throws {
    let environment = try afterReservations("mkdir specs/$((n * 9 + 100))_x")
    let outcome = try script(
      """
      git init -q .; mkdir -p specs/001_a specs/001_b
      '\(Product.topic)' renumber --apply --scope worktrees specs
      """, environment: environment)
    #expect(outcome.code == 75 && outcome.output.isEmpty, "\(outcome.error)")
    #expect(outcome.error.contains("cannot renumber '\(directory("specs"))': others keep taking"))
    #expect(directory.entries("specs").filter { !$0.hasSuffix("x") } == ["001_a", "001_b"])
  }

  @Test(
    "A root that another process keeps locked is code 75, with a hint that renumber knows",
    .enabled(if: Product.hasProgram("flock")))
  func busy() throws {
    try directory.makeDirectories("specs/001_a", "specs/001_b")
    let lock = try HeldLock(directory("specs"))
    let outcome = try script("topic renumber --apply specs")
    try lock.release()
    #expect(outcome.code == 75 && outcome.output.isEmpty, "\(outcome.error)")
    #expect(outcome.error.hasSuffix("hint: try again\n"), "\(outcome.error)")
  }

  @Test("A root that does not exist is code 66 and is not made")
  func missingRoot() throws {
    for words in ["renumber specs", "renumber --apply specs"] {
      let outcome = try script("topic \(words)")
      #expect(outcome.code == 66, "\(outcome.error)")
    }
    #expect(directory.entries() == [])
  }

  @Test("The repository's filters do not run, so none can hold it or fail it")
  func filters() throws {
    try makeClash()
    let outcome = try script(
      """
      printf '#!/bin/sh\\necho ran >>"%s/ran"\\nexit 1\\n' "$PWD" >filter; chmod +x filter
      for name in odd.name=x plain; do
        git config "filter.$name.clean" ../filter; git config "filter.$name.process" ../filter
        git config "filter.$name.smudge" ../filter; git config "filter.$name.required" true
      done
      echo '* filter=odd.name=x' >.git/info/attributes; echo '*t filter=plain' >>.git/info/attributes
      touch specs/*/*; topic renumber --apply specs; test ! -e ran
      """)
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(directory.entries("specs") == ["001_a", "002_b", "003_a", "004_c", "005_d"])
  }

  @Test("A rewritten file keeps no set-ID or sticky bit, and of another user's file no permission")
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

  @Test("verify --against finds numbers that another branch gives to something else")
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
