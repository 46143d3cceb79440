import SysMem

/// Units of which a part was given back, by their addresses: two a range at the most.
private typealias SplitUnits = BoundedArray<UInt, 128>

extension SplitUnits {
  /// Adds a unit, unless it is the one that was added last.
  fileprivate mutating func appendUnlessLast(_ address: UInt) {
    if isEmpty || self[count - 1] != address { append(address) }
  }
}

extension Releaser {
  /// Tells the kernel not to back units as a whole any more of which a part was just given back: it
  /// would fill them again by and by, where huge pages were asked for. A refusal changes nothing.
  func leaveSplitUnits(_ batch: AdviceBatch) {
    let unit = UInt(core.system.calls.hugePageSize)
    guard unit > 0, unit <= UInt(Geometry.chunkByteCount) else { return }
    var units = SplitUnits(filler: 0)
    core.withHeap { heap in
      for index in 0..<batch.count where !batch.isRefused(index) {
        // A range lies in one chunk.
        let start = batch[index].address
        guard heap.hugeChunks.contains(Geometry.chunk(of: core.page(of: start))) else { continue }
        let end = start &+ batch[index].byteCount
        if end & (unit - 1) != 0 { units.appendUnlessLast(end & ~(unit - 1)) }
        if start & (unit - 1) != 0 { units.appendUnlessLast(start & ~(unit - 1)) }
      }
    }
    for index in 0..<units.count { try? core.system.sysNoHugePage(units[index], unit) }
  }
}
