import Synchronization
import SysMem

/// A heap with tables and address space of its own, and no memory behind its pages: for tests and
/// checks, on one thread.
///
/// An object, as ``StandaloneTables`` is, and for the same reason.
package final class StandaloneHeap {
  /// The heap.
  package var heap: Heap
  private var growth: Growth
  private let system: SysMem

  /// An empty heap, which grows within so many bytes.
  ///
  /// - Throws: the kernel refused memory for the tables, or the address space.
  package init(
    _ plan: ScavengePlan = ScavengePlan(background: nil),
    kernelPages: KernelPages = KernelPages(physicalPageSize: 4096, hugePageSize: 0),
    byteCount: UInt64 = Reservation.minimumByteCount, calls: any MemoryCalls = LinuxCalls()
  ) throws(SysMemError) {
    let system = SysMem(calls: calls)
    let tables = try AllocatorTables.sysInit(system: system, headByteCount: CacheTally.byteCount)
    let growth = Growth(
      reservation: try Reservation.reserve(byteCount, from: system), tables: tables)
    // The head is zero, and here for the tally alone.
    let tally = unsafe CacheTally(at: growth.tables.address(of: .head))
    heap = Heap(
      growth, plan, kernelPages: kernelPages, runs: growth.tables.runs,
      tally: tally, checks: nil)
    self.growth = growth
    self.system = system
  }

  deinit { growth.reservation.free(to: system, preparedByteCount: 0, readyByteCount: 0) }

  /// Where the heap would grow for a run; `nil` where there is no address space for it.
  package func place(
    for pageCount: Int, _ alignment: PageAllocator.Alignment
  ) -> GrowthPlace? {
    growth.place(for: pageCount, alignment, heap)
  }

  /// Grows the heap, in its bookkeeping alone.
  ///
  /// - Throws: the kernel refused memory for the tables.
  package func grow(_ place: GrowthPlace) throws(SysMemError) {
    growth.tables.mapChunks(place.chunks)
    growth.reservation.didGrow(piece: place.piece, to: place.chunks.upperBound)
    heap.grow(place, growth)
  }
}
