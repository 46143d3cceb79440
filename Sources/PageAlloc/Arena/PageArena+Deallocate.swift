import SysMem

extension PageArena {
  /// Gives a run back, or a part of one.
  ///
  /// What is left of the run on either side stays in use, as runs of their own. The contents are lost
  /// to the caller at once.
  ///
  /// - Parameters:
  ///   - base: the address of the first page to free.
  ///   - pages: how many, at least 1; not past the end of the run.
  /// - Throws: ``PageArenaError/badPageCount(pages:limit:)``, ``PageArenaError/misaligned(base:)``,
  ///   ``PageArenaError/foreign(base:)``, ``PageArenaError/notInUse(base:pages:)``,
  ///   ``PageArenaError/pastEndOfRun(base:pages:)``. Nothing has changed then.
  /// - Complexity: O(1) in the heap; O(`pages` / 512).
  public func deallocate(
    _ base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) {
    // Only the address is looked at, and checked before it means anything.
    let address = UInt(bitPattern: base)
    let page = try page(at: address, pages)
    unsafe state.pointee.heap.lock()
    guard unsafe state.pointee.allocator.isGrown(page, pages) else {
      unsafe state.pointee.heap.unlock()
      throw .foreign(base: address)
    }
    if let fault = unsafe state.pointee.fault(in: page, pages) {
      unsafe state.pointee.heap.unlock()
      switch fault {
      case .notInUse: throw .notInUse(base: address, pages: pages)
      case .pastEndOfRun: throw .pastEndOfRun(base: address, pages: pages)
      }
    }
    unsafe state.pointee.giveBack(page, pages)
    unsafe state.pointee.heap.unlock()
  }

  /// The page at an address, if `pages` pages from there on lie in the 32-bit space at all.
  @inline(__always)
  private func page(at address: UInt, _ pages: Int) throws(PageArenaError) -> PageNumber {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    guard address >= base else { throw .foreign(base: address) }
    let offset = address - base
    let page = offset >> UInt(Geometry.pageShift)
    guard page < UInt(Geometry.pageCount) else { throw .foreign(base: address) }
    guard offset & UInt(Geometry.pageSize - 1) == 0 else { throw .misaligned(base: address) }
    guard Int(page) + pages <= Geometry.pageCount else { throw .foreign(base: address) }
    return Int(page)
  }
}
