/// A run out of a cache.
package struct CachedRun {
  private static let zeroFlag: UInt32 = 1 << 31
  /// The first page, and whether the pages read as zero.
  package let packed: UInt32

  @inline(__always)
  package init(packed: UInt32) { self.packed = packed }

  @inline(__always)
  package init(page: PageNumber, isZero: Bool) {
    packed = UInt32(truncatingIfNeeded: page) | (isZero ? Self.zeroFlag : 0)
  }

  @inline(__always)
  package var page: PageNumber { Int(packed & ~Self.zeroFlag) }

  /// All of its pages are known to read as zero.
  @inline(__always)
  package var isZero: Bool { packed & Self.zeroFlag != 0 }
}
