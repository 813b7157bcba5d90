import POSIX

/// A plan of random groups. Some tasks also name a task that they depend on.
struct ClaimsPlan {
  let markdown: Bytes
  /// For each task, the tasks that must be done before it.
  let dependencies: [[Int]]

  /// Creates a plan of `count` tasks, named `t0`, `t1` and so on.
  init(tasks count: Int, _ random: inout SplitMix64) {
    var groups: [Range<Int>] = []
    while case let start = groups.last?.upperBound ?? 0, start < count {
      let size = Int.random(in: 1...max(count / 5, 1), using: &random)
      groups.append(start..<min(start + size, count))
    }
    var table = "# Plan\n\n**Goal:** Each task once\n\n| Group | Tasks |\n|---|---|\n"
    var sections = ""
    var dependencies: [[Int]] = []
    for (number, group) in groups.enumerated() {
      table += "| Group \(number + 1) | \(group.map { "t\($0)" }.joined(separator: ", ")) |\n"
      // A group waits for the one before it, and so for all earlier ones.
      let before = number > 0 ? Array(groups[number - 1]) : []
      for task in group {
        var named: [Int] = []
        if task > group.lowerBound, Int.random(in: 0..<5, using: &random) == 0 {
          named = [Int.random(in: group.lowerBound..<task, using: &random)]
        }
        dependencies.append(before + named)
        sections += "\n### Task t\(task): Part \(task)\n\nDo part \(task).\n"
        if let first = named.first { sections += "\nDepends on: t\(first)\n" }
      }
    }
    markdown = Bytes(table + sections)
    self.dependencies = dependencies
  }
}
