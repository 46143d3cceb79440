// swift-tools-version: 6.2
import PackageDescription

// To be built by build.sh: only where PAGEALLOC_BENCHMARKS is set does the package above offer the
// products `PageBench` and `SVG`.

let swiftSettings: [SwiftSetting] = [.strictMemorySafety()]

let package = Package(
  name: "Benchmarks",
  dependencies: [
    .package(name: "PageAlloc", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    // `make bench`: all rivals, all workloads, the report.
    .executableTarget(
      name: "bench",
      dependencies: [
        .product(name: "PageAlloc", package: "PageAlloc"),
        .product(name: "PageBench", package: "PageAlloc"),
        .product(name: "SVG", package: "PageAlloc"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),
    // `make bench-gate`: one hot operation, to be run under callgrind.
    .executableTarget(
      name: "hotpath",
      dependencies: [.product(name: "PageBench", package: "PageAlloc")],
      swiftSettings: swiftSettings),
  ],
  swiftLanguageModes: [.v6]
)
