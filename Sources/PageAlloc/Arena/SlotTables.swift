import CSysMem
import CThreadSlots

// Tables of slots
// ===============
//
// A thread that uses more arenas than it has near slots has a table for the others, in memory of
// its own. All of them are in a list, which the registry's lock guards, so that a child of `fork`
// can unmap those of threads that it does not have.
//
//   | next, previous | this table's slots | slot | slot | ...
//     a header of two slots                 what a thread knows as its table

/// The tables of all threads.
enum SlotTables {
  private typealias Slots = UnsafeMutablePointer<cts_slot>

  private static var headerCount: Int { 2 }

  /// Makes a thread's table twice as long, or as long as is needed.
  ///
  /// - Returns: `false`, with nothing changed, where the kernel has no memory for it.
  static func grow(_ thread: inout cts_thread, for index: Int) -> Bool {
    let stride = MemoryLayout<cts_slot>.stride
    let least = Int(csm_page_size()) / stride
    var count = max(2 * (Int(thread.table_count) + headerCount), least)
    while count - headerCount <= index { count *= 2 }
    let mapped = csm_mmap(0, UInt(count * stride), PROT_READ | PROT_WRITE, 0, 1)
    guard mapped.error == 0, let table = unsafe Slots(bitPattern: mapped.value) else {
      return false
    }
    // As many slots as were mapped.
    unsafe table[1].arena = UInt(count)
    let slots = unsafe table + headerCount
    if let old = unsafe Slots(bitPattern: thread.table) {
      unsafe slots.update(from: old, count: Int(thread.table_count))
    }
    drop(&thread)
    thread.table = UInt(bitPattern: slots)
    thread.table_count = UInt(count - headerCount)
    ArenaRegistry.withLock {
      let registry = unsafe cts_registry_here()!
      unsafe table[0] = cts_slot(arena: registry.pointee.tables, cache: 0)
      if let next = unsafe Slots(bitPattern: registry.pointee.tables) {
        unsafe next[0].cache = mapped.value
      }
      unsafe registry.pointee.tables = mapped.value
    }
    return true
  }

  /// Unmaps a thread's table, if it has one.
  static func drop(_ thread: inout cts_thread) {
    guard let slots = unsafe Slots(bitPattern: thread.table) else { return }
    let table = unsafe slots - headerCount
    thread.table = 0
    thread.table_count = 0
    ArenaRegistry.withLock {
      // The list holds tables that are mapped.
      let (next, previous) = unsafe (table[0].arena, table[0].cache)
      if let before = unsafe Slots(bitPattern: previous) {
        unsafe before[0].arena = next
      } else {
        unsafe cts_registry_here()!.pointee.tables = next
      }
      if let after = unsafe Slots(bitPattern: next) { unsafe after[0].cache = previous }
    }
    unsafe unmap(table)
  }

  /// In a child of `fork`: unmaps the tables of threads that stayed behind. The registry's lock is
  /// held.
  static func dropOthers() {
    let registry = unsafe cts_registry_here()!
    let own = unsafe cts_thread_here()!.pointee.table
    var kept: UInt = 0
    var position = unsafe registry.pointee.tables
    while let table = unsafe Slots(bitPattern: position) {
      let next = unsafe table[0].arena
      if unsafe UInt(bitPattern: table + headerCount) == own {
        kept = position
        unsafe table[0] = cts_slot(arena: 0, cache: 0)
      } else {
        unsafe unmap(table)
      }
      position = next
    }
    unsafe registry.pointee.tables = kept
  }

  private static func unmap(_ table: Slots) {
    // Mapped by `grow`, with its length in the header.
    _ = unsafe csm_munmap(
      UInt(bitPattern: table), table[1].arena * UInt(MemoryLayout<cts_slot>.stride))
  }
}
