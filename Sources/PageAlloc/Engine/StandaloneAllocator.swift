import SysMem

/// A page allocator with tables of its own and no memory behind its pages: for tests and checks.
package final class StandaloneAllocator {
  private let tables: AllocatorTables
  /// The allocator.
  package var allocator: PageAllocator

  /// An allocator of nothing, for a kernel with such pages.
  ///
  /// - Throws: the kernel refused memory for the tables.
  package init(
    kernelPages: KernelPages = KernelPages(physicalPageSize: 4096, hugePageSize: 0),
    calls: any MemoryCalls = LinuxCalls()
  ) throws(SysMemError) {
    var tables = try AllocatorTables.sysInit(system: SysMem(calls: calls), headByteCount: 0)
    tables.mapChunks(0..<Geometry.chunkCount)
    allocator = PageAllocator(tables: tables, kernelPages: kernelPages)
    self.tables = tables
  }
}
