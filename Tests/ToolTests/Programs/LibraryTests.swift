import Foundation
import TestSupport
import Testing

/// shell/unified-location-detection.sh, sourced by bash.
@Suite(.timeLimit(.minutes(20))) struct LibraryTests {
  let directory = TemporaryDirectory()
  static let library = Product.sources + "/shell/unified-location-detection.sh"

  /// Runs a script in the directory of the test, after sourcing the library.
  private func sourced(_ script: String, before: String = "") throws -> Outcome {
    try bash(
      "\(before)\nsource '\(Self.library)'\n\(script)", in: directory.path,
      environment: ["CLAUDE_SPECS_ROOT": ""])
  }

  /// Calls every function as a script does: those that succeed as plain commands, those that fail
  /// in conditions. Prints the output and status of each.
  static let everyFunction = """
    say() { builtin printf '%s: ' "$1"; "$@"; }
    fail() { if say "$@" 2>/dev/null; then builtin printf 'no failure\\n'; else builtin printf 'fails with %s\\n' "$?"; fi; }
    say detect_project_root
    say detect_specs_directory "$PWD"
    say detect_specs_directory "$PWD"
    say get_next_topic_number "$PWD/.claude/specs"
    say allocate_and_create_topic "$PWD/.claude/specs" auth_patterns
    say allocate_and_create_topic "$PWD/.claude/specs" 'odd [name]*?'
    say get_next_topic_number "$PWD/.claude/specs"
    say find_existing_topic "$PWD/.claude/specs" 'auth.*patt'
    say find_existing_topic "$PWD/.claude/specs" AUTH
    say sanitize_topic_name 'Research: *Auth* [2025]!'
    say sanitize_topic_name 'Ärger im Büro'
    say sanitize_topic_name '😀'
    say perform_location_detection 'OAuth 2.0 login'
    json='{"topic_number":"7","topic_name":"a","topic_path":"/a b/7_a","artifact_paths":{"reports":"/a b/7_a/r"}}'
    say generate_legacy_location_context "$json"
    say ensure_artifact_directory "$PWD/a b/c/file"
    say create_topic_structure "$PWD/d/e"
    say create_research_subdirectory "$PWD/d/e" 'first one'
    say create_research_subdirectory "$PWD/d/e/" 'second'
    say canonicalize_path a/../d/./e/missing
    say verify_topic_invariants "$PWD/.claude/specs"
    fail find_existing_topic "$PWD/.claude/specs" '('
    fail find_existing_topic "" x
    fail generate_legacy_location_context '{}'
    fail create_research_subdirectory d/e 'relative'
    fail allocate_and_create_topic /dev/null/specs a
    fail verify_topic_invariants missing
    fail ensure_artifact_directory /dev/null/a/b
    fail get_next_topic_number /dev/null
    fail detect_specs_directory ""
    (allocate_and_create_topic /dev/null/specs a 2>/dev/null) || builtin printf 'in a subshell: %s\\n' "$?"
    ! verify_topic_invariants missing 2>/dev/null && builtin printf 'negated\\n'
    builtin printf 'end\\n'
    """

  /// Every name that a function might use for a local variable.
  static let commonNames =
    "name path root file status rest project program place entries json key value text slug option"
    + " digits regex found topic created here above specs parent piece letter lower upper paths"
    + " index resolved yaml string on all entry noglob ignored description other"

  static let hostileShells = [
    "set -euo pipefail", "set -f", "shopt -s nocasematch failglob nocaseglob dotglob",
    "shopt -s nullglob; export GLOBIGNORE='*'", "IFS='/0_a'", "IFS=", "set -o posix",
    "set -Eeuo pipefail; trap 'echo ERR trap; exit 99' ERR", "set -e; shopt -s inherit_errexit",
    "set -eT; trap : DEBUG RETURN; trap : EXIT", "set -a", "set -eu; POSIXLY_CORRECT=1",
    "ls() { :; }; mkdir() { :; }; cd() { :; }; printf() { :; }; readlink() { :; }; command() { :; }; type() { :; }; shopt() { :; }",
    "shopt -s expand_aliases; alias mkdir='echo mkdir' ls='echo ls' local='echo local' printf='echo' builtin='echo' '[[=false' return='echo'",
    "LC_ALL=C", "CDPATH=/tmp:/", "set -u; unset HOME TMPDIR",
    "readonly \(commonNames.split(separator: " ").map { "\($0)=/bin/echo" }.joined(separator: " "))",
  ]

  @Test(
    "Every function works the same, whatever the settings of the caller's shell",
    arguments: hostileShells)
  func hostile(shell: String) throws {
    // Aliases affect the calling script itself, so remove them.
    let script = "unalias -a\n\(Self.everyFunction.replacing("json", with: "the_json"))"
    let expected = try sourced(script)
    #expect(expected.text.hasSuffix("negated\nend\n"), "\(expected.text)\(expected.error)")
    #expect(expected.error.isEmpty, "\(expected.error)")
    for made in [".claude", "a b", "d"] { try run(["rm", "-rf", directory(made)]) }
    let outcome = try sourced(script, before: shell)
    #expect(outcome.text == expected.text)
    #expect(outcome.error.isEmpty, "\(outcome.error)")
  }

  @Test(
    "Sourcing, even twice, changes nothing but the functions and the guard",
    arguments: hostileShells + [":"])
  func sourcing(shell: String) throws {
    let state =
      "{ set -o; shopt; trap -p; alias; builtin printf '%s\\n' \"$PWD $-\"; compgen -v | grep -vE '^(_|BASH_LINENO|BASH_ARGV|BASH_ARGC|PIPESTATUS|FUNCNAME|COLUMNS|LINES|BASHOPTS)$'; } 2>/dev/null"
    let outcome = try bash(
      """
      cd '\(directory.path)'
      \(shell)
      unset -f printf grep
      \\builtin source /dev/null
      \(state) >before || :
      source '\(Self.library)' >said 2>&1
      source '\(Self.library)' >>said 2>&1
      \(state) >after || :
      """)
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(try String(contentsOfFile: directory("said"), encoding: .utf8).isEmpty)
    let difference = try run(["diff", directory("before"), directory("after")])
    #expect(
      difference.lines.filter { $0.hasPrefix("<") || $0.hasPrefix(">") } == [
        "> _UNIFIED_LOCATION_DETECTION"
      ])
  }

  @Test("Functions that need no lock run no program", .enabled(if: Product.hasProgram("strace")))
  func noProcess() throws {
    try directory.makeDirectories("specs/001_a", "specs/010_b", "topic")
    let script = """
      source '\(Self.library)'
      detect_project_root; detect_specs_directory "$PWD"; get_next_topic_number "$PWD/specs"
      find_existing_topic "$PWD/specs" b; sanitize_topic_name 'OAuth 2.0 login'
      ensure_artifact_directory "$PWD/topic/file"; create_topic_structure "$PWD/topic"
      generate_legacy_location_context '{"topic_path": "/x"}'
      """
    let outcome = try run(
      [
        "strace", "-f", "-o", directory("trace"), "-e", "trace=execve,clone,clone3,fork,vfork",
        "bash", "--norc", "-c", script,
      ],
      in: directory.path)
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(
      outcome.lines == [
        directory.path, directory("specs"), "011", "010", "oauth_20_login", "topic_path: /x",
      ])
    let trace = try String(contentsOfFile: directory("trace"), encoding: .utf8)
    let calls = trace.split(separator: "\n").filter {
      $0.contains("(") && !$0.contains("execve(\"")
    }
    #expect(calls.isEmpty, "\(calls)")
  }

  @Test(
    "Functions leave the options of the shell as they were",
    arguments: [
      "set -f", "shopt -s failglob", "shopt -s nullglob dotglob", "shopt -s nocasematch nocaseglob",
      "GLOBIGNORE=x",
    ])
  func options(shell: String) throws {
    let outcome = try sourced(
      """
      state() { set +o; shopt -p; echo "$GLOBIGNORE"; }
      mkdir -p specs/001_a
      state >before
      get_next_topic_number "$PWD/specs" >out; find_existing_topic "$PWD/specs" a >>out
      generate_legacy_location_context '{"topic_path": "/x"}' >>out
      state >after
      diff before after && cat out
      """, before: shell)
    #expect(outcome.lines == ["002", "001", "topic_path: /x"], "\(outcome.text)")
  }

  @Test("bash and the program create the same slugs")
  func slugs() throws {
    let names = [
      "Research: Auth (2025)!", "real-time", "  a \t b  ", "__x__y__", "A-B_C.D", "'\"$`\\",
      "[x]*?{y}~",
      String(repeating: "long ", count: 30), String(repeating: "x", count: 49) + " yz",
      "tab\tnew\nline",
      "Ärger", "e\u{301}", "a\u{1}b", "", String(repeating: " ", count: 300) + "end",
    ]
    for name in names {
      let expected = try run([Product.topic, "slug", "--", name]).text
      let quoted = "'" + name.replacingOccurrences(of: "'", with: "'\\''") + "'"
      for locale in ["C", "C.UTF-8"] {
        let outcome = try sourced("LC_ALL=\(locale); sanitize_topic_name \(quoted)")
        #expect(outcome.text == (expected.isEmpty ? "\n" : expected), "\(name) in \(locale)")
      }
    }
  }

  @Test("Without the programs, the library says what is missing and returns 127")
  func noPrograms() throws {
    let outcome = try run(
      [
        "bash", "--norc", "-c",
        "source \(Self.library); allocate_and_create_topic r n; echo $?; perform_location_detection x; echo $?",
      ],
      in: directory.path, environment: ["PATH": "/usr/bin:/bin"])
    #expect(outcome.lines == ["127", "127"])
    #expect(outcome.error.contains("cannot find the program 'topic-alloc'"))
    #expect(outcome.error.contains("TOPIC_ALLOC_BIN"))
    let found = try run(
      ["bash", "--norc", "-c", "source \(Self.library); allocate_and_create_topic \"$PWD/r\" n"],
      in: directory.path,
      environment: ["PATH": "/usr/bin:/bin", "TOPIC_ALLOC_BIN": Product.directory])
    #expect(found.lines == ["001|\(directory("r/001_n"))"])
  }

  @Test(
    "The programs are found beside the library and where it is installed",
    arguments: ["lib", "share/topic-alloc"])
  func programsBeside(place: String) throws {
    try directory.makeDirectories(place, "bin")
    let programs = place == "lib" ? "lib" : "bin"
    try run(["cp", Product.topicAlloc, directory(programs)])
    try run(["cp", Self.library, directory(place)])
    let outcome = try run(
      [
        "bash", "--norc", "-c",
        "cd \(place); source unified-location-detection.sh; cd /; allocate_and_create_topic '\(directory("r"))' n",
      ],
      in: directory.path, environment: ["PATH": "/usr/bin:/bin"])
    #expect(outcome.lines == ["001|\(directory("r/001_n"))"], "\(outcome.error)")
  }

  @Test("A failure of the program is status 1, as before")
  func failures() throws {
    try directory.makeFile("file")
    let outcome = try sourced(
      "allocate_and_create_topic file a || echo $?; verify_topic_invariants missing || echo $?; get_next_topic_number '' || echo $?"
    )
    #expect(outcome.lines == ["1", "1", "1"])
  }

  @Test(
    "A dangling link does not create a second root",
    arguments: [(".claude/specs", "specs"), ("specs", ".claude"), (".claude", "specs")])
  func unmounted(link: String, other: String) throws {
    try directory.makeDirectories("p/.claude", "p/specs")
    try run(["rm", "-r", directory("p/\(link)")])
    try run(["ln", "-s", "/nowhere/specs", directory("p/\(link)")])
    let outcome = try sourced("detect_specs_directory \"$PWD/p\"")
    #expect(outcome.code == 1 && outcome.output.isEmpty)
    #expect(
      outcome.error.contains("'\(directory("p/\(link)"))' is a dangling symbolic link"),
      "\(outcome.error)")
    #expect(try run(["find", directory("p/\(other)"), "-mindepth", "1"]).text.isEmpty)
    try directory.makeDirectories("q/.claude/specs")
    try run(["ln", "-s", "/nowhere/specs", directory("q/specs")])
    #expect(
      try sourced("detect_specs_directory \"$PWD/q\"").lines == [directory("q/.claude/specs")])
  }

  @Test("Ten shells at once get ten numbers")
  func concurrent() throws {
    let outcome = try sourced(
      """
      for i in 1 2 3 4 5 6 7 8 9 10; do allocate_and_create_topic "$PWD/specs" "n$i" >>out & done; wait
      cut -d'|' -f1 out | sort -u | wc -l; verify_topic_invariants "$PWD/specs"
      """)
    #expect(outcome.lines.first?.trimmingCharacters(in: .whitespaces) == "10")
    #expect(outcome.code == 0, "\(outcome.text)")
  }

  @Test("Long numbers, and numbers that look octal, are decimal")
  func numbers() throws {
    for name in ["008_x", "0042_x", "20251129_b", "99999999_x", "007", "7_x"] {
      try directory.makeDirectories("specs/\(name)")
    }
    #expect(try sourced("get_next_topic_number \"$PWD/specs\"").lines == ["043"])
    try directory.makeDirectories("specs/1000_x")
    #expect(try sourced("get_next_topic_number \"$PWD/specs\"").lines == ["1001"])
    #expect(try sourced("find_existing_topic \"$PWD/specs\" x").lines == ["008"])
    try directory.makeDirectories("specs/9999999_x")
    #expect(try sourced("get_next_topic_number \"$PWD/specs\"").code == 1)
    #expect(try sourced("get_next_topic_number \"$PWD/missing\"").lines == ["001"])
  }

  @Test(
    "Paths are resolved as far as they exist",
    arguments: [
      ("link/x", "/real/x"), ("real/../real/.", "/real"), ("missing/a/b", "/missing/a/b"),
      ("file", "/file"),
      ("filelink", "/file"), ("dangling", "/dangling"), ("-", "/-"), ("real//", "/real"), (".", ""),
    ])
  func canonicalPaths(path: String, expected: String) throws {
    try directory.makeDirectories("real", "-")
    try directory.makeFile("file")
    for (target, name) in [("real", "link"), ("file", "filelink"), ("nowhere", "dangling")] {
      try run(["ln", "-s", target, directory(name)])
    }
    #expect(try sourced("canonicalize_path '\(path)'").text == directory.path + expected + "\n")
  }

  @Test("A shell that entered through a link uses the physical project")
  func projectThroughLink() throws {
    try directory.makeDirectories("repo/.git", "repo/sub")
    try directory.makeFile("repo/.git/HEAD")
    try run(["ln", "-s", "repo/sub", directory("link")])
    #expect(try sourced("cd link; detect_project_root").lines == [directory("repo")])
    #expect(try sourced("cd repo/sub; detect_project_root").lines == [directory("repo")])
    #expect(try sourced("PWD=/nowhere; detect_project_root").lines == [directory.path])
  }

  @Test(
    "In a directory shared by a group, the group can write to new directories, whatever the umask",
    arguments: [
      ("ensure_artifact_directory \"$PWD/shared/a/b/file\"", ["shared/a", "shared/a/b"]),
      ("create_topic_structure shared/c//d/", ["shared/c", "shared/c/d"]),
      ("cd shared; create_topic_structure e", ["shared/e"]),
      ("create_topic_structure link/f", ["shared/f"]),
      ("CLAUDE_SPECS_ROOT=$PWD/shared/.s detect_specs_directory", ["shared/.s"]),
    ])
  func sharedByGroup(command: String, made: [String]) throws {
    try directory.makeDirectories("shared", "own")
    try run(["chmod", "2775", directory("shared")])
    try run(["chmod", "2755", directory("own")])
    try run(["ln", "-s", "shared", directory("link")])
    let outcome = try sourced(
      "umask 077; \(command) >/dev/null; umask; trap", before: "trap 'echo bye' EXIT")
    #expect(outcome.lines == ["0077", "trap -- 'echo bye' EXIT", "bye"], "\(outcome.error)")
    for name in made {
      let mode = try FileManager.default.attributesOfItem(atPath: directory(name))[
        .posixPermissions]
      #expect((mode as? Int).map { $0 & 0o777 } == 0o770, "\(name)")
    }
    _ = try sourced("umask 077; create_topic_structure own/x")
    let mode = try FileManager.default.attributesOfItem(atPath: directory("own/x"))[
      .posixPermissions]
    #expect((mode as? Int).map { $0 & 0o777 } == 0o700)
  }
}
