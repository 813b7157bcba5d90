import Foundation
import TestSupport
import Testing

/// Numbers that are unique beyond one directory, with real repositories and real git.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Product.hasProgram("git"))) struct ScopeTests {
  let directory = TemporaryDirectory()

  /// Runs a script in the directory. git knows no user, and the functions make repositories: `commit`
  /// something, a bare `server`, a `clone NAME` of it.
  private func script(_ text: String, environment: [String: String] = [:]) throws -> Outcome {
    let functions = """
      set -eu
      commit() { git -c user.name=x -c user.email=x@x commit -q --allow-empty -m "${1:-x}"; }
      server() {
        git init -q --bare "$@" server.git
        git init -q "$@" first && (cd first && commit && git push -q ../server.git HEAD:main)
        git -C server.git symbolic-ref HEAD refs/heads/main
      }
      clone() { git clone -q "file://$PWD/server.git" "$@"; }
      take() { topic-alloc -f number "$@"; }

      """
    var variables = [
      "HOME": directory("home"), "GIT_CONFIG_NOSYSTEM": "1", "XDG_CONFIG_HOME": "",
      "TOPIC_ALLOC_SCOPE": "",
    ]
    variables.merge(environment) { $1 }
    return try bash(functions + text, in: directory.path, environment: variables)
  }

  private func expect(
    _ text: String, prints lines: [String], location: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try script(text)
    #expect(
      outcome.code == 0 && outcome.lines == lines, "\(outcome.text)\(outcome.error)",
      sourceLocation: location)
  }

  @Test("Work trees share one numbering, also with numbers that none of them has committed")
  func worktrees() throws {
    try expect(
      """
      git init -q main; cd main; commit; git worktree add -q ../linked
      take --scope worktrees specs a
      take --scope worktrees ../linked/specs b c
      take --scope worktrees specs d
      git log --format=%s refs/topic-alloc/specs
      """, prints: ["001", "002", "003", "004", "004_d", "002_b and 1 more", "001_a"])
  }

  @Test(
    "Where there is no ledger yet, numbers of all work trees and branches count; later with --rescan"
  )
  func rescan() throws {
    try expect(
      """
      server; clone a; cd a
      mkdir -p specs/004_x && touch specs/004_x/f && git add . && commit x
      git push -q origin HEAD:elsewhere && git reset -q --hard HEAD~ && git fetch -q
      take --scope worktrees specs a
      git worktree add -q ../linked && mkdir -p ../linked/specs/009_x
      take --scope worktrees specs b
      take --scope worktrees --rescan specs c
      git checkout -q -b other && mkdir specs/020_x && touch specs/020_x/f && git add specs/020_x
      commit y && git checkout -q -
      take --scope worktrees --rescan --dry-run specs d
      take --scope worktrees --rescan specs d
      """, prints: ["005", "006", "010", "021", "021"])
  }

  @Test("Ten processes in two work trees get different numbers, and each is in the ledger")
  func concurrentWorktrees() throws {
    try expect(
      """
      git init -q main; cd main; commit; git worktree add -q ../linked
      for i in 1 2 3 4 5; do
        take --scope worktrees specs x & take --scope worktrees ../linked/specs x &
      done | sort -n | tr '\\n' ' '
      git log --format=%B refs/topic-alloc/specs | grep -c ^Entry
      """, prints: ["001 002 003 004 005 006 007 008 009 010 10"])
  }

  @Test("Eight clones at once, five reservations each, get 40 numbers")
  func concurrentClones() throws {
    let outcome = try script(
      """
      server; for i in 1 2 3 4 5 6 7 8; do clone c$i; done
      for i in 1 2 3 4 5 6 7 8; do
        for j in 1 2 3 4 5; do take -w 100 --scope remote c$i/specs same; done &
      done | sort -n
      """)
    #expect(outcome.error.isEmpty && outcome.lines.compactMap { Int($0) } == Array(1...40))
  }

  @Test("Several names are one reservation and one push")
  func several() throws {
    try expect(
      """
      server; clone a; cd a; take --scope remote specs a b c
      git rev-list --count refs/topic-alloc-remotes/origin/specs
      """, prints: ["001", "002", "003", "1"])
  }

  @Test(
    "It works with no user, in a shallow clone, in a linked work tree, with SHA-256, and with odd settings",
    arguments: [
      "clone --depth 1 a; cd a; git config user.useConfigOnly true",
      "clone b; git -C b worktree add -q ../a; cd a",
      "clone a; cd a; git config push.default nothing; git config push.followTags true; git tag t",
      "clone a; cd a; git config remote.origin.mirror true",
      "clone a; cd a; git config fetch.prune true; git config remote.origin.prune true",
      "clone a; cd a; git config push.gpgSign true; git config commit.gpgSign true",
      "clone a; cd a; git config push.recurseSubmodules only; git config log.showSignature true",
      "clone a; cd a; git config i18n.commitEncoding ISO-8859-1; git config push.pushOption x",
    ])
  func surroundings(setUp: String) throws {
    for format in ["sha1", "sha256"] {
      let outcome = try script(
        """
        server --object-format=\(format); \(setUp)
        take --scope remote specs a; take --scope remote specs b
        git -C ../server.git for-each-ref --format='%(refname)'
        """)
      #expect(
        outcome.lines == ["001", "002", "refs/heads/main", "refs/topic-alloc/specs"],
        "\(setUp): \(outcome.text)\(outcome.error)")
      try run([
        "rm", "-rf", directory("a"), directory("b"), directory("first"), directory("server.git"),
      ])
    }
  }

  @Test("The checkout stays as it is, and no hook runs")
  func untouched() throws {
    let outcome = try script(
      """
      server; clone a; cd a; mkdir specs; touch specs/x; git add .; touch y; mkdir hooks
      for hook in pre-push reference-transaction post-commit pre-commit post-checkout post-index-change
      do printf '#!/bin/sh\\necho hook >>"%s/ran"\\n' "$PWD" | tee .git/hooks/$hook >hooks/$hook; done
      chmod +x hooks/* .git/hooks/*
      look() { git --no-optional-locks status --short --branch; stat -c %Y%s%i .git/index; cat .git/HEAD; git branch -av; ls .git; }
      look >../before
      for scope in worktrees remote; do
        take --scope $scope specs a >/dev/null
        git -c core.hooksPath=hooks config core.hooksPath hooks
        take --scope $scope specs a >/dev/null; git config --unset core.hooksPath
      done
      rm -r specs/0* specs/.topic_number.lock; look | grep -v topic-alloc.lock >../after; cmp ../before ../after; test ! -e ran
      """)
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
  }

  @Test(
    "A caller that is a hook itself, with git's variables set, numbers in the root's repository")
  func insideHook() throws {
    try expect(
      """
      git init -q other; git init -q main; cd main; commit
      export GIT_DIR="$PWD/../other/.git" GIT_INDEX_FILE=nowhere GIT_WORK_TREE=/
      take --scope worktrees specs a
      unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE; git for-each-ref --format='%(refname)' 'refs/topic-alloc/*'
      """, prints: ["001", "refs/topic-alloc/specs"])
  }

  @Test(
    "Any path can be a root, and has a ledger of its own",
    arguments: [
      "specs", "Specs", ".claude/specs", "a b/ü\n*", "x.lock", "-n",
      String(repeating: "long/", count: 60),
    ])
  func paths(path: String) throws {
    let outcome = try script(
      """
      git init -q main; cd main; commit; git worktree add -q ../linked
      take --scope worktrees -- "$root" a; take --scope worktrees -- "../linked/$root" b
      """, environment: ["root": path])
    #expect(outcome.lines == ["001", "002"], "\(outcome.error)")
  }

  @Test("What cannot be had is code 69, creates nothing, and says why and what would work")
  func unavailable() throws {
    func expect(_ text: String, says words: String...) throws {
      let outcome = try script("cd a; " + text)
      #expect(outcome.code == 69, "\(text): \(outcome.error)")
      for word in words { #expect(outcome.error.contains(word), "\(text): \(outcome.error)") }
      #expect(directory.entries("a/specs").isEmpty)
    }
    _ = try script(
      """
      server; clone a; git -C a remote add gone "file://$PWD/gone"; mkdir fake
      printf '#!/bin/sh\\nenv >"%s/asked"\\nexit 255\\n' "$PWD" >ssh; chmod +x ssh
      printf '#!/bin/sh\\ncase $1 in refs/topic-alloc/*) echo no numbers here; exit 1;; esac\\n' >server.git/hooks/update
      chmod +x server.git/hooks/update
      """)
    try expect(
      "take --scope remote=gone specs x", says: "cannot reach the remote 'gone'", "gone",
      "--scope worktrees")
    try expect("take --scope remote=other specs x", says: "there is no remote 'other'")
    try expect(
      "take --scope remote specs x", says: "refuses the reservation", "no numbers here",
      "hook declined")
    try expect(
      "git config remote.slow.url 'ext::sleep 60';"
        + "git config protocol.ext.allow always; take -w 1 --scope remote=slow specs x",
      says: "cannot reach the remote 'slow'", "no answer after 5 s")
    try expect(
      "GIT_SSH=../ssh; export GIT_SSH; git remote add far far:x; take --scope remote=far specs x",
      says: "cannot reach the remote 'far'")
    let asked = try String(contentsOfFile: directory("asked"), encoding: .utf8)
    #expect(asked.contains("GIT_TERMINAL_PROMPT=0") && asked.contains("SSH_ASKPASS_REQUIRE=never"))
    try expect("PATH=\(Product.directory); take --scope remote specs x", says: "git", "not in PATH")
    try expect("cd ..; take --scope worktrees a.d x", says: "no git work tree", "git init")
  }

  @Test("A lost answer to a push that arrived is no lost number, and none that is given twice")
  func lostAnswer() throws {
    try expect(
      """
      server; clone a; clone b; git=$(command -v git); mkdir bin
      printf '#!/bin/sh\\n"%s" "$@" || exit\\ncase " $* " in *" push "*) test -e "%s/once" || { >"%s/once"; exit 128; };; esac\\n' "$git" "$PWD" "$PWD" >bin/git
      chmod +x bin/git
      PATH="$PWD/bin:$PATH" take --scope remote a/specs x; test -e once
      take --scope remote b/specs y
      """, prints: ["001", "002"])
  }

  @Test("Killed at any git command, it leaves nothing locked, and no number is given twice")
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

  @Test("A signal while git waits ends both, and nothing is left")
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

  @Test("A busy ledger is code 75 and names the holder", .enabled(if: Product.hasProgram("flock")))
  func busy() throws {
    _ = try script("git init -q a; cd a; commit; take --scope worktrees specs x")
    let holder = try HeldLock(directory("a/.git/topic-alloc.lock"))
    let outcome = try script("cd a; take -w 0.1 --scope worktrees specs x")
    try holder.release()
    #expect(outcome.code == 75 && outcome.error.contains("held by process"), "\(outcome.error)")
  }

  @Test("Reuse reserves nothing for what is there, and a number is taken once among all")
  func reuseAndNumber() throws {
    try expect(
      """
      git init -q a; cd a; commit; git worktree add -q ../b
      take --scope worktrees specs x
      take --scope worktrees --reuse specs x; take --scope worktrees --reuse specs x y y
      take --scope worktrees -n 40 specs z
      take --scope worktrees -n 40 ../b/specs z 2>&1 || echo "code $?"
      take --scope worktrees ../b/specs z
      git rev-list --count refs/topic-alloc/specs
      """,
      prints: [
        "001", "001", "001", "002", "002", "040",
        "topic-alloc: cannot take number 40: '040_z' has it in '\(directory("a"))'",
        "topic-alloc: hint: leave --number out to get the next free one", "code 73", "041", "4",
      ])
  }

  @Test("A number that anybody is known to have is not taken: not with -n, nor with --dry-run")
  func takenNumbers() throws {
    let outcome = try script(
      """
      server; clone a; cd a
      refused() { topic-alloc "$@" x 2>&1 >/dev/null | grep cannot; topic-alloc --dry-run "$@" x 2>&1 >/dev/null | grep cannot; }
      take --scope remote specs r; rm -r specs
      refused --scope worktrees -n 1 specs
      take --scope worktrees --style adr specs d; rm -r specs
      refused --scope remote -n 2 specs
      git checkout -q -b other; mkdir -p specs/020_b; touch specs/020_b/f; git add specs; commit; git checkout -q -
      refused --scope remote -n 20 specs
      take --scope remote -n 30 specs y; rm -r specs
      mkdir ../short && cd ../short && git init -q && git remote add origin ../server.git
      git fetch -q --depth 1 "file://$PWD/../server.git" refs/topic-alloc/specs:refs/topic-alloc-remotes/origin/specs
      refused --scope worktrees -n 7 specs
      take --scope worktrees specs z
      """)
    let owners = [
      "1: it is reserved for '001_r'", "2: it is reserved for '0002-d.md'",
      "20: '020_b' has it in 'refs/heads/other'",
      "7: a shallow fetch has cut refs/topic-alloc/specs, so nobody knows here whether it is reserved",
    ]
    let twice = owners.map { owner in
      let line = "topic-alloc: cannot take number \(owner)"
      return [line, line]
    }
    let expected: [[String]] = [
      ["001"], twice[0], ["0002"], twice[1], twice[2], ["030"], twice[3], ["031"],
    ]
    #expect(outcome.lines == Array(expected.joined()), "\(outcome.text)\(outcome.error)")
  }

  @Test("A ledger that is rewound or deleted on the server says so, and no number is given again")
  func rewound() throws {
    for (mischief, word) in [
      ("update-ref refs/topic-alloc/specs refs/topic-alloc/specs~2", "rewound or replaced"),
      ("update-ref -d refs/topic-alloc/specs", "deleted"),
    ] {
      let outcome = try script(
        """
        rm -rf *; server; clone a; clone b; cd a
        for i in 1 2 3; do take --scope remote specs x; done; rm -r specs
        git -C ../server.git \(mischief)
        take --scope remote --dry-run specs x; take --scope remote --dry-run specs x
        take --scope remote specs x; rm -r specs
        take --scope remote ../b/specs x
        take --scope remote -n 2 specs x 2>&1 >/dev/null | grep cannot
        """)
      #expect(
        outcome.lines == [
          "001", "002", "003", "004", "004", "004", "005",
          "topic-alloc: cannot take number 2: it is reserved for '002_x'",
        ], "\(outcome.text)\(outcome.error)")
      let warnings = outcome.error.split(separator: "\n").filter { $0.contains(word) }
      #expect(
        warnings == [
          "topic-alloc: warning: refs/topic-alloc/specs was \(word) on 'origin';"
            + " numbers go on above all that this repository has seen of it"
        ], "\(outcome.error)")
    }
  }

  @Test("A clone that meets a ledger for the first time looks at the branches, too")
  func rewoundBeforeSeen() throws {
    try expect(
      """
      server; clone a; clone b; cd a
      for i in 1 2 3 4 5; do topic-alloc --scope remote -f path specs k >>paths; done
      for path in $(cat paths); do touch $path/f; done; git add specs; commit; git push -q origin HEAD:feat
      git -C ../server.git update-ref refs/topic-alloc/specs refs/topic-alloc/specs~3
      take --scope remote --dry-run ../b/specs x; take --scope remote ../b/specs x
      """, prints: ["006", "006"])
  }

  @Test("A lock that a killed git has left is named, after a few tries, with git's words")
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

  @Test("A push that is done but has no end is found, and a signal says what stays reserved")
  func unanswered() throws {
    let outcome = try script(
      """
      server; clone a; cd a; printf '#!/bin/sh\\nsleep 30\\n' >../server.git/hooks/post-receive
      chmod +x ../server.git/hooks/post-receive; take -w 1 --scope remote specs x
      """)
    #expect(outcome.code == 0 && outcome.lines == ["001"], "\(outcome.text)\(outcome.error)")
    guard Product.hasProgram("strace") else { return }
    let ended = try script(
      """
      cd a; strace -qq -o /dev/null -e trace=mkdirat -e inject=mkdirat:signal=TERM:when=1 \\
        topic-alloc --scope worktrees specs one two || echo "code $?"
      """)
    #expect(ended.lines.last == "code 143", "\(ended.text)\(ended.error)")
    #expect(
      ended.error.contains("numbers 002 to 003 stay reserved: a gap"),
      "\(ended.text)\(ended.error)")
  }

  @Test("A topic that was renamed here, or there, is no clash")
  func renamedTopic() throws {
    try expect(
      """
      git init -q a; cd a; mkdir -p specs/001_a specs/002_b; touch specs/001_a/f specs/002_b/f
      git add .; commit; git checkout -q -b there; git mv specs/002_b specs/002_better; commit
      git checkout -q -; git mv specs/001_a specs/001_any; commit
      topic verify --against there specs
      mkdir specs/003_mine; git checkout -q there; mkdir specs/003_other; touch specs/003_other/f
      git add specs/003_other; commit; git checkout -q -
      topic verify --against there specs | grep -c 'clash: number 003' || :
      """,
      prints: ["'\(directory("a/specs"))': 2 topics, 001 to 002, no violation", "1"])
  }

  @Test(
    "The first reservation looks at the remote's branches as they are now, and touches no other")
  func behind() throws {
    try expect(
      """
      server; clone a; clone --single-branch b; cd a
      mkdir -p specs/041_x; touch specs/041_x/f; git add .; commit; git push -q origin HEAD:refs/heads/late
      cd ../b; git for-each-ref >../before
      take --scope remote specs y
      git for-each-ref | grep -v topic-alloc-remotes >../after; cmp ../before ../after
      cd ../a; mkdir -p specs/050_x; touch specs/050_x/f; git add .; commit; git push -q origin HEAD:refs/heads/later
      cd ../b; take --scope remote --dry-run specs z; take --scope remote --dry-run --rescan specs z
      """, prints: ["042", "043", "051"])
  }

  @Test(
    "A remote whose ledger can be written but not read is code 69 at once, and says so",
    arguments: [
      "git -C ../server.git config uploadpack.hideRefs refs/topic-alloc",
      "git clone -q --bare ../server.git ../empty.git; git config remote.origin.pushurl \"$PWD/../empty.git\"; git config remote.origin.url \"$PWD/../server.git\"; git push -q ../empty.git origin/main:refs/heads/m; git -C ../b config remote.origin.url \"$PWD/../empty.git\"; topic-alloc --scope remote ../b/specs y",
    ])
  func contradicted(setUp: String) throws {
    let outcome = try script(
      """
      server; clone a; clone b; cd a
      topic-alloc --scope remote ../b/specs x >/dev/null; \(setUp) >/dev/null
      take -w 60 --scope remote specs x
      """)
    #expect(outcome.code == 69 && outcome.lines.isEmpty, "\(outcome.text)\(outcome.error)")
    #expect(
      outcome.error.contains("refuses every reservation as too late")
        && outcome.error.contains("pushurl"), "\(outcome.error)")
  }

  @Test(
    "A branch on the server that is called like the ledger is none; a hook's words are shown")
  func misleading() throws {
    let outcome = try script(
      """
      server; git -C server.git update-ref refs/heads/refs/topic-alloc/specs main; clone a
      take --scope remote a/specs x 2>&1 | grep -o 'specs is no ledger'; clone b
      git -C server.git update-ref -d refs/heads/refs/topic-alloc/specs; take --scope remote b/specs x
      printf '#!/bin/sh\\necho cannot lock ref, stale info\\nexit 1\\n' >server.git/hooks/pre-receive
      chmod +x server.git/hooks/pre-receive; take -w 60 --scope remote b/specs x
      """)
    #expect(
      outcome.code == 69 && outcome.lines == ["specs is no ledger", "001"],
      "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.contains("refuses the reservation"), "\(outcome.error)")
  }

  @Test("A reservation takes three git commands where nobody else is at work")
  func processes() throws {
    try expect(
      """
      server; clone a; git -C a config user.name x; git -C a config user.email x@x
      git -C a worktree add -q ../b; git=$(command -v git); mkdir bin
      printf '#!/bin/sh\\necho ran >>"%s/log"\\nexec "%s" "$@"\\n' "$PWD" "$git" >bin/git
      chmod +x bin/git
      for place in a b; do for scope in worktrees remote; do
        take --scope $scope $place/specs x >/dev/null; : >log
        PATH="$PWD/bin:$PATH" take --scope $scope $place/specs x >/dev/null; grep -c ran log
      done; done
      """, prints: ["3", "3", "3", "3"])
  }

  @Test("A plain line in the configuration of one's own repository costs no git command more")
  func plainSetting() throws {
    try expect(
      """
      git init -q a; cd a; git config user.name x; git config user.email x@x; mkdir ../bin
      printf '#!/bin/sh\\necho ran >>"%s/log"\\nexec "%s" "$@"\\n' "$PWD/.." "$(command -v git)" >../bin/git
      chmod +x ../bin/git; take --scope worktrees specs x >/dev/null
      count() { : >../log; PATH="$PWD/../bin:$PATH" take specs x >/dev/null; grep -c ran ../log; }
      git config topic-alloc.scope worktrees; count
      sed -i 's/scope = worktrees/scope = "worktrees"/' .git/config; count
      sed -i 's/scope = "worktrees"/scope = worktrees/' .git/config; git config include.path ../no; count
      git config --unset include.path; GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=topic-alloc.scope \
        GIT_CONFIG_VALUE_0=root count; count
      echo '# topic-alloc' >>.git/config; count
      """, prints: ["3", "4", "4", "2", "3", "4"])
  }

  @Test(
    "Configuration files that include one another do not keep a call without a scope from going")
  func includeCycle() throws {
    try expect(
      """
      git init -q a; cd a; git config include.path config; take specs x
      """, prints: ["001"])
  }

  @Test(
    "The scope is read from the option, the variable, and wherever git reads its configuration",
    arguments: [
      "git config topic-alloc.scope worktrees", "git config Topic-Alloc.Scope worktrees",
      "git config --global topic-alloc.scope worktrees", "export TOPIC_ALLOC_SCOPE=worktrees",
      "git config extensions.worktreeConfig true; git config --worktree topic-alloc.scope worktrees",
      "git config include.path ../more; git config -f more topic-alloc.scope worktrees",
      "git config --global include.path '~/more'; git config -f \"$HOME/more\" topic-alloc.scope worktrees",
      "echo '[topic-alloc] scope = worktrees' >more; printf '[include]\\npath = ../more # here' >>.git/config",
      "echo '[topic-alloc] scope = worktrees' >more; echo '[include] path = ../more ; ]' >>.git/config",
      "git config -f more topic-alloc.scope worktrees; export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=include.path GIT_CONFIG_VALUE_0=$PWD/more",
      "git config -f more topic-alloc.scope worktrees; export GIT_CONFIG_NOSYSTEM=no GIT_CONFIG_SYSTEM=$PWD/more",
      "git config includeIf.gitdir:**.path ../more; git config -f more topic-alloc.scope worktrees",
      "export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=topic-alloc.scope GIT_CONFIG_VALUE_0=worktrees",
      "export TOPIC_ALLOC_SCOPE=worktrees; git config topic-alloc.scope remote",
      "git worktree add -q ../b; git config topic-alloc.scope worktrees; cd ../b",
    ])
  func configured(setUp: String) throws {
    let outcome = try script(
      """
      mkdir -p "$HOME"; git init -q a; cd a; commit; \(setUp)
      take specs x; git for-each-ref --format='%(refname)' refs/topic-alloc
      take --scope root specs x; git rev-list --count refs/topic-alloc/specs
      """)
    #expect(
      outcome.lines == ["001", "refs/topic-alloc/specs", "002", "1"],
      "\(setUp): \(outcome.text)\(outcome.error)")
  }

  @Test(
    "With --durable, commit and ref are on disk before the directory is made",
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

  @Test("What a killed process was looking at in a remote is removed by the next reservation")
  func leftBranches() throws {
    try expect(
      """
      left() { git -C a for-each-ref --format='%(refname:lstrip=3)' refs/topic-alloc-branches; }
      server; clone a; git=$(command -v git); mkdir bin
      printf '#!/bin/sh\\n"%s" "$@"\\ncase " $* " in *" fetch "*topic-alloc-branches*) kill -9 $PPID;; esac\\n' "$git" >bin/git
      chmod +x bin/git
      PATH="$PWD/bin:$PATH" take --scope remote a/specs x 2>/dev/null || echo "code $?"
      left; git -C a update-ref refs/topic-alloc-branches/4000000/x/y origin/main
      take --scope remote --dry-run a/specs x; left | wc -l; take --scope remote a/specs x; left
      git -C a update-ref refs/topic-alloc-branches/4000000/x/y origin/main
      take --scope worktrees a/specs x; left
      """, prints: ["code 137", "main", "001", "2", "001", "002"])
  }

  @Test("Where no scope is set, git is not run; an unknown scope is refused")
  func spared() throws {
    try expect(
      """
      mkdir -p "$HOME" bin; git init -q a; git config --global user.name x
      printf '#!/bin/sh\\necho ran >&2\\nexit 99\\n' >bin/git; chmod +x bin/git; PATH="$PWD/bin:$PATH"
      take a/specs x; take --scope root a/specs x; TOPIC_ALLOC_SCOPE=root take a/specs x
      TOPIC_ALLOC_SCOPE=bad take a/specs x 2>/dev/null || echo "code $?"
      """, prints: ["001", "002", "003", "code 64"])
  }

  @Test("Artifacts are numbered in their topic, whatever the scope of topics is")
  func artifacts() throws {
    try expect(
      """
      mkdir -p specs/001_a; export TOPIC_ALLOC_SCOPE=worktrees
      topic artifact specs/001_a plans x
      source '\(LibraryTests.library)'; create_research_subdirectory "$PWD/specs/001_a" y
      """,
      prints: [directory("specs/001_a/plans/001_x"), directory("specs/001_a/reports/001_y")])
  }

  @Test("A reservation without a directory is a gap, said so, and no violation in this scope")
  func gap() throws {
    let outcome = try script(
      """
      git init -q a; cd a; commit; take --scope worktrees specs x
      POSIX_FAULT=mkdirat:1:\(ENOSPC) take --scope worktrees specs y && exit 9
      take --scope worktrees specs z
      topic verify specs >/dev/null && exit 9
      topic verify --scope worktrees specs; git config topic-alloc.scope worktrees; topic verify specs
      """)
    #expect(
      outcome.code == 0 && outcome.lines.prefix(2) == ["001", "003"],
      "\(outcome.text)\(outcome.error)")
    #expect(
      outcome.error.contains("No space left on device; number 002 stays reserved: a gap"),
      "\(outcome.error)")
  }

  @Test("What is no ledger is said to be none; a number that is passed locally is left out")
  func damagedAndPassed() throws {
    let outcome = try script(
      """
      git init -q a; cd a; commit; git update-ref refs/topic-alloc/specs HEAD
      take --scope worktrees specs x
      """)
    #expect(outcome.code == 65 && outcome.error.contains("is no ledger"), "\(outcome.error)")
    try expect(
      """
      cd a; git update-ref -d refs/topic-alloc/specs; take --scope worktrees specs x
      mkdir specs/007_local; take --scope worktrees specs x
      """, prints: ["001", "008"])
  }
}
