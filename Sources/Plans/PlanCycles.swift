extension Plan {
  /// The search stops here; nobody reads more.
  private static let mostCycles = 20

  /// The tasks that wait for each other: a path for each dependency that closes a cycle.
  ///
  /// Besides the tasks, the graph has a node for each group, which waits for its tasks and for the
  /// group before. So it has no more edges than the plan has words. The search is that of Tarjan's
  /// "Depth-first search and linear graph algorithms" (1972), without recursion.
  func cycles() -> [PlanDefect] {
    // Without a dependency on a later task, there is no cycle.
    let leadsForward = tasks.indices.contains { place in
      tasks[place].dependencies.contains { $0 >= place }
    }
    guard leadsForward else { return [] }
    var found: [PlanDefect] = []
    // 0: not seen yet; 1: on the path; 2: done.
    var states = [UInt8](repeating: 0, count: tasks.count + groups.count)
    for start in tasks.indices where states[start] == 0 && found.count < Self.mostCycles {
      var path = [(node: start, next: 0)]
      states[start] = 1
      while let (node, next) = path.last {
        guard let other = edge(of: node, next) else {
          states[node] = 2
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        if states[other] == 0 {
          states[other] = 1
          path.append((other, 0))
        } else if states[other] == 1, found.count < Self.mostCycles,
          let place = path.firstIndex(where: { $0.node == other })
        {
          found.append(cycle(path[place...].map(\.node).filter { $0 < tasks.count }))
        }
      }
    }
    return found
  }

  /// The node at this place among those that `node` waits for.
  private func edge(of node: Int, _ number: Int) -> Int? {
    if node < tasks.count {
      let task = tasks[node]
      if number < task.dependencies.count { return task.dependencies[number] }
      guard number == task.dependencies.count, let group = task.group, group > 0 else {
        return nil
      }
      return tasks.count + group - 1
    }
    let group = node - tasks.count
    let members = groups[group].tasks
    if number < members.count { return members.lowerBound + number }
    return number == members.count && group > 0 ? node - 1 : nil
  }

  /// The cycle, beginning at its first task in the plan. Its line is that of the first dependency
  /// that one of its tasks names.
  private func cycle(_ nodes: [Int]) -> PlanDefect {
    let first = nodes.indices.min { nodes[$0] < nodes[$1] } ?? 0
    let ordered = nodes[first...] + nodes[..<first]
    let named = ordered.first { !tasks[$0].named.isEmpty }.map { tasks[$0].named[0].line }
    let ids = (ordered + ordered.prefix(1)).map { tasks[$0].id }
    return PlanDefect(named ?? tasks[nodes[first]].line, .cycle(ids))
  }
}
