import PageAlloc

/// The page allocator as its rules are written: one `Bool` a page, and a search that looks at each.
///
/// It knows nothing of summaries, search addresses and words; what goes back to the kernel is
/// decided by the naive index and the slow candidate.
struct NaiveAllocator {
  var grown = [Bool](repeating: false, count: Geometry.chunkCount)
  var used = [Bool](repeating: false, count: Geometry.pageCount)
  var scavenged = [Bool](repeating: false, count: Geometry.pageCount)
  var index = NaiveScavengeIndex()
  var physicalPageSize = 4096
  var hugePageSize = 0

  /// The lowest run of free pages, `start` or above. A gap between chunks ends a run.
  func firstFit(_ count: Int, from start: Int = 0) -> Int? {
    var run = 0
    var page = start
    while page < Geometry.pageCount {
      if !grown[page / 512] {
        run = 0
        page = page / 512 * 512 + 512
        continue
      }
      run = used[page] ? 0 : run + 1
      if run == count { return page - count + 1 }
      page += 1
    }
    return nil
  }

  /// Where ``PageAllocator/findAligned(_:_:steps:)`` goes: the first fit where it happens to be
  /// aligned; else into the first run with room to spare; else to the lowest aligned run.
  func alignedFit(_ count: Int, _ pages: Int, phase: Int) -> Int? {
    func roundUp(_ page: Int) -> Int { (page + phase + pages - 1) / pages * pages - phase }
    guard var page = firstFit(count) else { return nil }
    if roundUp(page) == page { return page }
    if let roomy = firstFit(count + pages - 1) { return roundUp(roomy) }
    while let next = firstFit(count, from: roundUp(page)) {
      if roundUp(next) == next { return next }
      page = next
    }
    return nil
  }

  /// Whether all pages of a range are grown and free.
  func isFree(_ page: Int, _ count: Int) -> Bool {
    for page in page..<(page + count) where !grown[page / 512] || used[page] { return false }
    return true
  }

  /// Free pages in a row below a page.
  func freePages(below page: Int) -> Int {
    var low = page
    while low > 0, grown[(low - 1) / 512], !used[low - 1] { low -= 1 }
    return page - low
  }

  mutating func grow(_ chunks: Range<Int>) {
    for chunk in chunks {
      grown[chunk] = true
      index.grow(chunk)
      for page in (chunk * 512)..<(chunk * 512 + 512) { scavenged[page] = true }
    }
  }

  /// Takes a range; how many of its pages were scavenged.
  mutating func take(_ page: Int, _ count: Int) -> Int {
    var clean = 0
    for page in page..<(page + count) {
      used[page] = true
      if scavenged[page] { clean += 1 }
      scavenged[page] = false
    }
    for part in parts(page, count) { index.allocated(part.lowerBound / 512, part.count) }
    return clean
  }

  mutating func free(_ page: Int, _ count: Int) {
    for page in page..<(page + count) { used[page] = false }
    for part in parts(page, count) {
      index.freed(part.lowerBound / 512, last: (part.upperBound - 1) % 512, part.count)
    }
  }

  mutating func pad(_ page: Int, _ count: Int) {
    _ = take(page, count)
    for page in page..<(page + count) { scavenged[page] = true }
  }

  /// A range cut at the edges of chunks.
  private func parts(_ page: Int, _ count: Int) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var low = page
    while low < page + count {
      let high = min(page + count, low / 512 * 512 + 512)
      parts.append(low..<high)
      low = high
    }
    return parts
  }
}

// MARK: - Page caches

/// The pages of a cache: those it may hand out, and those of them all that are scavenged.
struct NaiveCache {
  var base = 0
  var free = [Bool](repeating: false, count: 64)
  var scavenged = [Bool](repeating: false, count: 64)

  var isEmpty: Bool { slowCount(free, of: true, in: 0..<64) == 0 }

  /// The cache as the allocator has it.
  var packed: PageBlock {
    PageBlock(base: base, free: slowWord(free, 0), scavenged: slowWord(scavenged, 0))
  }

  mutating func take(_ count: Int) -> (page: Int, clean: Int)? {
    guard let first = slowFirstRun(free, of: true, count: count) else { return nil }
    var clean = 0
    for place in first..<(first + count) {
      if scavenged[place] { clean += 1 }
      free[place] = false
      scavenged[place] = false
    }
    return (base + first, clean)
  }
}

extension NaiveAllocator {
  /// The block that the lowest run of so many pages starts in.
  mutating func takeCache(for count: Int = 1) -> NaiveCache {
    var cache = NaiveCache()
    guard let page = firstFit(count) else { return cache }
    cache.base = page / 64 * 64
    for place in 0..<64 {
      let page = cache.base + place
      cache.scavenged[place] = scavenged[page]
      if used[page] { continue }
      cache.free[place] = true
      used[page] = true
      scavenged[page] = false
    }
    index.allocated(cache.base / 512, slowCount(cache.free, of: true, in: 0..<64))
    return cache
  }

  mutating func flush(_ cache: NaiveCache) {
    if cache.isEmpty { return }
    for place in 0..<64 {
      if cache.free[place] { free(cache.base + place, 1) }
      if cache.scavenged[place] { scavenged[cache.base + place] = true }
    }
  }
}

// MARK: - Scavenging

extension NaiveAllocator {
  /// The next pages to give back, with so many bytes missing.
  mutating func nextCandidate(_ missing: UInt64, _ mode: ScavengeMode) -> Range<Int>? {
    let minimum = max(1, physicalPageSize / 8192)
    let limit = Int(min((missing + 8191) / 8192, 512))
    while let (chunk, place) = index.find(mode) {
      let pages = (chunk * 512)..<(chunk * 512 + 512)
      let picture = HeapPicture(used: Array(used[pages]), scavenged: Array(scavenged[pages]))
      if SlowSum(picture.used).longest >= minimum,
        let found = slowCandidate(
          picture, from: place, minimum: minimum, limit: limit,
          physicalPageSize: physicalPageSize, hugePageSize: hugePageSize)
      {
        return (chunk * 512 + found.lowerBound)..<(chunk * 512 + found.upperBound)
      }
      index.records[chunk].flag = false
    }
    return nil
  }

  mutating func scavenge(_ byteCount: UInt64, _ mode: ScavengeMode) -> UInt64 {
    var released: UInt64 = 0
    while released < byteCount, let run = nextCandidate(byteCount - released, mode) {
      for page in run { scavenged[page] = true }
      released += UInt64(run.count) * 8192
    }
    return released
  }
}
