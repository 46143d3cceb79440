import SysMem

/// Tables without an allocator: for tests and checks.
///
/// Embedded Swift cannot destroy another module's non-copyable value that has a `deinit`; an object
/// that owns it can go anywhere.
package final class StandaloneTables {
  /// The tables.
  package var tables: AllocatorTables

  /// Maps tables.
  ///
  /// - Throws: the kernel refused; nothing stays behind.
  package init(
    system: SysMem, headByteCount: Int, annexByteCount: Int = 0
  ) throws(SysMemError) {
    tables = try AllocatorTables.sysInit(
      system: system, headByteCount: headByteCount, annexByteCount: annexByteCount)
  }
}
