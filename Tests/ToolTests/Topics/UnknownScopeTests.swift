import Foundation
import TestSupport
import Testing

/// If it is unknown whether a scope is set, nothing is numbered, and the hint works when typed.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Product.hasProgram("git"))) struct UnknownScopeTests {
  let directory = TemporaryDirectory()
  /// Permissions do not restrict root, and only root can give a file away.
  static let canChangeUser = getuid() == 0 && Product.hasProgram("setpriv")

  /// Runs a script in the directory, which has a repository `main` with the scope `worktrees`, and
  /// its work tree `linked`. `as_user` runs a command under another user ID.
  private func script(_ text: String) throws -> Outcome {
    let functions = """
      set -eu
      take() { topic-alloc -f number "$@" || echo "code $?"; }
      as_user() { setpriv --reuid=1001 --regid=1001 --clear-groups "$@"; }
      if ! test -e home; then
        mkdir home; git config --global user.name x; git config --global user.email x@x
        git init -q main; git -C main commit -q --allow-empty -m x
        git -C main config topic-alloc.scope worktrees; git -C main worktree add -q ../linked
      fi

      """
    return try bash(
      functions + text, in: directory.path,
      environment: [
        "HOME": directory("home"), "GIT_CONFIG_NOSYSTEM": "1", "XDG_CONFIG_HOME": "",
        "TOPIC_ALLOC_SCOPE": "",
      ])
  }

  /// The command in the hint, after the colon.
  private func command(_ outcome: Outcome) throws -> String {
    let hint = try #require(outcome.error.components(separatedBy: "hint: ").last)
    let parts = hint.components(separatedBy: ": git ")
    let words = parts.last?.components(separatedBy: "; or ").first
    return "git " + (try #require(words?.split(separator: "\n").first))
  }

  @Test(
    "A repository that git refuses is status 69 if its files mention a scope",
    .enabled(if: canChangeUser, "only root can give a repository away"))
  func refused() throws {
    let refused = try script(
      """
      git config --global topic-alloc.scope root
      chown -R 1001 main; take main/specs x; TOPIC_ALLOC_SCOPE=root take main/specs x
      take --scope root main/specs x
      """)
    #expect(refused.lines == ["code 69", "001", "002"], "\(refused.error)")
    #expect(
      refused.error.contains("cannot determine the scope: git refuses the repository")
        && refused.error.contains("dubious ownership") && refused.error.contains("--scope root"),
      "\(refused.error)")
    for words in ["renumber main/specs", "verify --against HEAD main/specs"] {
      let outcome = try script("topic \(words)")
      #expect(outcome.code == 69 && !outcome.error.contains("--scope"), "\(outcome.error)")
      #expect(try command(outcome) == command(refused))
    }
    let trusted = try script(
      """
      \(try command(refused)); take main/specs x
      git config --global --unset-all safe.directory; take main/specs x
      """)
    #expect(trusted.lines == ["003", "code 69"], "\(trusted.error)")
  }

  @Test("If gaps do not count, verify does not look for a scope", .enabled(if: canChangeUser))
  func verifyWithoutScope() throws {
    let outcome = try script(
      """
      mkdir -p main/specs/001_a main/specs/003_b; chown -R 1001 main
      for words in --allow-gaps '--only duplicate' --strict ''; do
        topic verify $words main/specs >/dev/null 2>&1 || echo $?
      done
      """)
    #expect(outcome.lines == ["1", "69"], "\(outcome.text)\(outcome.error)")
  }

  @Test("The scope of a user counts even without HOME")
  func withoutHome() throws {
    let outcome = try script(
      """
      git -C main config --unset topic-alloc.scope; mkdir -p xdg/git
      printf '[topic-alloc]\\nscope = root\\n' >xdg/git/config
      strace -f -o trace -e trace=execve env -u HOME XDG_CONFIG_HOME=$PWD/xdg topic-alloc -f number main/specs x
      grep -c '"config", "--show-scope"' trace
      printf '[topic-alloc]\\nscope = nonsense\\n' >xdg/git/config
      code=0; env -u HOME XDG_CONFIG_HOME=$PWD/xdg topic-alloc main/specs x || code=$?; echo $code
      """)
    #expect(
      outcome.lines.first == "001" && outcome.lines.last == "65", "\(outcome.text)\(outcome.error)")
  }

  @Test(
    "A repository without HEAD is status 69 if its file mentions a scope, and is ignored otherwise")
  func withoutHead() throws {
    let outcome = try script(
      "rm main/.git/HEAD; take main/specs x; mkdir -p a/.git; take a/specs x")
    #expect(outcome.lines == ["code 69", "001"], "\(outcome.text)\(outcome.error)")
    #expect(
      outcome.error.contains("not a git repository") && outcome.error.contains("--scope root"))
  }

  @Test(
    "A repository that git refuses and that mentions no scope still works",
    .enabled(if: canChangeUser, "only root can give a repository away"))
  func refusedWithoutScope() throws {
    let outcome = try script(
      "git -C main config --unset topic-alloc.scope; chown -R 1001 main; take main/specs x")
    #expect(outcome.lines == ["001"] && outcome.error.isEmpty, "\(outcome.error)")
  }

  @Test(
    "An unreadable configuration file of git is status 69 and named",
    .enabled(if: canChangeUser, "permissions do not hold root back"),
    arguments: [
      "main/.git/config", "main/.git", "home/.gitconfig", "home/.config/git/config",
      "home/.config/git", "more",
    ])
  func unreadable(file: String) throws {
    let outcome = try script(
      """
      git -C main config --unset topic-alloc.scope; git -C main config include.path ../../more
      mkdir -p home/.config/git; touch home/.config/git/config more; chown -R 1001 .
      as_user "$(command -v topic-alloc)" -f number main/specs x; chmod 0 '\(file)'
      as_user "$(command -v topic-alloc)" -f number main/specs x || echo "code $?"
      as_user "$(command -v topic-alloc)" --scope root -f number main/specs x
      TOPIC_ALLOC_SCOPE=root as_user "$(command -v topic-alloc)" -f number main/specs x
      """)
    #expect(outcome.lines == ["001", "code 69", "002", "003"], "\(outcome.error)")
    #expect(
      outcome.error.contains("\(file)") && outcome.error.contains("Permission denied")
        && outcome.error.contains("--scope root, or TOPIC_ALLOC_SCOPE=root"), "\(outcome.error)")
  }

  @Test(
    "An unreadable included file does not matter if git would not read it",
    .enabled(if: canChangeUser, "permissions do not hold root back"))
  func unreadableUnderCondition() throws {
    let outcome = try script(
      """
      git -C main config --unset topic-alloc.scope; touch more; chmod 0 more
      git -C main config includeIf.onbranch:other.path ../../more; chown -R 1001 .
      as_user "$(command -v topic-alloc)" -f number main/specs x
      """)
    #expect(outcome.lines == ["001"], "\(outcome.error)")
  }

  @Test(
    "A home that may not be entered has no configuration, as in git",
    .enabled(if: canChangeUser, "permissions do not hold root back"))
  func closedHome() throws {
    let outcome = try script(
      """
      git config --global topic-alloc.scope remote; chown -R 1001 .; chmod 700 home; chown 0 home
      as_user "$(command -v topic-alloc)" -f number main/specs x
      as_user "$(command -v topic-alloc)" -f number linked/specs x
      git config --file main/.git/config --unset topic-alloc.scope
      as_user "$(command -v topic-alloc)" -f number linked/specs x
      mkdir home/configuration; chmod 700 home/configuration; chmod 755 home; rm home/.gitconfig
      XDG_CONFIG_HOME=$PWD/home/configuration as_user "$(command -v topic-alloc)" -f number linked/specs x
      """)
    #expect(outcome.lines == ["001", "002", "003", "004"], "\(outcome.error)")
  }

  @Test("A file can be unreadable for reasons other than permissions")
  func otherReasons() throws {
    let outcome = try script(
      """
      mkdir home/more; ln -s loop home/loop; git -C main config --unset topic-alloc.scope
      GIT_CONFIG_GLOBAL=$HOME/more take main/specs x; GIT_CONFIG_GLOBAL=$HOME/loop take main/specs x
      POSIX_FAULT=pread:1:\(EIO) take main/specs x; take main/specs x
      """)
    #expect(outcome.lines == ["code 69", "code 69", "code 69", "001"], "\(outcome.error)")
    for words in [
      "home/more', which can set a scope: Is a directory", "home/loop', which can set a scope: ",
      "main/.git/config', which can set a scope: Input/output error",
    ] {
      #expect(outcome.error.contains(words), "\(outcome.error)")
    }
  }

  @Test("A work tree whose repository was moved is status 69, and the repair in the hint works")
  func moved() throws {
    let outcome = try script(
      "mv main there; take linked/specs x; take --scope worktrees linked/specs x")
    #expect(outcome.lines == ["code 69", "code 69"], "\(outcome.error)")
    #expect(
      outcome.error.contains("\(directory("main/.git/worktrees/linked"))', which is missing")
        && !outcome.error.contains("git init"), "\(outcome.error)")
    let root = try script(
      "take --scope root linked/specs x; topic verify --scope root linked/specs")
    #expect(root.lines.first == "001", "\(root.error)")
    for words in ["renumber --scope root linked/specs", "renumber --apply linked/specs"] {
      let renumbering = try script("topic \(words)")
      #expect(renumbering.code == 69 && renumbering.output.isEmpty)
      #expect(
        renumbering.error.contains("main/.git/worktrees/linked', which is missing")
          && !renumbering.error.contains("--scope"), "\(renumbering.error)")
    }
    let repaired = try script("cd there; \(try command(outcome)) 2>&1; take ../linked/specs x")
    #expect(repaired.lines.last == "002", "\(repaired.text)\(repaired.error)")
  }

  @Test(
    "A .git that leads to no repository is status 69",
    arguments: [
      "rm -r main/.git/worktrees", "rm -r main/.git/worktrees/linked/*", "rm -r main/.git/objects",
      "echo >linked/.git", "rm linked/.git; ln -s ../gone linked/.git",
      "rm linked/.git; ln -s ../gone/.git linked/.git",
    ])
  func broken(change: String) throws {
    let outcome = try script("\(change); take linked/specs x; take --scope root linked/specs x")
    #expect(outcome.lines == ["code 69", "001"], "\(outcome.error)")
    #expect(
      outcome.error.contains("missing") || outcome.error.contains("does not name a git directory"),
      "\(outcome.error)")
    #expect(outcome.error.contains("--scope root") && !outcome.error.contains("git init"))
  }
}
