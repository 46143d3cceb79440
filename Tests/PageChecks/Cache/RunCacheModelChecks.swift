import PageAlloc

/// One cache beside a map of its pages.
package let runCacheModelChecks: [Check] = [
  Check("run cache: random runs of both hands agree with a map of pages") { recorder in
    for seed in 0..<12 where recorder.isGood {
      recorder.context = "seed \(seed)"
      var model = RunCacheModel(seed: UInt64(seed))
      for step in 0..<3_000 where recorder.isGood {
        model.step(&recorder)
        if step % 16 == 0 { model.compare(&recorder) }
      }
      model.end(&recorder)
    }
  }
]

/// Who has each page, as a plain map, and the runs that are out.
private struct RunCacheModel {
  private enum Holder {
    case allocator
    case cache
    case raw
  }

  private struct Live {
    let page: PageNumber
    let pages: Int
  }

  private static let first = 512
  private static let limit = 4_096

  private let cache = BareCache()
  private var random: SplitMix64
  private var holders = [Holder](repeating: .allocator, count: 512 + 8_192)
  private var live: [Live] = []
  /// Owners that came by the cache, less those that went by it.
  private var owners = 0
  /// The next page that nobody had yet; the allocator's are not used again.
  private var fresh = Self.first

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// One operation on both.
  mutating func step(_ recorder: inout Recorder) {
    let kind: RunKind = random.below(3) == 0 ? .owned : .raw
    switch random.below(16) {
    case 0..<6: take(kind, &recorder)
    case 6..<8: takeAligned(kind, &recorder)
    case 8..<13: give(kind, &recorder)
    case 13: cache.raiseCapacity(for: 1 + random.below(200), limit: Self.limit)
    case 14: takeFresh()
    default: giveUp(&recorder)
    }
  }

  /// A size, small ones more often, and now and then a long one.
  private mutating func size() -> Int { random.logarithmic(random.below(8) == 0 ? 8 : 5) }

  /// The allocator hands a run out: what the cache may be given later.
  private mutating func takeFresh() {
    for _ in 0..<4 {
      let pages = size()
      if fresh + pages > holders.count { return }
      hold(fresh, pages, .raw)
      cache.runs.setLength(fresh, pages)
      live.append(Live(page: fresh, pages: pages))
      fresh += pages
    }
  }

  private mutating func take(_ kind: RunKind, _ recorder: inout Recorder) {
    let pages = size()
    let isStacked = pages <= RunCache.longestStacked && cache.count(of: pages) > 0
    guard let page = cache.take(pages, as: kind) else {
      recorder.expect(!isStacked, "\(pages) pages were there")
      return
    }
    taken(page, pages, kind, &recorder)
  }

  private mutating func takeAligned(_ kind: RunKind, _ recorder: inout Recorder) {
    let pages = size()
    let alignment = 1 << random.below(6)
    guard let page = cache.take(pages, aligned: alignment, as: kind) else { return }
    let address = Geometry.address(of: page, from: BareCache.base)
    recorder.expect(address % UInt(alignment << Geometry.pageShift) == 0, "\(pages) lie right")
    taken(page, pages, kind, &recorder)
  }

  private mutating func taken(
    _ page: PageNumber, _ pages: Int, _ kind: RunKind, _ recorder: inout Recorder
  ) {
    for place in page..<(page + pages) {
      recorder.expect(holders[place] == .cache, "page \(place) was the cache's")
    }
    recorder.expectEqual(cache.runs.length(page), pages, "length in the table")
    hold(page, pages, .raw)
    live.append(Live(page: page, pages: pages))
    if kind == .owned { owners += 1 }
  }

  private mutating func give(_ kind: RunKind, _ recorder: inout Recorder) {
    if live.isEmpty { return }
    let index = random.below(live.count)
    let run = live[index]
    if random.below(8) == 0 {
      recorder.expect(!cache.give(run.page, run.pages + 1, as: kind), "as a longer one")
    }
    let isIn = cache.give(run.page, run.pages, as: kind)
    recorder.expectEqual(
      cache.runs.length(run.page), isIn ? 0 : run.pages, "length in the table")
    if isIn {
      hold(run.page, run.pages, .cache)
      live.swapAt(index, live.count - 1)
      live.removeLast()
      if kind == .owned { owners -= 1 }
    }
  }

  /// The cache gives up a part of what it has, in one of the ways that there are.
  private mutating func giveUp(_ recorder: inout Recorder) {
    var given: [Range<PageNumber>] = []
    switch random.below(8) {
    case 0..<4:
      cache.reference.contents.halveStacks(for: 1) { given.append($0..<($0 + $1)) }
    case 4..<7:
      let target = random.below(200)
      cache.reference.contents.drainStacks(to: target) { given.append($0..<($0 + $1)) }
    default:
      given = cache.drain()
      recorder.expectEqual(cache.heldPages, 0, "pages when all came out")
      cache.reference.contents.resetCapacity()
    }
    // As whoever does so under the heap lock.
    cache.reference.contents.tell()
    recorder.expectEqual(cache.talliedPages, cache.heldPages, "pages told")
    release(given, &recorder)
  }

  private mutating func release(_ runs: [Range<PageNumber>], _ recorder: inout Recorder) {
    for run in runs {
      for place in run { recorder.expect(holders[place] == .cache, "page \(place) came out once") }
      hold(run.lowerBound, run.count, .allocator)
    }
  }

  private mutating func hold(_ page: PageNumber, _ pages: Int, _ holder: Holder) {
    for place in page..<(page + pages) { holders[place] = holder }
  }

  /// Whether the cache's figures are those of the map.
  func compare(_ recorder: inout Recorder) {
    var held = 0
    for holder in holders where holder == .cache { held += 1 }
    recorder.expectEqual(cache.heldPages, held, "pages")
    // Besides a batch, the two hot runs.
    recorder.expect(
      abs(cache.talliedPages - held) <= CacheTally.batch + 2 * RunCache.longestStacked, "pages told"
    )
    recorder.expectEqual(cache.ownerCount, owners, "owners")
    recorder.expect(cache.reference.contents.chargedPages <= cache.capacity, "within the capacity")
    recorder.expect(cache.capacity <= Self.limit, "the capacity is within the limit")
  }

  /// All that is in the cache comes out, each page once.
  mutating func end(_ recorder: inout Recorder) {
    release(cache.drain(), &recorder)
    compare(&recorder)
    recorder.expect(!holders.contains { $0 == .cache }, "nothing was lost")
  }
}
