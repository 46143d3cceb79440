import SysMem

extension PageArena {
  /// Tells the kernel about memory that was just committed. A refusal is counted: huge pages are a wish.
  func adviseHugePages(_ address: UInt, _ byteCount: UInt) {
    do throws(SysMemError) {
      switch hugePages {
      case .system: break
      case .prefer: try system.sysHugePage(address, byteCount)
      case .avoid: try system.sysNoHugePage(address, byteCount)
      }
    } catch {
      // The state lives as long as the arena.
      unsafe state.locks.pointee.heap.lock()
      unsafe state.pointee.scavenger.counters.refusedAdvice += 1
      unsafe state.locks.pointee.heap.unlock()
    }
  }

  /// Gathers memory in use into huge pages, now (`MADV_COLLAPSE`).
  ///
  /// Takes the units of a huge page, 2 MiB as a rule, of which every page is in use; others would take
  /// memory that nobody asked for. Takes about a millisecond for each; other threads allocate and free
  /// meanwhile, but nothing goes back to the kernel.
  ///
  /// - Returns: the bytes that are backed by huge pages now, of those looked at. 0 in an arena that avoids
  ///   huge pages.
  /// - Throws: ``PageArenaError/system(_:)``: the kernel refused for another reason than that it has no huge
  ///   page to give just now. What was gathered before stays so.
  /// - Complexity: O(memory in use).
  @discardableResult
  public func collapse() throws(PageArenaError) -> Int {
    // The state lives as long as the arena; so below.
    let unit = unsafe state.pointee.allocator.grain.pagesPerHugePage
    guard unit > 0, unit <= Geometry.pagesPerChunk else { return 0 }
    // Nothing becomes scavenged meanwhile, so that the kernel does not back it again behind our back.
    unsafe state.locks.pointee.release.lock()
    defer { unsafe state.locks.pointee.release.unlock() }
    var gathered = 0
    var page = 0
    while let next = nextFullUnit(from: page, unit) {
      page = next + unit
      let size = UInt(unit) << UInt(Geometry.pageShift)
      do throws(SysMemError) {
        try system.sysCollapse(address(of: next), size)
        gathered += Int(size)
      } catch {
        // No huge page to be had, or the memory is being looked at: this unit stays as it is.
        if error.errno != .tryAgain, error.errno != .busy, error.errno != .outOfMemory {
          throw .system(error)
        }
      }
    }
    return gathered
  }

  /// The next unit of `unit` pages, from a page on, that is in use as a whole.
  private func nextFullUnit(from page: PageNumber, _ unit: Int) -> PageNumber? {
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    let end = unsafe Geometry.firstPage(of: state.pointee.allocator.endChunk)
    var first = page
    while first < end {
      let chunk = Geometry.chunk(of: first)
      let place = Geometry.place(of: first)
      if unsafe state.pointee.allocator.isGrown(chunk),
        unsafe state.pointee.allocator.chunk(chunk).allocated.bits.isAllOnes(
          in: place..<(place + unit))
      {
        return first
      }
      first += unit
    }
    return nil
  }

  /// Bytes of the arena that are backed by huge pages, as the kernel says in `/proc/self/smaps`; `nil`
  /// where it does not.
  ///
  /// - Complexity: O(mappings of the process): a fraction of a millisecond as a rule, far more than
  ///   ``statistics``.
  public func hugePageBytes() -> UInt64? {
    var scan = HugePageScan()
    // The pieces of the reservation change under this lock alone.
    unsafe state.locks.pointee.growth.lock()
    for index in 0..<(unsafe state.growth.pointee.reservation.pieceCount) {
      scan.add(unsafe state.growth.pointee.reservation[index].mapping)
    }
    unsafe state.locks.pointee.growth.unlock()
    return scan.run()
  }
}
