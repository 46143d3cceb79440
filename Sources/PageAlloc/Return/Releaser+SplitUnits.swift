import SysMem

/// Units of which a part was given back: two a range at the most.
private struct SplitUnits {
  private var addresses = InlineArray<128, UInt>(repeating: 0)
  private(set) var count = 0

  subscript(index: Int) -> UInt {
    // Below the count. A checked access would copy the whole array to read from it.
    unsafe addresses[unchecked: index]
  }

  /// Adds a unit, unless it is the one that was added last.
  mutating func add(_ address: UInt) {
    if count > 0, self[count - 1] == address { return }
    addresses[count] = address
    count += 1
  }
}

extension Releaser {
  /// Tells the kernel not to back units as a whole any more of which a part was just given back: it would
  /// fill them again by and by, where huge pages were asked for. A refusal changes nothing.
  func leaveSplitUnits(_ batch: AdviceBatch) {
    let unit = UInt(core.system.calls.hugePageSize)
    guard unit > 0, unit <= UInt(Geometry.chunkByteCount) else { return }
    var units = SplitUnits()
    core.withHeap { heap in
      for index in 0..<batch.count where !batch.isRefused(index) {
        // A range lies in one chunk.
        let start = batch[index].address
        guard heap.hugeChunks.contains(Geometry.chunk(of: core.page(of: start))) else { continue }
        let end = start &+ batch[index].byteCount
        if end & (unit - 1) != 0 { units.add(end & ~(unit - 1)) }
        if start & (unit - 1) != 0 { units.add(start & ~(unit - 1)) }
      }
    }
    for index in 0..<units.count { try? core.system.sysNoHugePage(units[index], unit) }
  }
}
