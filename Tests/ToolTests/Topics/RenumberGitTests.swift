import Foundation
import TestSupport
import Testing

/// How renumbering uses git, and how it works without git.
extension RenumberTests {
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

  /// Runs `text` with a git in PATH that logs its commands to `ran`, and those that run while the
  /// root is locked to `locked`.
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
    "Many duplicates need as many git processes as one, two of them under the lock",
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

  @Test("A number that a sparse checkout omits counts as taken")
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

  @Test("The index keeps its stat data, so files count as unchanged")
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

  @Test("If git cannot read the history, the status is 69 and nothing is renumbered")
  func unreadableHistory() throws {
    try makeClash()
    let outcome = try script(
      """
      commit=$(git rev-parse HEAD~1); rm -f ".git/objects/${commit:0:2}/${commit:2}"
      topic renumber --apply specs
      """)
    #expect(outcome.code == 69 && outcome.output.isEmpty, "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.contains("git log failed and says"), "\(outcome.error)")
    #expect(directory.entries("specs") == ["001_a", "002_a", "002_b", "002_c", "002_d"])
  }

  @Test("Outside of git, the entry that was created first keeps its number")
  func withoutGit() throws {
    let outcome = try script(
      "mkdir -p specs/001_z; sleep 0.05; mkdir specs/001_a; topic renumber --apply specs; topic renumber specs"
    )
    #expect(directory.entries("specs") == ["001_z", "002_a"], "\(outcome.error)")
    #expect(outcome.lines.last == "no duplicate numbers")
  }

  @Test("In a work tree without an installed git, nothing is renumbered")
  func withoutProgram() throws {
    try makeClash()
    let outcome = try script(
      "PATH='\(Product.directory)'; topic renumber --apply --scope root specs")
    #expect(outcome.code == 69 && outcome.output.isEmpty, "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.hasSuffix("hint: install git\n"), "\(outcome.error)")
    #expect(directory.entries("specs") == ["001_a", "002_a", "002_b", "002_c", "002_d"])
  }

  @Test("The repository's filters do not run, so none can delay or fail a renumbering")
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
}
