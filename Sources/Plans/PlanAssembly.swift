import POSIX

/// Assembles a plan from its pieces: puts the tasks in order and resolves the IDs that they name.
struct PlanAssembly {
  private var plan: Plan
  private var defects: [PlanDefect]

  init(_ plan: Plan, _ defects: [PlanDefect]) {
    self.plan = plan
    self.defects = defects
  }

  /// Where a task is in the text, and where in the plan.
  private struct Place {
    let found: Int
    var ordered: Int?
  }

  mutating func assemble(
    _ goal: Bytes, _ tasks: [Plan.Task], _ groups: [(group: Plan.Group, ids: [String])]
  ) -> (Plan, [PlanDefect]) {
    plan.goal = String(decoding: goal, as: UTF8.self)
    plan.tasks.reserveCapacity(tasks.count)
    var places = unique(tasks)
    order(tasks, groups, &places)
    resolve(places)
    if defects.isEmpty { defects = plan.cycles() }
    return (plan, defects)
  }

  private mutating func unique(_ tasks: [Plan.Task]) -> [String: Place] {
    var places: [String: Place] = [:]
    places.reserveCapacity(tasks.count)
    for (index, task) in tasks.enumerated() {
      if let first = places[task.id] {
        defects.append(
          PlanDefect(task.line, .taskTwice(task.id, first: tasks[first.found].line)))
      } else {
        places[task.id] = Place(found: index)
      }
    }
    return places
  }

  private mutating func order(
    _ tasks: [Plan.Task], _ groups: [(group: Plan.Group, ids: [String])],
    _ places: inout [String: Place]
  ) {
    // Only for IDs without a task; a task knows its own row.
    var lines: [String: Int] = [:]
    for (number, row) in groups.enumerated() {
      var group = row.group
      let start = plan.tasks.count
      for id in row.ids {
        let index = places.index(forKey: id)
        let ordered = index.flatMap { places.values[$0].ordered }
        if let first = ordered.map({ plan.tasks[$0].row }) ?? lines[id] {
          defects.append(PlanDefect(group.line, .idTwice(id, first: first)))
        } else if let index {
          var task = tasks[places.values[index].found]
          task.group = number
          task.row = group.line
          places.values[index].ordered = plan.tasks.count
          plan.tasks.append(task)
        } else {
          lines[id] = group.line
          defects.append(PlanDefect(group.line, .noSuchTask(id)))
        }
      }
      group.tasks = start..<plan.tasks.count
      plan.groups.append(group)
    }
    guard plan.tasks.count < places.count else { return }
    for (index, task) in tasks.enumerated() {
      guard let place = places[task.id], place.found == index, place.ordered == nil else {
        continue
      }
      defects.append(PlanDefect(task.line, .inNoGroup(task.id)))
      places[task.id]?.ordered = plan.tasks.count
      plan.tasks.append(task)
    }
  }

  private mutating func resolve(_ places: [String: Place]) {
    for place in plan.tasks.indices where !plan.tasks[place].named.isEmpty {
      var found: [Int] = []
      for (id, line) in plan.tasks[place].named {
        if let dependency = places[id]?.ordered {
          if !found.contains(dependency) { found.append(dependency) }
        } else {
          defects.append(PlanDefect(line, .noSuchDependency(id, of: plan.tasks[place].id)))
        }
      }
      plan.tasks[place].dependencies = found
    }
  }
}
