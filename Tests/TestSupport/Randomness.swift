import Foundation
import StressHarness

/// A random number generator that prints its seed. `TEST_SEED=NUMBER swift test --filter NAME`
/// repeats a run.
package func seededRandom(_ test: StaticString = #function) -> SplitMix64 {
  let given = ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) }
  let seed = given ?? .random(in: 0..<1_000_000_000)
  print("\(test): TEST_SEED=\(seed)")
  return SplitMix64(seed: seed)
}
