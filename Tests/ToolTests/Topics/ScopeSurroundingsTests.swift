import Foundation
import TestSupport
import Testing

/// Reservations and the surrounding repository, its hooks and its configuration.
extension ScopeTests {
  @Test(
    "Reservations work without a user, in shallow clones and linked work trees, with SHA-256 and odd settings",
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

  @Test("The checkout stays unchanged, and no hook runs")
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
    "A call from a hook, with git's variables set, uses the root's repository")
  func insideHook() throws {
    try expect(
      """
      git init -q other; git init -q main; cd main; commit
      export GIT_DIR="$PWD/../other/.git" GIT_INDEX_FILE=nowhere GIT_WORK_TREE=/
      take --scope worktrees specs a
      unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE; git for-each-ref --format='%(refname)' 'refs/topic-alloc/*'
      """, prints: ["001", "refs/topic-alloc/specs"])
  }

  @Test("If a scope is unavailable, the status is 69, nothing is created, and the hint works")
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
    try expect("cd ..; take --scope worktrees a.d x", says: "not in a git work tree", "git init")
  }
}
