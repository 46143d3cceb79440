// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that what the programs need besides burdens nobody else. Each folder is
// one program; examples.sh builds all of them, runs them, and compares what they print with
// Expected.

let swiftSettings: [SwiftSetting] = [.strictMemorySafety(), .treatAllWarnings(as: .error)]

let pages: Target.Dependency = .product(name: "PageAlloc", package: "PageAlloc")

/// A program in a folder of its name.
func program(_ name: String, _ others: [Target.Dependency] = []) -> Target {
  .executableTarget(
    name: name, dependencies: ["Support", pages] + others, path: name,
    swiftSettings: swiftSettings)
}

let package = Package(
  name: "Examples",
  dependencies: [
    // The trait is for MetricsExporter alone.
    .package(name: "PageAlloc", path: "../..", traits: ["Metrics"]),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
  ],
  targets: [
    // How the programs check themselves, measure, and look at a child that is to fault.
    .target(name: "Support", path: "Support", swiftSettings: swiftSettings),
    program("BufferPool"),
    program("CodeSpace"),
    program("LinearMemory"),
    program("ColumnStore"),
    program("GuardedStacks"),
    program(
      "EchoServer",
      [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    program(
      "MetricsExporter",
      [
        .product(name: "PageAllocMetrics", package: "PageAlloc"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
