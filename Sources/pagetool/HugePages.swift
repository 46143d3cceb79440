import Glibc
import PageAlloc
import PageTrace

extension ProgramTrace.Header {
  /// Whether a replay that shows the heap writes a word of each page, to learn what huge pages
  /// back: where at most so much is in use at once, a GiB. Beyond, that would take seconds, and the
  /// memory.
  var isWritten: Bool { peakLivePages <= 131_072 }
}

extension PageSnapshot {
  /// The numbers of the huge pages that back the heap of this process now, counted from the first
  /// page; `nil` where the kernel does not tell.
  var hugePages: [Int]? {
    pagetool.hugePages(from: address, count: pageCount / PagePicture.pagesPerHugePage)
  }
}

/// Which units of 2 MiB are backed by huge pages, counted from an address: as the kernel says by
/// `PAGEMAP_SCAN`, which Linux has since 6.7.
///
/// - Parameters:
///   - address: of the first unit; a multiple of 2 MiB.
///   - count: how many units to look at.
/// - Returns: their numbers in order; `nil` where the kernel does not tell.
private func hugePages(from address: UInt, count: Int) -> [Int]? {
  let file = unsafe open("/proc/self/pagemap", O_RDONLY)
  if file < 0 { return nil }
  defer { close(file) }
  let unit: UInt64 = 2 << 20
  let start = UInt64(address)
  // As many as there can be at most: no two that follow each other.
  var regions = [Region](repeating: Region(), count: max(1, count))
  // Invariant: the kernel writes at most as many regions as it is told that there is room for, and
  // both the argument and the regions live as long as the call.
  let found = unsafe regions.withUnsafeMutableBufferPointer { regions in
    var scan = Scan()
    scan.start = start
    scan.end = start + UInt64(count) * unit
    scan.regions = UInt64(UInt(bitPattern: regions.baseAddress))
    scan.regionCount = UInt64(regions.count)
    scan.mask = isHuge
    scan.returned = isHuge
    return unsafe ioctl(file, pagemapScan, &scan)
  }
  if found < 0 { return nil }
  var numbers: [Int] = []
  for region in regions[..<Int(found)] {
    // Whole huge pages alone.
    let first = (region.start - start + unit - 1) / unit
    let end = (region.end - start) / unit
    if first < end { numbers += Int(first)..<Int(end) }
  }
  return numbers
}

/// `PAGE_IS_HUGE` of <linux/fs.h>.
private let isHuge: UInt64 = 1 << 6
/// `PAGEMAP_SCAN` of <linux/fs.h>: `_IOWR('f', 16, struct pm_scan_arg)`.
private let pagemapScan: UInt = 0xc060_6610

/// `struct page_region` of <linux/fs.h>.
private struct Region {
  var start: UInt64 = 0
  var end: UInt64 = 0
  var categories: UInt64 = 0
}

/// `struct pm_scan_arg` of <linux/fs.h>.
private struct Scan {
  var size: UInt64 = 96
  var flags: UInt64 = 0
  var start: UInt64 = 0
  var end: UInt64 = 0
  var walkEnd: UInt64 = 0
  var regions: UInt64 = 0
  var regionCount: UInt64 = 0
  var mostPages: UInt64 = 0
  var inverted: UInt64 = 0
  var mask: UInt64 = 0
  var anyOf: UInt64 = 0
  var returned: UInt64 = 0
}
