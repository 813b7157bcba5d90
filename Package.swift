// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "topic-alloc",
  platforms: [.macOS(.v13)],
  targets: [
    .target(name: "POSIX"),
    .target(name: "TestSupport", dependencies: ["POSIX"], path: "Tests/TestSupport"),
    .testTarget(name: "POSIXTests", dependencies: ["POSIX", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
