import SysMem

/// Which pages of a run may hold something, copied under the lock for use outside of it.
package struct DirtMap {
  /// Pages that the map has room for: 32 MiB. Longer runs go back to the kernel instead of being
  /// cleared.
  ///
  /// By time alone, clearing in place always wins where the caller touches all of it. In
  /// microseconds, on Linux 6.18 with 4 KiB pages (in parentheses: memory backed by huge pages):
  ///
  ///     size       clear           give back      give back, touch all
  ///     8 KiB      0.1             1.1            4.1
  ///     128 KiB    1.2             7.6            47
  ///     2 MiB      25 (24)         128 (7)        890 (46)
  ///     8 MiB      148 (94)        534 (19)       3,740 (182)
  ///     32 MiB     1,050 (611)     2,330 (187)    15,500 (5,800)
  ///     64 MiB     1,550 (1,270)   4,020 (360)    29,100 (13,300)
  ///
  /// What giving back saves is memory: of a long run the caller may touch little for long, and
  /// until then it costs nothing. From 32 MiB on that is worth at most 1.3 ms more before the call
  /// returns.
  package static var pageCapacity: Int { 64 * 64 }

  // Bit i: page i of the run is known to be zero.
  private var clean = InlineArray<64, UInt64>(repeating: 0)

  /// Nothing is known to be zero.
  package init() {}

  /// Copies the scavenged bits of a run which is about to be taken.
  ///
  /// - Complexity: O(`pageCount` / 64); nothing for runs beyond the capacity.
  package mutating func read(
    _ page: PageNumber, _ pageCount: Int, _ allocator: borrowing PageAllocator
  ) {
    if pageCount > Self.pageCapacity { return }
    var index = 0
    while index < pageCount {
      // 64 bits from any page on: two words, of which the second may be beyond the run.
      let first = page &+ index
      let shift = UInt64(truncatingIfNeeded: first & 63)
      var word = scavengedWord(at: first, allocator) &>> shift
      let next = (first | 63) &+ 1
      if shift != 0, next < page &+ pageCount {
        word |= scavengedWord(at: next, allocator) &<< (64 &- shift)
      }
      clean[index >> 6] = word
      index &+= 64
    }
  }

  /// Calls `body` with each stretch of pages of a run that may hold something.
  package func forEachDirtyRun(pageCount: Int, _ body: (Range<Int>) -> Void) {
    var index = 0
    while index < pageCount {
      if isZero(index) {
        index &+= 1
        continue
      }
      let start = index
      while index < pageCount, !isZero(index) { index &+= 1 }
      body(start..<index)
    }
  }

  private func isZero(_ index: Int) -> Bool {
    clean[index >> 6] &>> UInt64(truncatingIfNeeded: index & 63) & 1 != 0
  }

  private func scavengedWord(
    at page: PageNumber, _ allocator: borrowing PageAllocator
  ) -> UInt64 {
    allocator.chunk(Geometry.chunk(of: page)).scavenged.word(Geometry.place(of: page) >> 6)
  }
}
