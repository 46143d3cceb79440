// The figures of an arena, for whoever watches servers: by swift-metrics, to any of its backends.
//
// By hand there is only what the kernel says of the whole process, which takes it a walk through
// all page tables; the arena counts as it goes.

import CoreMetrics
import Foundation
import PageAlloc
import PageAllocMetrics
import Support

/// What a program gets by hand: resident memory, from /proc/self/smaps_rollup.
func residentByKernel() throws -> Int {
  let text = try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)
  for line in text.split(separator: "\n") where line.hasPrefix("Rss:") {
    return (Int(line.split(separator: " ")[1]) ?? 0) << 10
  }
  return 0
}

@main
enum MetricsExporterExample {
  static func main() throws {
    let arena = try PageArena(scavenging: .manual, label: "frames")
    let backend = TextMetrics()
    let metrics = ArenaMetrics(factory: backend)

    // 200 MiB, half of which stay in use.
    var kept: [SharedPageRun] = []
    for index in 0..<200 {
      var run = try arena.allocateRun(pages: 128)
      _ = run.initialize(of: UInt64.self) { output in
        while !output.isFull { output.append(UInt64(index)) }
      }
      kept.append(SharedPageRun(run))
    }
    kept.removeLast(100)
    metrics.record()
    let before = backend.lines
    let resident = try residentByKernel()
    try arena.releaseFreeMemory()
    metrics.record()
    let after = backend.lines

    func value(_ name: String, in lines: [String]) -> Int {
      let start = "pagealloc.\(name){label=\"frames\""
      guard let line = lines.first(where: { $0.hasPrefix(start) }) else { return -1 }
      return line.split(separator: " ").last.flatMap { Int($0) } ?? -1
    }
    require(value("inUseBytes", in: before) == 100 << 20, "in use before")
    require(value("inUseBytes", in: after) == 100 << 20, "in use after")
    require(value("requestedBytes", in: before) == 0, "given back before")
    require(value("requestedBytes", in: after) >= 99 << 20, "given back after")
    require(value("freeMaybeResidentBytes", in: after) == 0, "free after")
    require(after.count == arena.statistics.figures.count, "as many metrics as figures")
    let maybe = value("inUseBytes", in: before) + value("freeMaybeResidentBytes", in: before)
    require(resident >= maybe / 2, "\(resident) resident, \(maybe) counted")

    for line in after where line.contains(".inUse") || line.contains(".requested") { print(line) }
    print("\(after.count) metrics")
    let rounds = 1000
    let ours = best { nanoseconds { for _ in 0..<rounds { metrics.record() } } }
    let byHand = try best {
      try nanoseconds { for _ in 0..<rounds { _ = try residentByKernel() } }
    }
    compare(
      "an export", ours / Double(rounds) / 1000, by: "/proc/self/smaps_rollup",
      byHand / Double(rounds) / 1000, unit: "µs")
    require(kept.count == 100, "what is in use")
  }
}
