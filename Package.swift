// swift-tools-version: 6.0
import PackageDescription

// A process start is the product: linked statically and without Foundation it costs a third of
// what the dynamic one does (only Linux has static executables). An executable that the linker
// writes through a mapping lies in the page cache page by page and takes more page faults to start
// (93, and 62 when write(2) put it there, counted with perf stat), hence the last option.
let staticExecutable: [LinkerSetting] = [
  .unsafeFlags(
    ["-static-executable", "-Xlinker", "--no-mmap-output-file"], .when(platforms: [.linux]))
]

// shell/build.sh names a file here from which the linker lays the functions that a start runs side by
// side, so that it touches fewer pages: after the program fell out of the page cache, an allocation
// takes 1.33 times what C takes instead of 1.5. Only gold takes names of sections. topic gains nothing.
let startupOrder = Context.environment["STARTUP_ORDER"]
let orderedStart: [LinkerSetting] =
  startupOrder.map { order in
    [
      .unsafeFlags(
        ["-use-ld=gold", "-Xlinker", "--section-ordering-file", "-Xlinker", order],
        .when(platforms: [.linux], configuration: .release))
    ]
  } ?? []

// No program has more than one thread, so reference counts need no atomic instructions. Tests run in
// several, on a debug build. A function needs a section of its own to be laid elsewhere.
let releaseSettings: [SwiftSetting] = [
  .unsafeFlags(
    ["-Xfrontend", "-assume-single-threaded"]
      + (startupOrder == nil ? [] : ["-Xfrontend", "-function-sections"]),
    .when(configuration: .release))
]

let package = Package(
  name: "topic-alloc",
  platforms: [.macOS(.v13)],
  products: [
    .executable(name: "topic-alloc", targets: ["topic-alloc"]),
    .executable(name: "topic", targets: ["topic"]),
    .executable(name: "topic-stress", targets: ["topic-stress"]),
  ],
  targets: [
    .target(name: "CSystem"),
    .target(name: "POSIX", dependencies: ["CSystem"]),
    .target(name: "JSON", dependencies: ["POSIX"]),
    .target(name: "TopicAllocation", dependencies: ["POSIX"]),
    .target(name: "Git", dependencies: ["POSIX"]),
    .target(name: "TopicLedger", dependencies: ["Git", "TopicAllocation", "POSIX"]),
    .target(name: "Runs", dependencies: ["JSON", "POSIX"]),
    .target(name: "Plans", dependencies: ["JSON", "POSIX"]),
    .target(name: "Metrics", dependencies: ["Runs", "JSON", "POSIX"]),
    .target(name: "Costs", dependencies: ["Runs", "JSON", "POSIX"]),
    .target(
      name: "CommandLine", dependencies: ["TopicLedger", "TopicAllocation", "Git", "JSON", "POSIX"]),
    .executableTarget(
      name: "topic-alloc",
      dependencies: ["CommandLine", "TopicLedger", "TopicAllocation", "POSIX"],
      linkerSettings: staticExecutable + orderedStart),
    .executableTarget(
      name: "topic",
      dependencies: [
        "CommandLine", "TopicLedger", "Plans", "Metrics", "Costs", "Git", "Runs", "TopicAllocation",
        "JSON", "POSIX",
      ],
      linkerSettings: staticExecutable),
    .target(
      name: "StressHarness",
      dependencies: ["CommandLine", "Metrics", "Runs", "TopicAllocation", "JSON", "POSIX"],
      path: "stress/harness"),
    .executableTarget(
      name: "topic-stress",
      dependencies: ["StressHarness", "CommandLine", "POSIX"],
      path: "stress/topic-stress", linkerSettings: staticExecutable),
    .target(
      name: "TestSupport", dependencies: ["StressHarness", "POSIX"], path: "Tests/TestSupport"),
    .testTarget(name: "POSIXTests", dependencies: ["POSIX", "TestSupport"]),
    .testTarget(
      name: "TopicAllocationTests", dependencies: ["TopicAllocation", "POSIX", "TestSupport"]),
    .testTarget(
      name: "GitTests", dependencies: ["Git", "StressHarness", "POSIX", "TestSupport"]),
    .testTarget(name: "TopicLedgerTests", dependencies: ["TopicLedger", "POSIX"]),
    .testTarget(name: "JSONTests", dependencies: ["JSON", "POSIX", "TestSupport"]),
    .testTarget(name: "RunsTests", dependencies: ["Runs", "POSIX", "TestSupport"]),
    .testTarget(name: "PlansTests", dependencies: ["Plans", "POSIX", "TestSupport"]),
    .testTarget(
      name: "MetricsTests", dependencies: ["Metrics", "Runs", "JSON", "POSIX", "TestSupport"]),
    .testTarget(
      name: "CostsTests", dependencies: ["Costs", "JSON", "POSIX", "TestSupport"]),
    .testTarget(
      name: "CommandLineTests",
      dependencies: ["CommandLine", "TopicAllocation", "POSIX", "TestSupport"]),
    .testTarget(
      name: "StressTests", dependencies: ["StressHarness", "JSON", "POSIX", "TestSupport"]),
    .testTarget(name: "ToolTests", dependencies: ["StressHarness", "POSIX", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .test && target.name != "TestSupport" {
  target.swiftSettings = releaseSettings
}
