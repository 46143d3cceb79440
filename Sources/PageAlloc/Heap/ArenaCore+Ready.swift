import SysMem

// The system's figures (SysMem) follow the heap's under the lock that guards those, and not when
// the kernel was told. So nobody gives pages back before the figures know that somebody had them,
// and a fork finds both in agreement.

extension ArenaCore {
  /// Pages that cost nothing until now were taken, in this stay under the heap lock.
  @inline(__always)
  func makeReady(_ scavengedPages: Int) {
    if scavengedPages != 0 {
      withSystem { $0.sysUsed(byteCount: Self.byteCount(scavengedPages)) }
    }
  }

  /// Gives a run back whose pages the kernel has already: they read as zero, and cost nothing.
  func giveBackEmpty(_ run: Range<PageNumber>, to heap: inout Heap) {
    heap.giveBackEmpty(run)
    withSystem { $0.sysUnused(byteCount: Self.byteCount(run.count)) }
  }
}
