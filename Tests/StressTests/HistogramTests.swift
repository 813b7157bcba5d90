import TestSupport
import Testing

@testable import StressHarness

@Suite(.timeLimit(.minutes(20))) struct HistogramTests {
  @Test("Percentiles are right within one part in 128, extremes and mean exactly")
  func percentiles() {
    var random = seededRandom()
    for _ in 0..<20 {
      let bound = UInt64.random(in: 1...(1 << 40), using: &random)
      let values = (0..<5_000).map { _ in UInt64.random(in: 0...bound, using: &random) }.sorted()
      var histogram = Histogram()
      for value in values { histogram.add(value) }
      for share in [0, 0.01, 0.5, 0.95, 0.99, 1] {
        let exact = values[max(Int((share * 5_000).rounded(.up)), 1) - 1]
        let error = abs(Double(histogram.percentile(share)) - Double(exact))
        #expect(error <= Double(exact) / 128, "\(share) of values up to \(bound)")
      }
      #expect(histogram.lowest == values.first && histogram.highest == values.last)
      #expect(
        histogram.count == 5_000 && histogram.counts(between: [bound / 2]).reduce(0, +) == 5_000)
    }
  }

  @Test("Nothing, the lowest and the highest values are counted")
  func extremes() {
    var histogram = Histogram()
    #expect(histogram.percentile(0.5) == 0 && histogram.mean == 0)
    histogram.add(.max)
    #expect(histogram.percentile(0.5) == .max)
    histogram.add(0)
    #expect(histogram.percentile(0.5) == 0 && histogram.counts(between: [1]) == [1, 1])
  }
}
