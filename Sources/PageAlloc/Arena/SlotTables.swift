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
  private static var headerCount: Int { 2 }

  /// A table by its address, as far as its header; `nil` for 0. The list, and a thread, name those
  /// that are mapped.
  private static func header(at address: UInt) -> MappedTable<cts_slot>? {
    address == 0 ? nil : unsafe MappedTable(at: address, count: headerCount)
  }

  private static var headerByteCount: UInt { UInt(headerCount * MemoryLayout<cts_slot>.stride) }

  /// Makes this thread's table twice as long, or as long as is needed.
  ///
  /// - Returns: `false`, with nothing changed, where the kernel has no memory for it.
  static func grow(for place: Int) -> Bool {
    let stride = MemoryLayout<cts_slot>.stride
    let oldCount = Int(ThisThread.record.table_count)
    let least = Int(csm_page_size()) / stride
    var count = max(2 * (oldCount + headerCount), least)
    while count - headerCount <= place - Int(CTS_NEAR_SLOTS) { count *= 2 }
    let mapped = csm_mmap(0, UInt(count * stride), PROT_READ | PROT_WRITE, 0, 1)
    if mapped.error != 0 { return false }
    // As many slots as were mapped.
    let table = unsafe MappedTable<cts_slot>(at: mapped.value, count: count)
    table[1].arena = UInt(count)
    for index in 0..<oldCount {
      table[headerCount + index] = ThisThread[slot: Int(CTS_NEAR_SLOTS) + index]
    }
    drop()
    ThisThread.record.table = mapped.value + headerByteCount
    ThisThread.record.table_count = UInt(count - headerCount)
    ArenaRegistry.withLock {
      table[0] = cts_slot(arena: ArenaRegistry.record.tables, cache: 0)
      if let next = header(at: ArenaRegistry.record.tables) { next[0].cache = mapped.value }
      ArenaRegistry.record.tables = mapped.value
    }
    return true
  }

  /// Unmaps this thread's table, if it has one.
  static func drop() {
    if ThisThread.record.table == 0 { return }
    let address = ThisThread.record.table - headerByteCount
    guard let table = header(at: address) else { return }
    ThisThread.record.table = 0
    ThisThread.record.table_count = 0
    ArenaRegistry.withLock {
      let (next, previous) = (table[0].arena, table[0].cache)
      if let before = header(at: previous) {
        before[0].arena = next
      } else {
        ArenaRegistry.record.tables = next
      }
      if let after = header(at: next) { after[0].cache = previous }
    }
    unmap(table, at: address)
  }

  /// In a child of `fork`: unmaps the tables of threads that stayed behind. The registry's lock is
  /// held.
  static func dropOthers() {
    var kept: UInt = 0
    var position = ArenaRegistry.record.tables
    while let table = header(at: position) {
      let next = table[0].arena
      if position + headerByteCount == ThisThread.record.table {
        kept = position
        table[0] = cts_slot(arena: 0, cache: 0)
      } else {
        unmap(table, at: position)
      }
      position = next
    }
    ArenaRegistry.record.tables = kept
  }

  private static func unmap(_ table: MappedTable<cts_slot>, at address: UInt) {
    // Mapped by `grow`, with its length in the header.
    _ = csm_munmap(address, table[1].arena * UInt(MemoryLayout<cts_slot>.stride))
  }
}
