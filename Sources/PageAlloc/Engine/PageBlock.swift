/// A block of 64 pages taken out of the allocator at once, to be handed out with no lock held.
///
/// ```
///   free       1 = free to hand out          bit 0 is the page `base`, a multiple of 64
///   scavenged  1 = was given back to the kernel
/// ```
/// To the allocator all its free pages are in use until the cache is flushed.
@usableFromInline
package struct PageBlock: Equatable, Sendable {
  /// The first page of the block.
  @usableFromInline package var base: PageNumber
  /// Pages that can be handed out.
  @usableFromInline package var free: UInt64
  /// Pages that read as zero.
  @usableFromInline package var scavenged: UInt64

  /// A cache of nothing.
  package init() { self.init(base: 0, free: 0, scavenged: 0) }

  /// A cache of the block at `base`.
  package init(base: PageNumber, free: UInt64, scavenged: UInt64) {
    self.base = base
    self.free = free
    self.scavenged = scavenged
  }

  /// Whether nothing is left to hand out, whatever `scavenged` says.
  @inlinable package var isEmpty: Bool { free == 0 }

  /// Hands out the lowest run of `pageCount` pages.
  ///
  /// - Parameter pageCount: 1 ... 64.
  /// - Returns: its first page and how many of its pages were scavenged; `nil`, with nothing
  ///   changed, where there is no such run.
  /// - Complexity: O(log `pageCount`).
  @inlinable @inline(__always)
  package mutating func allocate(
    _ pageCount: Int
  ) -> (page: PageNumber, scavengedPages: Int)? {
    if free == 0 { return nil }
    // A page, which is asked for most, without the steps of a run: on i386 they cost a third more.
    let lowest = pageCount == 1 ? free.trailingZeroBitCount : firstRun(of: pageCount, in: free)
    guard let first = lowest else { return nil }
    return take(from: first, pageCount)
  }

  /// Hands out `pageCount` pages that are free, from the place `first` on.
  ///
  /// - Parameter pageCount: 1 ... 64.
  /// - Returns: the first page and how many of the pages were scavenged.
  /// - Complexity: O(1).
  @inlinable @inline(__always)
  package mutating func take(
    from first: Int, _ pageCount: Int
  ) -> (page: PageNumber, scavengedPages: Int) {
    let taken = mask(from: first, count: pageCount)
    let clean = (scavenged & taken).nonzeroBitCount
    free &= ~taken
    scavenged &= ~taken
    return (base &+ first, clean)
  }
}
