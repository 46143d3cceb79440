/// Sixteen free runs of one size: what goes from one cache to another, half of a stack as it lies
/// there.
///
/// The name and the idea are those of Bonwick and Adams, "Magazines and Vmem".
package struct Magazine {
  private let runs: InlineArray<16, UInt32>
  private let size: UInt8

  /// Runs in a magazine.
  package static var capacity: Int { 16 }
  /// The longest run that magazines are made of, in pages; longer ones come from the allocator one
  /// by one.
  package static var longestRun: Int { 16 }

  /// A magazine of runs of a size.
  ///
  /// - Parameters:
  ///   - size: pages of each run, 1 ... 127.
  ///   - run: the run at a place, 0 ..< 16; a cache hands out the one at the highest place first.
  @inline(__always)
  package init(of size: Int, run: (Int) -> CachedRun) {
    self.size = UInt8(truncatingIfNeeded: size)
    runs = InlineArray { run($0).packed }
  }

  /// The pages of each run.
  @inline(__always)
  package var pagesPerRun: Int { Int(size) }

  /// The pages of all runs.
  @inline(__always)
  package var pageCount: Int { Self.pageCount(of: pagesPerRun) }

  /// The pages of a magazine of runs of a size.
  @inline(__always)
  package static func pageCount(of size: Int) -> Int { size &* capacity }

  /// The run at a place, 0 ..< 16.
  @inline(__always)
  package subscript(place: Int) -> CachedRun {
    assert(place >= 0 && place < Self.capacity)
    // In range, by the assertion. A checked access would copy the whole array to read from it.
    return unsafe CachedRun(packed: runs[unchecked: place])
  }
}
