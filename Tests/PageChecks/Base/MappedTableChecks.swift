import CSysMem
import PageAlloc

/// A table in mapped memory, without an arena.
package let mappedTableChecks: [Check] = [
  Check("mapped table: each value lies at its place, and no other changes with it") { recorder in
    withTable(&recorder) { recorder, table, copy in
      recorder.expectEqual(table.count, 64, "values")
      for index in 0..<64 { recorder.expectEqual(table[index].address, 0, "zero at first") }
      for index in 0..<64 { table[index] = PageNote(address: UInt(index) &* 7, flag: 3) }
      table[0].address = .max
      table[63].flag &+= 1
      for index in 0..<64 {
        recorder.context = "value \(index)"
        recorder.expectEqual(table[index].address, index == 0 ? .max : UInt(index) * 7, "address")
        recorder.expectEqual(table[index].flag, index == 63 ? 4 : 3, "flag")
        // Both are views of the same memory.
        recorder.expectEqual(copy[index].address, table[index].address, "as the other view has it")
      }
    }
  },

  Check("mapped table: a range is filled, and found again by what it holds") { recorder in
    let values = 512
    let pageSize = UInt(csm_page_size())
    let mapped = csm_mmap(0, pageSize, PROT_READ | PROT_WRITE, 0, 1)
    if mapped.error != 0 { return recorder.fail("no memory") }
    defer { _ = csm_munmap(mapped.value, pageSize) }
    // As many as a page holds, all zero, and there until the check ends.
    let table = unsafe MappedTable<UInt64>(at: mapped.value, count: values)
    var random = SplitMix64(seed: 9)
    var model = [UInt64](repeating: 0, count: values)
    for step in 0..<2000 {
      recorder.context = "step \(step)"
      let first = random.below(values)
      let range = first..<(first + random.below(values - first + 1))
      let value = UInt64(random.below(3))
      table.fill(range, with: value)
      for index in range { model[index] = value }
      let from = random.below(values)
      let limit = from + 1 + random.below(values - from)
      let end = model[from..<limit].firstIndex { $0 != model[from] } ?? limit
      recorder.expect(table.equals(from: from, below: limit) == from..<end, "equal values")
    }
    for index in 0..<values { recorder.expectEqual(table[index], model[index], "value \(index)") }
  },
]

/// What an index out of range comes to: a child each.
package let mappedTableTrapChecks: [Check] = [
  Check("mapped table: an index that is out of range traps, read or written") { recorder in
    if leavesOutFork(&recorder) { return }
    withTable(&recorder) { recorder, table, _ in
      for index in [64, -1, .max, .min] {
        recorder.context = "index \(index)"
        let reads = inHeardChild(&recorder) { if table[index].flag == 9 { csm_yield() } }
        recorder.expect(reads.isTrap, "a read ends with \(reads.status)")
        let writes = inHeardChild(&recorder) { table[index].flag = 9 }
        recorder.expect(writes.isTrap, "a write ends with \(writes.status)")
      }
      // What the children were shown to do is done for the index, and for nothing else.
      let end = inHeardChild(&recorder) { table[63].flag = 9 }
      recorder.expectEqual(end.status, 7, "the last one's")
    }
  },

  Check("mapped table: none lies at address 0") { recorder in
    if leavesOutFork(&recorder) { return }
    let end = inHeardChild(&recorder) {
      // Traps before anything is read.
      let table = unsafe MappedTable<UInt64>(at: 0, count: 1)
      if table.count == 9 { csm_yield() }
    }
    recorder.expect(end.isTrap, "it ends with \(end.status)")
    end.expect("a table lies at address 0", &recorder)
  },
]

/// A value with padding.
private struct PageNote: BitwiseCopyable {
  var address: UInt = 0
  var flag: UInt8 = 0
}

/// Calls `body` with two views of a table of 64 values in memory that ends a page, before one that
/// faults.
private func withTable(
  _ recorder: inout Recorder,
  _ body: (inout Recorder, MappedTable<PageNote>, MappedTable<PageNote>) -> Void
) {
  let pageSize = UInt(csm_page_size())
  let mapped = csm_mmap(0, 2 * pageSize, PROT_READ | PROT_WRITE, 0, 1)
  if mapped.error != 0 { return recorder.fail("no memory") }
  defer { _ = csm_munmap(mapped.value, 2 * pageSize) }
  if csm_mprotect(mapped.value + pageSize, pageSize, PROT_NONE) != 0 {
    return recorder.fail("no guard")
  }
  let start = mapped.value + pageSize - UInt(64 * MemoryLayout<PageNote>.stride)
  // As many as lie there, all zero, as long as the body runs.
  let tables = unsafe (
    MappedTable<PageNote>(at: start, count: 64), MappedTable<PageNote>(at: start, count: 64)
  )
  body(&recorder, tables.0, tables.1)
}
