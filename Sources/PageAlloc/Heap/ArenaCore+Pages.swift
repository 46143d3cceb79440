import CDiagnosis
import SysMem

// Pages, addresses and bytes of an arena.

extension ArenaCore {
  /// The address of a page.
  @inline(__always)
  func address(of page: PageNumber) -> UInt { Geometry.address(of: page, from: base) }

  /// The address of a page that was handed out.
  @inline(__always)
  func address(ofTaken page: PageNumber) -> UInt {
    let address = address(of: page)
    if address == 0 { corrupted("page 0 was handed out", UInt(page)) }
    return address
  }

  /// The memory of a page that was handed out.
  @inline(__always)
  func memory(of page: PageNumber) -> UnsafeMutableRawPointer {
    unsafe PageSpace.memory(at: address(ofTaken: page))
  }

  /// The page at an address that the arena handed out.
  @inline(__always)
  func page(of address: UInt) -> PageNumber { Geometry.page(at: address, from: base) }

  /// The page at an address, if `pages` pages from there on lie in the 32-bit space at all.
  @inline(__always)
  func page(at address: UInt, _ pages: Int) throws(PageArenaError) -> PageNumber {
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

  /// The page at any address, if it is one that the arena could have.
  func anyPage(at address: UInt) -> PageNumber? {
    let page = (address &- base) >> UInt(Geometry.pageShift)
    return address >= base && page < UInt(Geometry.pageCount) ? Int(page) : nil
  }

  /// Whole pages as the kernel sees them.
  func range(of run: Range<PageNumber>) -> AdvisedRange {
    AdvisedRange(address: address(of: run.lowerBound), byteCount: Self.byteCount(run.count))
  }

  /// Bytes of so many pages, fewer than the whole space.
  @inline(__always)
  static func byteCount(_ pages: Int) -> UInt {
    UInt(bitPattern: pages) << UInt(Geometry.pageShift)
  }

  /// Bytes of so many pages.
  static func bytes(_ pages: Int) -> UInt64 { UInt64(pages) << UInt64(Geometry.pageShift) }
}

/// Tries for about a tenth of a second.
func patiently(_ attempt: () -> Bool) -> Bool {
  for _ in 0..<1000 {
    if attempt() { return true }
    cdg_pause()
  }
  return false
}
