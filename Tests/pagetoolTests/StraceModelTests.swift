import PageTrace
import Testing

@testable import Strace

/// Random calls of one process, against a model that knows of each 4 KiB what they are.
@Suite struct StraceModelTests {
  /// A process that calls at random, and the kernel that answers.
  struct Model {
    enum Use: Equatable {
      case run(Int, half: Int)
      case reserved
      case other
    }

    var random: SplitMix
    var pages: [Int: Use] = [:]
    /// How many pages of 4 KiB each run has, and where it begins, when it is whole.
    var runs: [(base: Int, count: Int)] = []
    var lines: [String] = []
    var purged = 0
    var peak = 0
    /// The end of the heap, in pages; the heap lies above all else.
    var heapEnd = 1 << 20

    static let space = 200

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    /// The pages of 8 KiB that are live, by run.
    var live: [Int: Set<Int>] {
      var live: [Int: Set<Int>] = [:]
      for case .run(let run, let half) in pages.values { live[run, default: []].insert(half / 2) }
      return live
    }

    func isFree(_ range: Range<Int>) -> Bool { range.allSatisfy { pages[$0] == nil } }

    mutating func allocate(_ range: Range<Int>) {
      for page in range { pages[page] = .run(runs.count, half: page - range.lowerBound) }
      runs.append((range.lowerBound, range.count))
    }

    func hex(_ page: Int) -> String { "0x" + String(page * 4096, radix: 16) }

    /// A range of the space; in three of four cases one that is mapped from its first page on.
    mutating func range() -> Range<Int> {
      let count = number(1...20)
      var start = number(1...Self.space - 20)
      if number(0...3) > 0 {
        let mapped = pages.keys.filter { $0 < Self.space - 20 }.sorted()
        if !mapped.isEmpty { start = mapped[number(0...mapped.count - 1)] }
      }
      return start..<start + count
    }

    mutating func step() {
      let range = range()
      let (start, length) = (hex(range.lowerBound), range.count * 4096)
      switch number(0...11) {
      case 0...3:
        map(range)
      case 4, 5:
        for page in range { pages[page] = nil }
        lines.append("munmap(\(start), \(length)) = 0")
      case 6:
        close(range)
        lines.append("mprotect(\(start), \(length), PROT_NONE) = 0")
      case 7, 8:
        open(range)
        lines.append("mprotect(\(start), \(length), PROT_READ|PROT_WRITE) = 0")
      case 9:
        discard(range)
        lines.append("madvise(\(start), \(length), MADV_DONTNEED) = 0")
      case 10: moveHeapEnd()
      default: remap(range)
      }
      peak = max(peak, live.values.map(\.count).reduce(0, +))
    }

    private mutating func map(_ range: Range<Int>) {
      let isFixed = !isFree(range)
      for page in range { pages[page] = nil }
      let kind = number(0...9)
      if kind < 6 {
        allocate(range)
      } else {
        for page in range { pages[page] = kind < 9 ? .reserved : .other }
      }
      let flags = "MAP_PRIVATE" + (isFixed ? "|MAP_FIXED" : "") + (kind < 9 ? "|MAP_ANONYMOUS" : "")
      lines.append(
        "mmap(NULL, \(range.count * 4096 - number(0...4095)), "
          + "\(kind < 6 ? "PROT_READ|PROT_WRITE" : "PROT_NONE"), \(flags), -1, 0) = "
          + hex(range.lowerBound))
    }

    private mutating func close(_ range: Range<Int>) {
      for page in range {
        if case .run = pages[page] { pages[page] = .reserved }
      }
    }

    private mutating func open(_ range: Range<Int>) {
      var page = range.lowerBound
      while page < range.upperBound {
        var end = page
        while end < range.upperBound, pages[end] == .reserved { end += 1 }
        if end > page { allocate(page..<end) }
        page = max(end, page + 1)
      }
    }

    private mutating func discard(_ range: Range<Int>) {
      // A page is purged when none of its halves that are live is outside of the range.
      var inside: [Int: Set<Int>] = [:]
      var outside: [Int: Set<Int>] = [:]
      for (page, use) in pages {
        guard case .run(let run, let half) = use else { continue }
        if range.contains(page) {
          inside[run, default: []].insert(half / 2)
        } else {
          outside[run, default: []].insert(half / 2)
        }
      }
      for (run, halves) in inside {
        purged += halves.subtracting(outside[run, default: []]).count
      }
    }

    private mutating func moveHeapEnd() {
      let wanted = max(1 << 20, heapEnd + number(-6...8))
      if wanted > heapEnd { allocate(heapEnd..<wanted) }
      for page in wanted..<max(wanted, heapEnd) { pages[page] = nil }
      heapEnd = wanted
      lines.append("brk(\(hex(wanted))) = \(hex(wanted))")
    }

    /// Of a range that is a single use, as the kernel wants it.
    private mutating func remap(_ range: Range<Int>) {
      guard case .run(let run, let half) = pages[range.lowerBound] else { return }
      let start = range.lowerBound
      var end = start
      while end < range.upperBound, pages[end] == .run(run, half: half + end - start) { end += 1 }
      let old = start..<end
      let isWhole = half == 0 && old.count == runs[run].count
      let count = number(1...20)
      var target = start
      if !(count <= old.count || isFree(old.upperBound..<start + count)) || number(0...2) == 0 {
        target = number(1...Self.space - 20)
        if (target..<target + count).overlaps(old) { return }
      }
      let new = target..<target + count
      if isWhole {
        for page in old { pages[page] = nil }
        for (index, page) in new.enumerated() { pages[page] = .run(run, half: index) }
        runs[run] = (target, count)
      } else if target == start {
        for page in new.upperBound..<max(new.upperBound, old.upperBound) { pages[page] = nil }
        if count > old.count { allocate(old.upperBound..<new.upperBound) }
      } else {
        for page in old { pages[page] = nil }
        allocate(new)
      }
      lines.append(
        "mremap(\(hex(start)), \(old.count * 4096), \(count * 4096), MREMAP_MAYMOVE) = "
          + hex(target))
    }
  }

  @Test(arguments: 0..<150 as Range<UInt64>)
  func randomCalls(seed: UInt64) throws {
    var model = Model(random: SplitMix(state: seed))
    model.lines.append("brk(NULL) = \(model.hex(model.heapEnd))")
    for _ in 0..<120 { model.step() }
    let conversion = try StraceTests.conversion(model.lines)
    guard let process = conversion.largest else {
      #expect(model.runs.isEmpty)
      return
    }
    let labels = TraceWriter.Labels(
      name: "", program: "", version: "", command: "", arch: "", note: "")
    let trace = try ProgramTrace(parsing: process.writer.file(labels))
    #expect(trace.runCount == model.runs.count)
    #expect(trace.header.peakLivePages == model.peak)
    var live: [Int: Set<Int>] = [:]
    for event in trace.closingFrees {
      live[Int(event.run), default: []].formUnion(
        Int(event.offset)..<Int(event.offset + event.pageCount))
    }
    #expect(live == model.live)
    let purged = trace.events.filter { $0.kind == .purge }.reduce(0) { $0 + Int($1.pageCount) }
    #expect(purged == model.purged)
  }
}
