import PageAlloc

/// What caches told of the pages that they hold, without an arena.
package let cacheTallyChecks: [Check] = [
  Check("cache tally: told when the charge has moved by more than a batch, either way") {
    recorder in
    let cache = BareCache()
    // As full as it is to be, once, so that it may be so again.
    for index in 0..<8 {
      cache.raiseCapacity(for: 120, limit: 1024)
      recorder.expect(cache.giveFresh(4096 + 128 * index, 120), "fill")
    }
    _ = cache.drain()
    cache.reference.contents.tell()
    recorder.expectEqual(cache.talliedPages, 0, "told at first")
    // Runs of eight sizes, so that no stack gets full.
    var held = 0
    for index in 0..<64 {
      let pages = 4 + index % 8
      recorder.expect(cache.giveFresh(512 + 16 * index, pages), "put \(index)")
      held += pages
      let told = cache.talliedPages
      recorder.expect(told <= held, "\(told) told of \(held)")
      // The hot run of 120 pages has left its room.
      recorder.expect(held - told <= CacheTally.batch + 120, "\(told) told of \(held)")
    }
    recorder.expect(cache.talliedPages > 0, "it was told")
    // From the stacks; the hot run stays.
    for index in 0..<63 {
      let pages = 4 + index % 8
      if cache.take(pages) != nil { held -= pages }
      let off = cache.talliedPages - held
      recorder.expect(off <= CacheTally.batch + 11, "\(off) too many when \(held) are left")
      recorder.expect(off >= -CacheTally.batch, "\(off) too few when \(held) are left")
    }
    recorder.expect(held < 64, "nearly all came out")
    cache.reference.contents.tell()
    recorder.expectEqual(cache.talliedPages, cache.heldPages, "told exactly")
  },

  Check("cache tally: long runs are told one by one, and all that goes is told") { recorder in
    let table = BareTable()
    let caches = [BareCache(table), BareCache(table)]
    var page = 512
    for cache in caches {
      cache.raiseCapacity(for: 3000, limit: 4096)
      for pages in [128, 1000, 300] {
        recorder.expect(cache.giveFresh(page, pages), "put \(pages)")
        page += pages
      }
    }
    recorder.expectEqual(table.tally.pages, 2 * 1428, "both")
    recorder.expect(caches[0].take(1000) != nil, "take")
    recorder.expectEqual(table.tally.pages, 2 * 1428 - 1000, "one less")
    for cache in caches {
      recorder.expect(cache.giveFresh(page, 5), "a short one")
      _ = cache.drain()
      cache.reference.contents.resetCapacity()
    }
    recorder.expectEqual(table.tally.pages, 0, "at the end")
  },

  Check("cache tally: any number of caches is told of, the first by counts of their own") {
    recorder in
    let table = BareTable()
    let caches = (0..<2 * CacheTally.ownCounts + 1).map { _ in BareCache(table) }
    for (index, cache) in caches.enumerated() {
      cache.raiseCapacity(for: 200, limit: 4096)
      recorder.expect(cache.giveFresh(512 + 512 * index, 128 + index), "put \(index)")
    }
    let sum = caches.indices.reduce(0) { $0 + 128 + $1 }
    recorder.expectEqual(table.tally.pages, sum, "all")
    // At once: those who share a count add to it, those who do not write to their own.
    runThreads(caches.enumerated().map { LongPairs($1, pages: 128 + $0) }) { $0.run() }
    recorder.expectEqual(table.tally.pages, sum, "all, still")
    for cache in caches { _ = cache.drain() }
    recorder.expectEqual(table.tally.pages, 0, "none")
  },

  Check("cache tally: what is forgotten is not told of any more") { recorder in
    let table = BareTable()
    let cache = BareCache(table)
    cache.raiseCapacity(for: 127, limit: 1024)
    for index in 0..<12 { recorder.expect(cache.giveFresh(512 + 16 * index, 10), "put \(index)") }
    cache.raiseCapacity(for: 300, limit: 4096)
    recorder.expect(cache.giveFresh(2048, 300), "a long one")
    cache.reference.contents.tell()
    recorder.expectEqual(table.tally.pages, 420, "told")
    cache.reference.contents.forget()
    recorder.expectEqual(table.tally.pages, 0, "forgotten")
  },

  Check("cache tally: the hot runs come and go untold") { recorder in
    let cache = BareCache()
    recorder.expect(cache.giveFresh(512, 100), "put")
    cache.reference.contents.tell()
    recorder.expectEqual(cache.talliedPages, 100, "told")
    recorder.expectEqual(cache.take(100) ?? -1, 512, "take")
    recorder.expectEqual(cache.talliedPages, 100, "told, still")
    cache.reference.contents.tell()
    recorder.expectEqual(cache.talliedPages, 0, "told again")
    recorder.expect(cache.give(512, 100), "back")
    recorder.expectEqual(cache.talliedPages, 0, "told before")
  },
]

/// Takes a long run from a cache and puts it back, for a while.
private final class LongPairs: @unchecked Sendable {
  // @unchecked: one thread has it, and its cache.
  private let cache: BareCache
  private let pages: Int

  init(_ cache: BareCache, pages: Int) {
    self.cache = cache
    self.pages = pages
  }

  func run() {
    for _ in 0..<2000 {
      if let page = cache.take(pages) { _ = cache.give(page, pages) }
    }
  }
}
