// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target of the package: Swift 6, strict memory safety, spans with lifetimes.
let swiftSettings: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableExperimentalFeature("Lifetimes"),
]

var products: [Product] = [
  .library(name: "PageAlloc", targets: ["PageAlloc"]),
  .library(name: "PageAllocMetrics", targets: ["PageAllocMetrics"]),
  .executable(name: "pagetool", targets: ["pagetool"]),
]
// What the package in Benchmarks is made of; nobody else is offered it.
if Context.environment["PAGEALLOC_BENCHMARKS"] != nil {
  products.append(.library(name: "PageBench", targets: ["PageBench", "PageRivals", "CBench"]))
  products.append(.library(name: "SVG", targets: ["SVG"]))
}

let package = Package(
  name: "PageAlloc",
  products: products,
  traits: [
    .trait(name: "Metrics", description: "PageAllocMetrics, which feeds swift-metrics.")
  ],
  dependencies: [
    // For the command line alone; the library has no dependencies.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // With the trait of its name alone; nobody else fetches it.
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
  ],
  targets: [
    // The library, bottom up: each target uses only those before it.
    .systemLibrary(name: "CSysMem", providers: [.apt(["libc6-dev"])]),
    .target(name: "SysMem", dependencies: ["CSysMem"], swiftSettings: swiftSettings),
    .target(name: "CThreadSlots"),
    .target(name: "CDiagnosis"),
    .target(
      name: "PageAlloc", dependencies: ["SysMem", "CThreadSlots", "CDiagnosis"],
      swiftSettings: swiftSettings),

    // The figures of arenas for swift-metrics: empty without the trait.
    .target(
      name: "PageAllocMetrics",
      dependencies: [
        "PageAlloc",
        .product(
          name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
      ],
      swiftSettings: swiftSettings),

    // The door for C: libpagealloc is built of these, by Sources/CPageAlloc/library.sh.
    .target(name: "CPageAlloc", exclude: ["library.sh", "pagealloc.pc.in"]),
    .target(
      name: "PageDoor", dependencies: ["PageAlloc", "SysMem", "CPageAlloc"],
      swiftSettings: swiftSettings),

    // Trace files and the command line.
    .target(name: "SVG", swiftSettings: swiftSettings),
    .target(name: "PageTrace", dependencies: ["PageAlloc", "SVG"], swiftSettings: swiftSettings),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "Gzip", dependencies: ["CZlib"], swiftSettings: swiftSettings),
    // What strace prints, made a page trace.
    .target(name: "Strace", dependencies: ["PageTrace"], swiftSettings: swiftSettings),
    .executableTarget(
      name: "pagetool",
      dependencies: [
        "PageTrace", "Gzip", "Strace", "PageBench", "PageRivals", "CBench",
        // For the version alone.
        "CPageAlloc",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Pictures", "Workloads"],
      swiftSettings: swiftSettings),

    // The loops of the benchmarks; they need the engine, which no other package sees.
    .target(name: "PageBench", dependencies: ["PageTrace"], swiftSettings: swiftSettings),
    // Other allocators, each measured in a process of its own. CBench is what Swift cannot call by
    // itself: fork, functions found by dlsym, and the state of the standard output.
    .target(name: "CBench"),
    .target(
      name: "PageRivals", dependencies: ["PageBench", "CBench"], swiftSettings: swiftSettings),
    .executableTarget(
      name: "crossbench", dependencies: ["PageBench"], path: "Tests/CrossBench",
      swiftSettings: swiftSettings),

    // The checks are values, so that Swift Testing runs them on x86_64 and a small
    // Embedded Swift executable, `crosscheck`, runs the same ones on the targets of Tests/Cross.
    .systemLibrary(name: "CTestSystem", path: "Tests/CTestSystem"),
    .target(
      name: "PageChecks", dependencies: ["PageTrace", "SVG", "CDiagnosis", "CTestSystem"],
      path: "Tests/PageChecks", swiftSettings: swiftSettings),
    .executableTarget(
      name: "crosscheck", dependencies: ["PageChecks"], path: "Tests/CrossCheck",
      swiftSettings: swiftSettings),
    // The checks of PageAllocMetrics: `make test-metrics`.
    .executableTarget(
      name: "metricscheck",
      dependencies: [
        "PageAllocMetrics", "PageChecks",
        .product(
          name: "MetricsTestKit", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
      ],
      path: "Tests/Metrics", exclude: ["metrics.sh"], swiftSettings: swiftSettings),
    // What libFuzzer feeds, and the tests with what it found: `make fuzz`.
    .target(
      name: "FuzzTargets", dependencies: ["PageChecks", "PageTrace", "Gzip", "Strace"],
      path: "Tests/FuzzTargets", swiftSettings: swiftSettings),
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz", exclude: ["fuzz.sh"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "PageAllocTests", dependencies: ["PageChecks", "PageTrace", "Gzip", "FuzzTargets"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "pagetoolTests",
      dependencies: ["pagetool", "PageTrace", "Gzip", "Strace", "PageRivals"],
      swiftSettings: swiftSettings),
  ],
  swiftLanguageModes: [.v6]
)
