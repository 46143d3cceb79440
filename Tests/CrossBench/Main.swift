// The benchmarks where there is no full Swift: our arena against the C library that the program is
// linked with, and the kernel, as Embedded Swift on i386.
//
//     crossbench          a table; Benchmarks/README.md tells what the rows are

import CSysMem
import PageBench

@main
struct CrossBench {
  static func main() {
    let rivals: [(name: StaticString, rival: Rival)] = [
      ("PageArena", .arena(.automatic)), ("glibc", .functions(.libc(release: nil))),
      ("mmap", .mmap),
    ]
    print("Nanoseconds an operation, p50 (median of \(rounds) rounds), one process, interleaved.")
    print(
      left("", 18) + right("PageArena", 11) + right("glibc", 11) + right("mmap", 11)
        + right("ratio", 9))
    for row in rows {
      var medians: [[Double]] = [[], [], []]
      for _ in 0..<rounds {
        for index in rivals.indices {
          let effort = Effort(nanoseconds: 20_000_000, singleOperations: 0)
          let figures = measure(row.workload, on: rivals[index].rival, effort)
          if figures.refusals == 0 { medians[index].append(figures.p50) }
        }
      }
      print(line(row.name, medians.map(median)))
    }
    print("")
    print("The engine alone, mean nanoseconds")
    for bench in EngineBench.all {
      let figures = bench.measure(Effort(nanoseconds: 20_000_000, singleOperations: 0))
      print(left(bench.name, 40) + right(decimal(figures.least), 11))
    }
  }

  private static let rounds = 3

  private static var rows: [(name: String, workload: Workload)] {
    var list: [(name: String, workload: Workload)] = []
    for pages in [1, 2, 4, 8, 16, 64, 512, 2_048] {
      list.append(("pair/\(pages)", .pair(pages: pages)))
    }
    list.append(("churn/1", .churn(.fixed(1), live: 4_096)))
    list.append(("churn/1..32", .churn(.upTo(32), live: 1_024)))
    for percent in [5, 50, 95] {
      list.append(("occupancy/\(percent)%", .occupancy(percent: percent, held: 8_192)))
    }
    list.append(("checkerboard/1", .checkerboard(pages: 1, held: 8_192)))
    list.append(("touch/1", .touch(pages: 1)))
    list.append(("touch/16", .touch(pages: 16)))
    list.append(("zeroed/16", .zeroed(pages: 16)))
    list.append(("threads/1", .threads(1, live: 64)))
    list.append(("threads/2", .threads(2, live: 64)))
    list.append(("handover/1", .handover))
    return list
  }

  private static func line(_ name: String, _ medians: [Double?]) -> String {
    var text = left(name, 18)
    for value in medians { text += right(value.map(decimal) ?? "-", 11) }
    if let ours = medians[0] {
      var best = Double.infinity
      for value in medians.dropFirst() { if let value, value < best { best = value } }
      if best > 0, best < .infinity { text += right(hundredths(ours / best), 9) }
    }
    return text
  }

  /// `nil` where there is nothing.
  private static func median(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.sorted()[values.count / 2]
  }
}

// MARK: - Columns. Embedded Swift has no formatting of fractions, and no `round` without libm.

private func decimal(_ value: Double) -> String {
  let tenths = Int(value * 10 + 0.5)
  return value >= 1_000 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
}

private func hundredths(_ value: Double) -> String {
  let hundredths = Int(value * 100 + 0.5)
  return "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10)"
}

private func left(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.utf8.count))
}

private func right(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.utf8.count)) + text
}
