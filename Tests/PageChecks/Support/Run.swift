import CSysMem
import CTestSystem
import PageAlloc
import SysMem

/// Pages that a check got from an arena, to write, to read and to free.
@safe
package struct Run: Equatable, Sendable {
  // Invariant: the check touches the memory only while the run, or the part of it, is allocated.
  nonisolated(unsafe) private let base: UnsafeMutableRawPointer
  /// How many.
  package let pages: Int

  private static let wordsPerPage = PageArena.pageSize / MemoryLayout<UInt64>.size

  /// The `pages` pages from `base` on.
  package init(_ base: UnsafeMutableRawPointer, pages: Int) {
    unsafe self.base = base
    self.pages = pages
  }

  /// The same pages.
  package static func == (a: Run, b: Run) -> Bool { a.address == b.address && a.pages == b.pages }

  /// The address of the first page.
  package var address: UInt { unsafe UInt(bitPattern: base) }

  /// As many pages, or others, from page `first` of this run on; not always inside of it.
  package func part(_ first: Int, _ count: Int) -> Run {
    unsafe Run(base + first * PageArena.pageSize, pages: count)
  }

  /// A pointer to some byte, to be given to the arena wrongly.
  package func misaligned(by bytes: Int) -> Run { unsafe Run(base + bytes, pages: pages) }

  /// The first page, for calls that take a pointer.
  package var pointer: UnsafeMutableRawPointer { unsafe base }

  private var words: UnsafeMutablePointer<UInt64> {
    unsafe base.assumingMemoryBound(to: UInt64.self)
  }

  /// Writes a value at the start and the end of every page.
  package func stamp(_ value: UInt64) {
    for page in 0..<pages {
      // Both words lie in the run.
      unsafe words[page * Self.wordsPerPage] = value &+ UInt64(page)
      unsafe words[page * Self.wordsPerPage + Self.wordsPerPage - 1] = ~value
    }
  }

  /// Whether what `stamp` wrote is still there.
  package func isStamped(_ value: UInt64) -> Bool {
    for page in 0..<pages {
      if unsafe words[page * Self.wordsPerPage] != value &+ UInt64(page) { return false }
      if unsafe words[page * Self.wordsPerPage + Self.wordsPerPage - 1] != ~value { return false }
    }
    return true
  }

  /// Whether all of it is zero.
  package var isZero: Bool {
    var bits: UInt64 = 0
    for word in 0..<(pages * Self.wordsPerPage) { bits |= unsafe words[word] }
    return bits == 0
  }

  /// Bytes of it that are resident, by `mincore`: the kernel is asked, not the arena. -1 where it
  /// refused.
  package var residentBytes: Int {
    let size = Int(csm_page_size())
    var flags = [UInt8](repeating: 0, count: (pages * PageArena.pageSize + size - 1) / size)
    // One byte a physical page of the range.
    let error = unsafe flags.withUnsafeMutableBufferPointer {
      unsafe ctest_mincore(address, pages * PageArena.pageSize, $0.baseAddress)
    }
    return error == 0 ? flags.count { $0 & 1 != 0 } * size : -1
  }
}

/// Makes an arena, or records why there is none.
///
/// Nothing goes back in the background, unless asked for, so that figures can be compared exactly.
/// - Parameter caching: whether threads keep freed runs at hand, as by default; without, every run
///   goes to the lowest place and every free to the allocator at once.
package func makeArena(
  _ recorder: inout Recorder, calls: any MemoryCalls = LinuxCalls(), byteCount: UInt64? = nil,
  caching: Bool = true, scavenging: PageArena.Scavenging = .manual,
  limit: PageArena.MemoryLimit = .none
) -> PageArena? {
  var options = PageArena.Options(calls: calls)
  if !caching { options.threadCacheByteCount = 0 }
  if let byteCount { options.reservedByteCount = byteCount }
  options.scavenging = scavenging
  options.memoryLimit = limit
  return makeArena(&recorder, options)
}

/// Makes an arena, or records why there is none.
package func makeArena(_ recorder: inout Recorder, _ options: PageArena.Options) -> PageArena? {
  do throws(PageArenaError) {
    return try PageArena(options)
  } catch {
    recorder.fail("no arena: \(error.description)")
    return nil
  }
}

extension PageArena.Cache {
  /// Takes a run.
  mutating func run(
    _ pages: Int, alignment: Int = PageArena.pageSize
  ) throws(PageArenaError) -> Run {
    unsafe Run(try allocate(pages: pages, alignment: alignment), pages: pages)
  }

  /// The error that a free ends with; `nil` where it is fine.
  mutating func errorOfGiving(_ run: Run) -> PageArenaError? {
    errorThrown { () throws(PageArenaError) in
      unsafe try deallocate(run.pointer, pages: run.pages)
    }
  }
}

/// Gives a body a handle of an arena.
func withCache(
  of arena: PageArena, _ recorder: inout Recorder,
  _ body: (inout PageArena.Cache, inout Recorder) throws(PageArenaError) -> Void
) {
  do throws(PageArenaError) {
    var cache = try arena.makeCache()
    try body(&cache, &recorder)
  } catch { recorder.fail(error.description) }
}
