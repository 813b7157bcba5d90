// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "topic-alloc",
  platforms: [.macOS(.v13)],
  targets: [
    .target(name: "POSIX"),
    .target(name: "TopicAllocation", dependencies: ["POSIX"]),
    .target(name: "TestSupport", dependencies: ["POSIX"], path: "Tests/TestSupport"),
    .testTarget(name: "POSIXTests", dependencies: ["POSIX", "TestSupport"]),
    .testTarget(
      name: "TopicAllocationTests", dependencies: ["TopicAllocation", "POSIX", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
