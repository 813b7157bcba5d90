import Foundation
import POSIX
import StressHarness
import TestSupport
import Testing

@testable import Git

/// Merge bases, compared with those that git finds one by one.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Product.hasProgram("git"))) struct MergeBaseTests {
  let directory = TemporaryDirectory()

  /// A random history as a stream for git-fast-import(1): commits have up to three parents, and
  /// their times are out of order.
  private func history(_ random: inout some RandomNumberGenerator, commits: Int) -> String {
    var text = ""
    for mark in 1...commits {
      let time = 1_000 + mark * 10 + Int.random(in: -40...40, using: &random)
      text += "commit refs/heads/c\(mark)\nmark :\(mark)\ncommitter x <x@x> \(time) +0000\ndata 0\n"
      let recent = (max(1, mark - 12)..<max(mark, 1)).shuffled(using: &random)
      let parents = recent.prefix(Int.random(in: 1...10, using: &random) / 4 + 1)
      // Now and then an unrelated root commit.
      if mark % 19 == 0 { continue }
      for (index, parent) in parents.enumerated() {
        text += "\(index == 0 ? "from" : "merge") :\(parent)\n"
      }
    }
    return text
  }

  @Test(
    "The merge bases of many commits match those that git finds for each pair",
    .timeLimit(.minutes(20)))
  func sameAsGit() throws {
    let seed = UInt64.random(in: 0...(.max))
    var random = SplitMix64(seed: seed)
    let commits = 60
    _ = try run(["git", "init", "-q", "-b", "main", "."], in: directory.path)
    _ = try run(
      ["git", "fast-import", "--quiet"], in: directory.path,
      input: Data(history(&random, commits: commits).utf8))
    // Not by GitCommand, which waits for signals of the whole process.
    func git(_ words: [String], _ input: [Bytes] = []) throws -> [Bytes] {
      let text = String(decoding: input.flatMap { $0 + [.newline] }, as: UTF8.self)
      let outcome = try run(["git"] + words, in: directory.path, input: Data(text.utf8))
      return outcome.lines.map { Bytes($0) }
    }
    let list = try run(
      ["git", "for-each-ref", "--format=%(objectname)", "refs/heads"], in: directory.path)
    let all = list.lines.map { Bytes($0) }
    #expect(all.count == commits)
    for head in [all[5], all[31], all[58]] {
      func answer(_ commit: Bytes) -> Bytes? {
        let words = ["merge-base"] + [head, commit].map { String(decoding: $0, as: UTF8.self) }
        return try? git(words).first
      }
      let bases = try CommitGraph.mergeBases(
        of: all, with: head,
        list: { options, commits throws(GitError) in
          let words =
            ["rev-list", "--timestamp", "--parents", "--topo-order"] + options + ["--stdin"]
          let lines = (try? git(words, commits)) ?? []
          return Bytes(lines.joined(separator: [.newline]))
        }, ask: { commit throws(GitError) in answer(commit) })
      for (commit, base) in zip(all, bases) { #expect(base == answer(commit), "seed \(seed)") }
    }
  }
}
