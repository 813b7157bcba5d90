import POSIX

/// Puts a plan together from its pieces: brings the tasks in their order, finds what they name.
struct PlanAssembly {
  private var plan: Plan
  private var defects: [PlanDefect]

  init(_ plan: Plan, _ defects: [PlanDefect]) {
    self.plan = plan
    self.defects = defects
  }

  mutating func assemble(
    _ goal: Bytes, _ tasks: [Plan.Task], _ groups: [(group: Plan.Group, ids: [String])]
  ) -> (Plan, [PlanDefect]) {
    plan.goal = String(decoding: goal, as: UTF8.self)
    order(unique(tasks), groups)
    resolve()
    if defects.isEmpty { defects = plan.cycles() }
    return (plan, defects)
  }

  private mutating func unique(_ tasks: [Plan.Task]) -> [String: Plan.Task] {
    var byID: [String: Plan.Task] = [:]
    byID.reserveCapacity(tasks.count)
    for task in tasks {
      if let first = byID[task.id] {
        defects.append(PlanDefect(task.line, .taskTwice(task.id, first: first.line)))
      } else {
        byID[task.id] = task
      }
    }
    return byID
  }

  private mutating func order(
    _ tasks: [String: Plan.Task], _ groups: [(group: Plan.Group, ids: [String])]
  ) {
    var rest = tasks
    var lines: [String: Int] = [:]
    for (place, row) in groups.enumerated() {
      var group = row.group
      let start = plan.tasks.count
      for id in row.ids {
        if let first = lines[id] {
          defects.append(PlanDefect(group.line, .idTwice(id, first: first)))
          continue
        }
        lines[id] = group.line
        guard var task = rest.removeValue(forKey: id) else {
          defects.append(PlanDefect(group.line, .noSuchTask(id)))
          continue
        }
        task.group = place
        plan.tasks.append(task)
      }
      group.tasks = start..<plan.tasks.count
      plan.groups.append(group)
    }
    for task in rest.values.sorted(by: { $0.line < $1.line }) {
      defects.append(PlanDefect(task.line, .inNoGroup(task.id)))
      plan.tasks.append(task)
    }
  }

  private mutating func resolve() {
    guard plan.tasks.contains(where: { !$0.named.isEmpty }) else { return }
    var places: [String: Int] = [:]
    for (place, task) in plan.tasks.enumerated() { places[task.id] = place }
    for place in plan.tasks.indices {
      var found: [Int] = []
      for (id, line) in plan.tasks[place].named {
        if let dependency = places[id] {
          if !found.contains(dependency) { found.append(dependency) }
        } else {
          defects.append(PlanDefect(line, .noSuchDependency(id, of: plan.tasks[place].id)))
        }
      }
      plan.tasks[place].dependencies = found
    }
  }
}
