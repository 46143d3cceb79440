/// A run out of a cache.
package struct CachedRun {
  private static let cleanFlag: UInt32 = 1 << 31
  /// The first page, and whether the pages read as zero.
  package let packed: UInt32

  @inline(__always)
  package init(packed: UInt32) { self.packed = packed }

  @inline(__always)
  package init(page: PageNumber, isClean: Bool) {
    packed = UInt32(truncatingIfNeeded: page) | (isClean ? Self.cleanFlag : 0)
  }

  @inline(__always)
  package var page: PageNumber { Int(packed & ~Self.cleanFlag) }

  /// All of its pages are known to read as zero.
  @inline(__always)
  package var isClean: Bool { packed & Self.cleanFlag != 0 }
}
