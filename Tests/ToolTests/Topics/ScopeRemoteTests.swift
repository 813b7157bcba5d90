import Foundation
import TestSupport
import Testing

/// Numbers shared by all clones of a remote.
extension ScopeTests {
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

  @Test("A lost answer to a push neither loses a number nor duplicates one")
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

  @Test(
    "If the ledger is rewound or deleted on the server, a warning says so and no number is reused")
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
            + " new numbers are higher than any that this repository has seen of it"
        ], "\(outcome.error)")
    }
  }

  @Test("A clone that sees a ledger for the first time also reads the branches")
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

  @Test("A push that hangs after it is done is detected, and a signal reports what stays reserved")
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

  @Test(
    "The first reservation reads the remote's current branches and changes no other")
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
    "A remote whose ledger can be written but not read is status 69 at once",
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
      outcome.error.contains("rejects every reservation as outdated")
        && outcome.error.contains("pushurl"), "\(outcome.error)")
  }

  @Test(
    "A branch with the name of the ledger is not the ledger; a hook's message is shown")
  func misleading() throws {
    let outcome = try script(
      """
      server; git -C server.git update-ref refs/heads/refs/topic-alloc/specs main; clone a
      take --scope remote a/specs x 2>&1 | grep -o 'specs is not a ledger'; clone b
      git -C server.git update-ref -d refs/heads/refs/topic-alloc/specs; take --scope remote b/specs x
      printf '#!/bin/sh\\necho cannot lock ref, stale info\\nexit 1\\n' >server.git/hooks/pre-receive
      chmod +x server.git/hooks/pre-receive; take -w 60 --scope remote b/specs x
      """)
    #expect(
      outcome.code == 69 && outcome.lines == ["specs is not a ledger", "001"],
      "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.contains("refuses the reservation"), "\(outcome.error)")
  }

  @Test("The next reservation removes the branches that a killed process fetched")
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
}
