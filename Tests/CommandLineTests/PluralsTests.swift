import CommandLine
import Testing

@Suite(.timeLimit(.minutes(20))) struct PluralsTests {
  @Test("Ordinal numbers end as they are spoken")
  func ordinals() {
    let ordinals = [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 21, 22, 23, 101, 111, 112, 113, 1_002]
    #expect(
      ordinals.map(\.ordinal) == [
        "0th", "1st", "2nd", "3rd", "4th", "10th", "11th", "12th", "13th", "14th", "21st", "22nd",
        "23rd", "101st", "111th", "112th", "113th", "1002nd",
      ])
  }

  @Test("Only one is singular")
  func plurals() {
    #expect([0, 1, 2].map { counted($0, "line") } == ["0 lines", "1 line", "2 lines"])
    #expect([1, 2].map { counted($0, "batch", "batches") } == ["1 batch", "2 batches"])
  }
}
