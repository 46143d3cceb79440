import CSysMem

/// Asks the kernel how much of a range is in memory.
///
/// ```
///   | present | absent | present | zero page | absent |
///   byPagemap:  counts the two that are present
///   byMincore:  counts the shared zero page, too: what was read and never written to
/// ```
package struct ResidencyScan {
  private let start: UInt
  private let end: UInt
  private let pageSize: UInt

  /// A range of whole pages of the kernel's.
  package init(_ address: UInt, _ byteCount: UInt, physicalPageSize: Int) {
    start = address
    end = address + byteCount
    pageSize = UInt(physicalPageSize)
  }

  /// By `PAGEMAP_SCAN`, which passes over what is absent a page table at a time.
  ///
  /// - Returns: bytes; `nil` where the kernel has no such call (before Linux 6.7), or the process
  ///   may not open its own `/proc/self/pagemap`.
  package func byPagemap() -> UInt? {
    guard let file = OpenFile(FixedText<32>("/proc/self/pagemap")) else { return nil }
    var regions = InlineArray<64, csm_page_region>(repeating: csm_page_region())
    var found: UInt64 = 0
    var place = UInt64(start)
    while place < UInt64(end) {
      var next = place
      var span = regions.mutableSpan
      // The kernel writes no more regions than the span has, and one word.
      let answer = unsafe span.withUnsafeMutableBufferPointer {
        unsafe csm_pagemap_scan(
          file.descriptor, place, UInt64(end), $0.baseAddress, $0.count, &next)
      }
      if answer.error == EINTR { continue }
      guard answer.error == 0, next > place else { return nil }
      for index in 0..<min(Int(answer.value), regions.count) {
        found &+= regions[index].end &- regions[index].start
      }
      place = next
    }
    return UInt(truncatingIfNeeded: found)
  }

  /// By `mincore`, which writes a byte for each page of the range.
  ///
  /// - Returns: bytes.
  /// - Throws: the kernel does not say; `EAGAIN` where it has no resources for it, a hundred times.
  package func byMincore() throws(Errno) -> UInt {
    var flags = InlineArray<4096, UInt8>(repeating: 0)
    var pages: UInt = 0
    var place = start
    var patience = 100
    while place < end {
      let size = min(end - place, UInt(flags.count) * pageSize)
      let count = Int(size / pageSize)
      var span = flags.mutableSpan
      // The kernel writes one byte a page, of which there are no more than the span has.
      let error = unsafe span.withUnsafeMutableBufferPointer {
        unsafe csm_mincore(place, Int(size), $0.baseAddress)
      }
      if error == EAGAIN, patience > 0 {
        patience -= 1
        continue
      }
      guard error == 0 else { throw Errno(rawValue: error) }
      for index in 0..<count { pages += UInt(flags[index] & 1) }
      place += size
    }
    return pages * pageSize
  }
}
