import Testing

@testable import CommandLine

/// The text of help pages, in print.
@Suite struct MarkupTests {
  @Test("Paragraphs and items are wrapped, and literals are neither broken nor left bare")
  func paragraphs() {
    let markup = Markup(
      """
      Run `topic help names` and read on,
      please.

      - one
      - two words
        more
      """)
    #expect(
      markup.text(width: 24) == """
        Run 'topic help names'
        and read on, please.

        - one
        - two words more

        """)
  }

  @Test("Terms have their meanings beside them, in one column; sections are indented")
  func terms() {
    let markup = Markup(
      """
      * `a`: The first
        letter.
      * `bcd`: Others.

      # More

      Some text.

          $ code
      """)
    #expect(
      markup.text(width: 17) == """
          a    The first
               letter.
          bcd  Others.

        More:
          Some text.

            $ code

        """)
  }

  @Test("A section that is a list is not indented twice")
  func list() {
    #expect(Markup("# Terms\n\n* a: One.").text(width: 40) == "Terms:\n  a  One.\n")
  }

  @Test("A label that is too long stands on a line of its own")
  func longLabels() {
    let label = String(repeating: "x", count: 30)
    let list = Markup.list([(label, "Long."), ("y", "Short.")], column: 8, width: 40)
    #expect(list == "  \(label)\n        Long.\n  y     Short.\n")
  }
}
