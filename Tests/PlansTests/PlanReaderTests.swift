import POSIX
import TestSupport
import Testing

@testable import Plans

/// A plan with this between its head and its only task `a`.
private func plan(_ middle: String, groups: String = "| Group 1 | a |") -> PlanReading {
  Plan.read(Bytes("**Goal:** g\n\n\(groups)\n\n\(middle)\n\n### Task a: last\nend\n"))
}

private func ids(_ reading: PlanReading) -> [String] { reading.plan.tasks.map(\.id) }

@Suite(.timeLimit(.minutes(20))) struct PlanReaderTests {
  @Test("A plan has its goal, its groups, and its tasks in the order of the groups")
  func whole() throws {
    let reading = Plan.read(
      Bytes(
        """
        \u{FEFF}# Plan\r
        **Goal:** One line\r
        and another <!-- not this -->\r
        **Architecture:** other\r
        \r
        | Group | Tasks | Notes |\r
        |---|:--|---|\r
        | Group 1 | 1.1, `b` | at once \\| or not |\r
        | **Group 3** | Task größe |\r

        ### Task b : B ##\r
        \r
        First.\r
        \r
        role:  reviewer\r
        **Timeout:** 5\r
        #### Step\r
        \r
        ## Notes
        ### task größe
        **Depends on**: 1.1, Task b
        ### Task 1.1 - Schema
        """))
    #expect(reading.defects.isEmpty, "\(reading.defects)")
    let plan = reading.plan
    #expect(plan.goal == "One line and another")
    #expect(plan.tasks.map(\.id) == ["1.1", "b", "größe"])
    #expect(plan.tasks.map(\.description) == ["Schema", "B", ""])
    #expect(plan.groups.map(\.number) == [1, 3] && plan.groups.map(\.tasks) == [0..<2, 2..<3])
    #expect(plan.tasks[1].timeout == 5 && plan.tasks[1].role == "reviewer")
    #expect(plan.tasks[0].timeout == 600 && plan.tasks[0].role == nil)
    let instructions = String(decoding: plan.instructions(plan.tasks[1]), as: UTF8.self)
    #expect(instructions == "First.\n\nrole:  reviewer\n**Timeout:** 5\n#### Step")
    #expect(plan.tasks[2].dependencies == [0, 1] && plan.dependencies(plan.tasks[2]) == [0, 1])
    #expect(plan.instructions(plan.tasks[0]).isEmpty)
  }

  /// In each of these, the heading `### Task x` is text.
  static let hiding = [
    "```\n### Task x\n```", "~~~~\n~~~\n### Task x\n~~~~", "````md\n```\n### Task x\n```\n````",
    "   ```\n### Task x\n  ```   ", "```\n### Task x\n    ```\n### Task x\n```",
    "~~~ a`b\n### Task x\n~~~", "```\n~~~\n### Task x\n```", "```\n### Task x\n``` no end\n```",
    "<!-- ### Task x -->", "<!--\n\n### Task x\n\n-->", "text\n<!-- a\n### Task x\n--> ### Task x",
    "<!--\n```\n-->\n```\n### Task x\n```", "> ### Task x", ">### Task x", "> a\n> ### Task x",
    "> ```\n> ### Task x\n> ```", "   > ### Task x", "    ### Task x", "\t### Task x",
    "- a\n  ### Task x", "1. a\n\n   ### Task x", "- ```\n  ### Task x\n  ```",
    "10. ```\n    ### Task x\n    ```", "- a\n\n  - b\n\n    ### Task x", "- ### Task x",
    "<pre>\n\n### Task x\n\n</pre>", "<SCRIPT>\n### Task x\n</script>", "<?\n### Task x\n?>",
    "<![CDATA[\n### Task x\n]]>", "#### Task x", "## Task x", "#Task x", "### Tasks x", "###Task x",
    "\\### Task x", "text ### Task x", "*\n  ### Task x", "- a\n\n      ### Task x",
  ]

  @Test("A heading inside something else is text", arguments: hiding)
  func hidden(middle: String) {
    let reading = plan(middle)
    #expect(ids(reading) == ["a"] && reading.defects.isEmpty, "\(reading.defects)")
  }

  /// In each of these, it is a heading.
  @Test(
    "A heading after the end of something else counts",
    arguments: [
      "```\n```\n### Task x", "~~~\n```\n~~~~~\n### Task x", "``` a`b\n### Task x\n",
      "``\n### Task x\n``", "<!-- a -->\n### Task x", "<!-->\n### Task x", "> ```\n### Task x",
      "> <!--\n### Task x", "- ```\n### Task x", "- a\n### Task x", "1. a\n   ```\n### Task x",
      "   ### Task x", "text\n### Task x", "### Task x ###", "###\tTask\tx", "### Task `x`",
      "<div>\n\n### Task x", "- a\n\n### Task x", "--- \n### Task x", "* * *\n### Task x",
      "`code\n### Task x\n`", "    ```\n### Task x", "text <!-- a\n### Task x",
      "### Task x <!-- y -->",
    ])
  func shown(middle: String) {
    let reading = plan(middle, groups: "| Group 1 | a, x |")
    #expect(ids(reading) == ["a", "x"] && reading.defects.isEmpty, "\(reading.defects)")
  }

  @Test("A row of the table inside something else is text", arguments: hiding)
  func hiddenRow(middle: String) {
    guard middle.contains("### Task x"), !middle.hasPrefix("\\"), !middle.hasPrefix("text #") else {
      return
    }
    let reading = plan(middle.replacing("### Task x", with: "| Group 2 | x |"))
    #expect(reading.plan.groups.count == 1 && reading.defects.isEmpty, "\(reading.defects)")
  }

  @Test("A row that continues the text of a quote or a list is text, as renderers show it")
  func lazyRow() {
    for before in ["> text", "- text", "> - text", "1. text\nmore"] {
      #expect(plan(before + "\n| Group 2 | x |").defects.isEmpty, "\(before)")
      #expect(plan(before + "\n\n| Group 2 | x |").defects.count == 1, "\(before)")
    }
  }

  @Test("A task ends before a heading of its level or above, underlined ones included")
  func ends() {
    for heading in ["# N", "## N", "### N", "N\n===", "N\nM\n---"] {
      let text =
        "**Goal:** g\n\n| Group 1 | a |\n\n### Task a\nbody\n\n\(heading)\n\nother\nRole: x"
      let reading = Plan.read(Bytes(text))
      #expect(reading.defects.isEmpty)
      #expect(reading.plan.instructions(reading.plan.tasks[0]) == Bytes("body"), "\(heading)")
      #expect(reading.plan.tasks[0].role == nil)
    }
  }

  @Test("Fields inside something else are text")
  func hiddenFields() {
    let body = "```\nRole: x\n```\n> Role: x\n\n- Role: x\n\n    Role: x\n\n<!-- Role: x -->\n"
    let text = "**Goal:** g\n\n| Group 1 | a |\n\n### Task a\n" + body
    #expect(Plan.read(Bytes(text)).plan.tasks.map(\.role) == [nil])
  }

  @Test("All defects are found at once, each with its line")
  func defects() {
    let reading = Plan.read(
      Bytes(
        """
        # Plan
        | Group 2 | a, b, a |
        | Group 1 | c/d |
        | Group 1 | e |
        ### Task a
        Timeout: soon
        ### Task e
        Depends on: none
        ### Task e
        ### Task f
        Depends on: zz
        ### Task: no id
        """))
    #expect(
      reading.defects == [
        PlanDefect(1, .noGoal), PlanDefect(2, .noSuchTask("b")),
        PlanDefect(2, .idTwice("a", first: 2)), PlanDefect(3, .groupOrder(1, after: 2)),
        PlanDefect(3, .badID("c/d")), PlanDefect(3, .emptyGroup(1)),
        PlanDefect(4, .groupOrder(1, after: 1)), PlanDefect(6, .badTimeout("soon")),
        PlanDefect(9, .taskTwice("e", first: 7)), PlanDefect(10, .inNoGroup("f")),
        PlanDefect(11, .noSuchDependency("zz", of: "f")), PlanDefect(12, .badID("Task: no id")),
      ])
    #expect(Plan.read([]).defects == [PlanDefect(1, .noGoal), PlanDefect(1, .noTask)])
    let latin = Bytes("**Goal:** g\n\n| Group 1 | a |\n\n### Task a\nx") + [0xFF]
    #expect(Plan.read(latin).defects == [PlanDefect(6, .notUTF8)])
  }

  @Test(
    "Tasks that wait for each other are reported as a path",
    arguments: [
      ("| Group 1 | a |", "a: a", ["a", "a"]),
      ("| Group 1 | a, b |", "a: b; b: a", ["a", "b", "a"]),
      ("| Group 1 | a, b, c, d |", "a: b; b: c; c: d; d: b", ["b", "c", "d", "b"]),
      ("| Group 1 | a |\n| Group 2 | b |", "a: b", ["a", "b", "a"]),
      ("| Group 1 | a |\n| Group 2 | b |\n| Group 3 | c |", "a: c", ["a", "c", "b", "a"]),
      ("| Group 1 | a, b, c, d |", "a: b, c; b: d; c: d", []),
      ("| Group 1 | a, b |\n| Group 2 | c |", "a: b; c: a", []),
    ])
  func cycles(groups: String, edges: String, path: [String]) {
    var text = "**Goal:** g\n\n\(groups)\n"
    let named = edges.split(separator: ";").map { $0.split(separator: ":") }
    for id in ["a", "b", "c", "d"] where groups.contains(id) {
      text += "\n### Task \(id)\n"
      for edge in named where edge[0].contains(id) { text += "Depends on:\(edge[1])\n" }
    }
    let reading = Plan.read(Bytes(text))
    #expect(reading.defects.map(\.kind) == (path.isEmpty ? [] : [.cycle(path)]))
  }

  @Test("Whatever the bytes, reading ends, and every defect has a line of the text")
  func random() {
    var random = seededRandom()
    let pieces: [Bytes] =
      [
        "### Task ", "a", "b", ": ", "\n", "\n", "| Group 1 | a |", "| Group ", "2", "|", "```",
        "~~~",
        "<!--", "-->", "> ", "- ", "1. ", "    ", "\t", "**Goal:** ", "Depends on: ", "\r\n", "\\",
        "**",
        "---", "===", "<pre>", "é",
      ].map { Bytes($0) } + [[0xFF], [0], [0xC3], [0xE2, 0x80]]
    for round in 0..<4_000 {
      var text = Bytes()
      for _ in 0..<Int.random(in: 0..<60, using: &random) {
        let piece = pieces[Int.random(in: 0..<pieces.count, using: &random)]
        text += round % 4 == 0 ? [UInt8.random(in: 0...255, using: &random)] : piece
      }
      let reading = Plan.read(text)
      let lines = text.count { $0 == .newline } + 1
      #expect(reading.defects.allSatisfy { (1...lines).contains($0.line) }, "\(text)")
      for task in reading.plan.tasks { _ = reading.plan.instructions(task) }
      _ = (reading.plan.mermaid(), reading.plan.dot())
    }
  }
}
