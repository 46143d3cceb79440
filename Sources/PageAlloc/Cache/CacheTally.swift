import Synchronization

// What the caches of an arena hold
// ================================
//
// A walk over the caches would cost more the more threads there are, so there are running counts,
// as the kernel's `percpu_counter` is one:
//
//   a cache      charged 200 pages, of which it told 120    quiet while charged stays in 0 ... 456
//   the tally    | caches made | first cache's count | ... | sixteenth's | all others' count |
//
// The first caches have a count each, which is written by who may touch the cache alone, and so
// without an atomic addition: that costs as much as all else of a long run.
//
// The owner of a cache tells the difference when its charge has moved by more than a batch, and
// exactly whenever it comes by the heap lock. Long runs are told one by one. The hot runs come and
// go without a word: that path has no instruction to spare.
//
// So for each cache the count is off by a batch (2 MiB) at the most, and by the hot runs (under 1
// MiB each) that were taken or freed since the cache told last. A reading adds the counts up one
// after the other: what moves from one to another meanwhile it may see twice, or not at all.

/// The pages in all caches of an arena, as far as their owners told of them.
///
/// Anybody reads it at any time and without an order: it is a figure alone.
@safe
package struct CacheTally {
  // Invariant: so many lines, initialized, which live as long as the arena and its caches.
  private let lines: UnsafeMutableRawPointer

  /// The most pages by which the charge of a cache moves without a word: 2 MiB. With half of that
  /// the owner would stop to tell at every fourth run of 64 pages.
  package static var batch: Int { 256 }
  /// Caches that have a count of their own.
  package static var ownCounts: Int { 16 }
  /// Bytes of a line of the processor's cache, which no two counts share.
  private static var lineByteCount: Int { 64 }
  private static var lineCount: Int { 1 + ownCounts + 1 }
  /// Bytes of a tally.
  package static var byteCount: Int { lineCount * lineByteCount }

  /// The tally at an address.
  ///
  /// - Precondition: ``byteCount`` bytes lie there, zero at first, as long as there are caches.
  @unsafe
  package init(at address: UInt) { unsafe lines = PageSpace.memory(at: address) }

  /// What was told: in the midst of changes any number, and negative as well.
  ///
  /// - Complexity: O(1), 17 counts.
  package var pages: Int {
    (1..<Self.lineCount).reduce(0) { $0 &+ count($1).value }
  }

  /// No cache holds anything, nor is there a thread that would tell of it.
  func reset() {
    for line in 1..<Self.lineCount { count(line).set(0) }
  }

  /// Where one more cache tells what it holds.
  func takeCount() -> CacheCount {
    let index = count(0).addAtomically(1)
    return index < Self.ownCounts ? count(1 + index) : others
  }

  /// Says that caches hold so many pages more than they do.
  func misstate(by pages: Int) { others.add(pages) }

  private var others: CacheCount { count(Self.lineCount - 1) }

  private func count(_ line: Int) -> CacheCount {
    precondition(line >= 0 && line < Self.lineCount)
    // One of the lines.
    return unsafe CacheCount(
      lines + line * Self.lineByteCount, isShared: line == Self.lineCount - 1)
  }
}

/// Where a cache tells what it holds: a count of its own, or the one that is shared.
@safe
struct CacheCount {
  // Invariant: of a tally.
  private let pages: UnsafePointer<Atomic<Int>>
  /// Others tell there, too.
  let isShared: Bool

  fileprivate init(_ line: UnsafeMutableRawPointer, isShared: Bool) {
    unsafe pages = UnsafePointer(line.assumingMemoryBound(to: Atomic<Int>.self))
    self.isShared = isShared
  }

  /// The cache holds so many pages more than it told. For who may touch it.
  @inline(__always)
  func add(_ pages: Int) {
    if isShared { _ = addAtomically(pages) } else { set(value &+ pages) }
  }

  fileprivate var value: Int { unsafe pages.pointee.load(ordering: .relaxed) }

  @inline(__always)
  fileprivate func set(_ value: Int) { unsafe pages.pointee.store(value, ordering: .relaxed) }

  /// - Returns: what it was before.
  fileprivate func addAtomically(_ more: Int) -> Int {
    unsafe pages.pointee.wrappingAdd(more, ordering: .relaxed).oldValue
  }
}
