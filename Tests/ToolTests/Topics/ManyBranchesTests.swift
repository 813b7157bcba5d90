import Foundation
import TestSupport
import Testing

/// git reads branches together, however many there are.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Product.hasProgram("git"))) struct ManyBranchesTests {
  let directory = TemporaryDirectory()

  /// Runs a script in the directory. `branches N` creates a repository `a` with N branches, each
  /// with its own root. `counted COMMAND...` prints how many git processes a command takes.
  private func script(_ text: String, environment: [String: String] = [:]) throws -> Outcome {
    let functions = """
      set -eu
      commit() { git -c user.name=x -c user.email=x@x commit -q --allow-empty -m "${1:-x}"; }
      branches() {
        rm -rf a; git init -q -b main "${@:2}" a
        for ((i = 0; i <= $1; i++)); do
          name=b$i from='from :1'; [ $i -gt 0 ] || name=main from=
          printf 'commit refs/heads/%s\\nmark :%s\\ncommitter x <x@x> %s +0000\\ndata 0\\n%s\\n' \
            $name $((i + 1)) $((1000 + i)) "$from"
          printf 'M 100644 inline %s/%03d_x/f\\ndata 0\\n\\n' specs $((i + 1))
        done | git -C a fast-import --quiet
        git -C a reset -q --hard
      }
      git=$(command -v git); mkdir -p bin; log=$PWD/log
      printf '#!/bin/sh\\necho ran >>"%s"\\nexec "%s" "$@"\\n' "$log" "$git" >bin/git; chmod +x bin/git
      counted() { : >"$log"; PATH="${log%log}bin:$PATH" "$@" >/dev/null; grep -c ran "$log"; }
      take() { topic-alloc -f number --scope worktrees "$@"; }

      """
    return try bash(
      functions + text, in: directory.path,
      environment: [
        "HOME": directory("home"), "GIT_CONFIG_NOSYSTEM": "1", "XDG_CONFIG_HOME": "",
        "TOPIC_ALLOC_SCOPE": "",
      ].merging(environment) { $1 })
  }

  @Test("A first reservation takes as many git processes with forty branches as with two")
  func reservation() throws {
    let outcome = try script(
      """
      for n in 2 40; do branches $n; counted take a/specs x; counted take --rescan a/specs y; ls a/specs; done
      """)
    let lines = outcome.lines
    try #require(outcome.code == 0 && lines.count == 10, "\(outcome.text)\(outcome.error)")
    #expect(lines[0..<2] == lines[5..<7] && lines[0] != "0", "\(outcome.text)")
    #expect(
      lines[2..<5] == ["001_x", "004_x", "005_y"] && lines[7...] == ["001_x", "042_x", "043_y"])
  }

  @Test("verify --against takes as many git processes for forty branches as for two")
  func against() throws {
    let outcome = try script(
      """
      branches 40; mkdir a/specs/003_mine; cd a
      options() { for ((i = 1; i <= $1; i++)); do echo --against=b$i; done; }
      counted topic verify $(options 2) specs || :; counted topic verify $(options 40) specs || :
      topic verify $(options 40) --allow-gaps specs | grep clash
      """)
    #expect(
      outcome.lines.count == 3 && outcome.lines.first == outcome.lines.dropFirst().first
        && outcome.lines.last
          == "clash: number 003 belongs to '003_mine' here and to '003_x' in 'b2'",
      "\(outcome.text)\(outcome.error)")
  }

  @Test("Any path of a root and any kind of object ID is read", arguments: ["sha1", "sha256"])
  func paths(format: String) throws {
    for root in ["specs", "a/b c/ü", "new\nline/x", "."] {
      let outcome = try script(
        """
        branches 0 --object-format=\(format); cd a; git checkout -q --orphan other; git rm -rfq .
        mkdir -p "$root/007_x"; touch "$root/007_x/f" file; git add .; commit; git checkout -q -f main
        git branch same other; git branch -q none main; git update-ref refs/remotes/o/blob "$(git hash-object -w --stdin </dev/null)"
        take "$root" y; rm -r "$root"/008_y; take -n 7 "$root" z 2>&1 || topic verify --against other --allow-gaps "$root"
        """, environment: ["root": root])
      #expect(outcome.lines.first == "008", "\(root): \(outcome.text)\(outcome.error)")
      #expect(outcome.text.contains("'007_x' has it in 'refs/heads/other'"), "\(outcome.text)")
    }
  }

  @Test("A branch without the root has no numbers; an unreadable tree is status 69")
  func damaged() throws {
    let outcome = try script(
      """
      branches 2; cd a; git checkout -q b1; git rm -q -r specs; touch specs; git add .; commit; git checkout -q main
      topic verify --against b1 specs; take --dry-run specs y
      tree=$(git rev-parse b2:specs); rm -f ".git/objects/${tree:0:2}/${tree:2}"
      take specs y || echo "code $?"; topic verify --against b2 specs || echo "code $?"; ls specs
      """)
    #expect(
      outcome.lines.dropFirst() == ["004", "code 69", "code 69", "001_x"],
      "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.contains("git cat-file failed and says"), "\(outcome.error)")
  }

  @Test("Before the first commit there is no merge base; a broken checkout is status 69")
  func noCommit() throws {
    let outcome = try script(
      """
      branches 1; cd a; git checkout -q --orphan new; git rm -rfq --cached .
      topic verify --against b1 --allow-gaps specs || echo "code $?"
      echo 1234567890123456789012345678901234567890 >.git/refs/heads/new
      topic verify --against b1 --allow-gaps specs || echo "code $?"
      """)
    #expect(
      outcome.lines.count == 2 && outcome.lines[0].hasSuffix("no violation")
        && outcome.lines[1] == "code 69", "\(outcome.text)\(outcome.error)")
  }
}
