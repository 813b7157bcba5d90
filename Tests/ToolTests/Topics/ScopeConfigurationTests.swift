import Foundation
import TestSupport
import Testing

/// Where the scope is set, and how few git processes it takes to find out.
extension ScopeTests {
  @Test("An undisturbed reservation takes three git commands")
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

  @Test("A plain line in the user's own repository costs no extra git command")
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
    "Configuration files that include each other do not block a call without a scope")
  func includeCycle() throws {
    try expect(
      """
      git init -q a; cd a; git config include.path config; take specs x
      """, prints: ["001"])
  }

  @Test(
    "The scope comes from the option, the variable, or any configuration file of git",
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

  @Test("If no scope is set, git does not run; an unknown scope is refused")
  func spared() throws {
    try expect(
      """
      mkdir -p "$HOME" bin; git init -q a; git config --global user.name x
      printf '#!/bin/sh\\necho ran >&2\\nexit 99\\n' >bin/git; chmod +x bin/git; PATH="$PWD/bin:$PATH"
      take a/specs x; take --scope root a/specs x; TOPIC_ALLOC_SCOPE=root take a/specs x
      TOPIC_ALLOC_SCOPE=bad take a/specs x 2>/dev/null || echo "code $?"
      """, prints: ["001", "002", "003", "code 64"])
  }
}
