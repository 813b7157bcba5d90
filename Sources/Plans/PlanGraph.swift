extension Plan {
  /// Whoever has seen so many knows that more than one line is wrong.
  private static let mostCycles = 20

  /// Tasks that wait for each other, a path for each dependency that closes a circle.
  ///
  /// Beside the tasks, the graph has a node for each group, which waits for its tasks and for the group
  /// before; so it has no more edges than the plan has words. The search is that of Tarjan's
  /// "Depth-first search and linear graph algorithms" (1972), without recursion.
  func cycles() -> [PlanDefect] {
    // A dependency on a task of an earlier group or row closes nothing.
    let leadsForward = tasks.indices.contains { place in
      tasks[place].dependencies.contains { $0 >= place }
    }
    guard leadsForward else { return [] }
    var found: [PlanDefect] = []
    // 0: not yet seen; 1: on the path; 2: done.
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

  /// The `number`-th node for which `node` waits.
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

  /// The circle from the task on that comes first in the plan, told at the line of the first of its
  /// tasks that names a dependency.
  private func cycle(_ nodes: [Int]) -> PlanDefect {
    let first = nodes.indices.min { nodes[$0] < nodes[$1] } ?? 0
    let ordered = nodes[first...] + nodes[..<first]
    let named = ordered.first { !tasks[$0].named.isEmpty }.map { tasks[$0].named[0].line }
    let ids = (ordered + ordered.prefix(1)).map { tasks[$0].id }
    return PlanDefect(named ?? tasks[nodes[first]].line, .cycle(ids))
  }
}
