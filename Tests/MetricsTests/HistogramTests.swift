import Metrics
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct HistogramTests {
  @Test("Percentiles are within one part in 128; extremes and mean are exact")
  func percentiles() {
    var random = seededRandom()
    for _ in 0..<20 {
      let bound = UInt64.random(in: 1...(1 << 40), using: &random)
      let values = (0..<5_000).map { _ in Double(UInt64.random(in: 0...bound, using: &random)) }
        .sorted()
      var histogram = Histogram()
      for value in values { histogram.add(value) }
      let shares = [0, 0.01, 0.5, 0.95, 0.99, 1]
      for (share, found) in zip(shares, histogram.percentiles(shares) ?? []) {
        let exact = values[max(Int((share * 5_000).rounded(.up)), 1) - 1]
        #expect(abs(found - exact) <= exact / 128, "\(share) of values up to \(bound)")
      }
      #expect(histogram.shownPercentiles.map(\.name) == ["p50", "p95", "p99"])
      #expect(histogram.shownPercentiles.map(\.value) == histogram.percentiles([0.5, 0.95, 0.99]))
      #expect(histogram.lowest == values.first && histogram.highest == values.last)
      #expect(histogram.mean == values.reduce(0, +) / 5_000)
      let counts = histogram.counts(between: [Double(bound / 2)])
      #expect(histogram.count == 5_000 && counts.reduce(0, +) == 5_000)
    }
  }

  @Test("Whole numbers below 128 are exact")
  func small() {
    var histogram = Histogram()
    for value in 0..<128 { histogram.add(Double(value)) }
    #expect(
      histogram.counts(between: (1..<128).map(Double.init)) == Array(repeating: 1, count: 128))
    #expect(histogram.percentiles([0.5, 1]) == [63, 127])
  }

  @Test("No number, the lowest and the highest are counted")
  func extremes() {
    var histogram = Histogram()
    #expect(histogram.percentiles([0.5]) == nil && histogram.mean == 0)
    let highest = Double(UInt64.max)
    histogram.add(highest)
    #expect(histogram.percentiles([0.5]) == [highest])
    histogram.add(0)
    #expect(histogram.percentiles([0.5]) == [0] && histogram.counts(between: [1]) == [1, 1])
  }
}
