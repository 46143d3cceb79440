import SysMem

// Fresh memory in place of some that is not plain any more. The kernel knows nothing of it but that
// it may be read and written: what the arena wants of huge pages is told anew.

extension ArenaCore {
  /// Maps fresh memory over some of the arena's, whatever that was: empty, readable, writable, and
  /// advised about huge pages as the arena has it. So it is one mapping with what lies beside it.
  ///
  /// - Throws: the kernel refused; the memory is as before. A refusal of the advice is counted.
  @inline(never)
  func renew(_ memory: AdvisedRange) throws(SysMemError) {
    try system.replace(memory.address, memory.byteCount)
    switch hugePages {
    case .system: break
    case .automatic: adviseWhereAsked(memory)
    case .prefer: _ = advise(memory, hugePages: true)
    case .avoid: _ = advise(memory, hugePages: false)
    }
  }

  /// Has the kernel take what a range holds, which reads as zero then.
  ///
  /// The kernel rounds up to pages of its own: where a range is not made of such, its neighbour's
  /// contents would go, too.
  /// - Returns: `false` where it is not, or the kernel refused; the range is as before.
  func empty(_ address: UInt, _ byteCount: UInt) -> Bool {
    if (address | byteCount) & UInt(physicalPageSize - 1) != 0 { return false }
    return withSystem { (try? $0.advise(address, byteCount, .dontNeed)) != nil }
  }

  /// Asks for huge pages where the arena did when it grew, or for none under a limit.
  private func adviseWhereAsked(_ memory: AdvisedRange) {
    let first = page(of: memory.address)
    let pages = first..<(first + Int(memory.byteCount >> UInt(Geometry.pageShift)))
    var chunks = Geometry.chunks(of: pages)
    while let asked = withHeap({ $0.hugeChunks.firstRange(in: chunks) }) {
      let start = max(pages.lowerBound, Geometry.firstPage(of: asked.lowerBound))
      let end = min(pages.upperBound, Geometry.firstPage(of: asked.upperBound))
      let memory = range(of: start..<end)
      // Looked at once more: a limit may have been set meanwhile.
      if isLimited || (advise(memory, hugePages: true) && isLimited) {
        _ = advise(memory, hugePages: false)
      }
      chunks = asked.upperBound..<chunks.upperBound
    }
  }

  /// Says whether huge pages are welcome.
  ///
  /// - Returns: whether the kernel agreed. A refusal is counted.
  func advise(_ memory: AdvisedRange, hugePages areWelcome: Bool) -> Bool {
    do throws(SysMemError) {
      if areWelcome {
        try system.sysHugePage(memory.address, memory.byteCount)
      } else {
        try system.sysNoHugePage(memory.address, memory.byteCount)
      }
      return true
    } catch {
      withHeap { $0.scavenger.counters.refusedAdvice += 1 }
      return false
    }
  }
}
