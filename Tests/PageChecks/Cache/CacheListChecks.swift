import PageAlloc

/// All caches of an arena, without one. That an owner is inside is played as kind.
package let cacheListChecks: [Check] = [
  Check("cache list: caches are counted, and those that retire are used again") { recorder in
    var list = CacheList(isClosedForGood: false)
    let caches = (0..<4).map { _ in BareCache() }
    recorder.expect(list.takeRetired() == nil, "none has retired")
    for cache in caches { list.add(cache.reference) }
    recorder.expect(list.takeRetired() == nil, "all have owners")
    recorder.expectEqual(list.count, 4, "caches")
    recorder.expectEqual(list.ownedCount, 4, "owned")
    list.retire(caches[1].reference)
    list.retire(caches[3].reference)
    recorder.expectEqual(list.count, 4, "caches, with retired ones")
    recorder.expectEqual(list.ownedCount, 2, "owned")
    recorder.expect(list.takeRetired() == caches[3].reference, "the one that retired last")
    recorder.expect(list.takeRetired() == caches[1].reference, "the other")
    recorder.expect(list.takeRetired() == nil, "no more")
    recorder.expectEqual(list.ownedCount, 4, "owned again")
    list.retire(caches[0].reference)
    recorder.expect(list.takeRetired() == caches[0].reference, "one that never did before")
    var seen = 0
    list.forEach { _ in seen += 1 }
    recorder.expectEqual(seen, 4, "each is seen once")
  },

  Check("cache list: those with an owner have their turns, whoever comes and goes") { recorder in
    for seed: UInt64 in 1...20 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: seed)
      var list = CacheList(isClosedForGood: false)
      let table = BareTable()
      var owned: [CacheReference] = []
      list.forEachNext(3) { _ in recorder.fail("there is none") }
      for step in 0..<200 {
        switch random.below(4) {
        case 0:
          let cache = BareCache(table).reference
          list.add(cache)
          owned.append(cache)
        case 1:
          if let cache = list.takeRetired() { owned.append(cache) }
        case 2:
          if !owned.isEmpty { list.retire(owned.remove(at: random.below(owned.count))) }
        default:
          list.forEachNext(random.below(5)) { cache in
            recorder.expect(owned.contains(cache), "it has no owner, step \(step)")
          }
        }
        if random.below(8) > 0 { continue }
        // A round of all, as they come: each once.
        var seen: [CacheReference] = []
        for _ in 0..<owned.count {
          list.forEachNext(1) { cache in
            recorder.expect(!seen.contains(cache), "twice in a round, step \(step)")
            seen.append(cache)
          }
        }
        recorder.expectEqual(seen.count, owned.count, "caches in a round")
        list.forEachNext(owned.count + 1) { seen.append($0) }
        recorder.expectEqual(seen.count, 2 * owned.count, "no more at once than there are")
        if !recorder.isGood { return }
      }
    }
  },

  Check("cache list: what all hold, retired ones included, and the owners that they counted") {
    recorder in
    var list = CacheList(isClosedForGood: false)
    let caches = filledCaches(3, &list, &recorder)
    list.retire(caches[2].reference)
    recorder.expectEqual(list.heldPages, 1 + 2 + 3, "pages")
    recorder.expectEqual(caches[1].take(2, as: .owned) ?? -1, 1024, "taken by an owner")
    recorder.expectEqual(list.heldPages, 1 + 3, "pages")
    recorder.expectEqual(list.ownerCount ?? -9, 1, "owners")
    recorder.expect(caches[0].reference.front.enter(), "inside")
    recorder.expect(list.ownerCount == nil, "somebody may be counting")
    caches[0].reference.front.leave()
    recorder.expectEqual(list.ownerCount ?? -9, 1, "owners")
  },

  Check("cache list: a drain closes what holds something, takes it, and opens again") { recorder in
    var list = CacheList(isClosedForGood: false)
    let empty = BareCache(capacity: 0)
    list.add(empty.reference)
    recorder.expect(list.close() == nil, "nothing to take")
    let caches = filledCaches(3, &list, &recorder)
    guard let ticket = list.close() else { return recorder.fail("three hold something") }
    recorder.expect(!empty.reference.front.isClosed, "an empty one stays open")
    for cache in caches {
      recorder.expect(cache.reference.front.isClosed, "closed")
      recorder.expect(cache.take(1) == nil && !cache.giveFresh(9000, 1), "its owner stays outside")
      recorder.expect(cache.reference.front.isOutside, "and is outside")
    }
    recorder.expect(list.drain(ticket), "all gave")
    recorder.expectEqual(list.heldPages, 0, "pages")
    for cache in caches { recorder.expect(cache.giveFresh(9000, 1), "open again") }
    recorder.expect(list.drain(ticket), "nothing is left for this drain")
    recorder.expectEqual(list.heldPages, 3, "pages put in afterwards")
  },

  Check("cache list: a drain passes over a thousand empty ones") { recorder in
    var list = CacheList(isClosedForGood: false)
    let table = BareTable()
    let empty = (0..<1000).map { _ in BareCache(table, capacity: 0) }
    for cache in empty { list.add(cache.reference) }
    let caches = filledCaches(2, &list, &recorder)
    recorder.expectEqual(list.stockedCount, 2, "stocked")
    guard let ticket = list.close() else { return recorder.fail("two hold something") }
    recorder.expect(list.drain(ticket), "all gave")
    for cache in caches { cache.reference.contents.resetCapacity() }
    recorder.expect(list.close() == nil, "nothing to take")
    recorder.expectEqual(list.stockedCount, 0, "stocked")
    // One in the middle of three comes and goes.
    for index in [3, 5, 7] {
      empty[index].raiseCapacity(for: 1, limit: 128)
      for _ in 0..<2 { list.noteCapacity(of: empty[index].reference) }
    }
    recorder.expectEqual(list.stockedCount, 3, "stocked")
    empty[5].reference.contents.resetCapacity()
    recorder.expect(list.close() != nil, "two may hold something")
    recorder.expectEqual(list.stockedCount, 2, "stocked")
    recorder.expect(list.hasAllStocked, "all that may")
    recorder.expect(!empty[5].reference.front.isClosed, "not closed")
    recorder.expect(
      empty[3].reference.front.isClosed && empty[7].reference.front.isClosed, "closed")
  },

  Check("cache list: who is inside is left alone, and all are where there is no barrier") {
    recorder in
    var list = CacheList(isClosedForGood: false)
    let caches = filledCaches(3, &list, &recorder)
    recorder.expect(caches[1].reference.front.enter(), "inside")
    guard let ticket = list.close() else { return recorder.fail("three hold something") }
    recorder.expect(!list.drain(ticket, canSeeOthers: false, own: caches[0]), "not all gave")
    recorder.expectEqual(list.heldPages, 5, "its own alone")
    recorder.expect(!list.drain(ticket), "not all gave")
    recorder.expectEqual(list.heldPages, 2, "but for the one inside")
    caches[1].reference.front.leave()
    recorder.expect(list.drain(ticket), "all gave")
    recorder.expectEqual(list.heldPages, 0, "pages")
  },

  Check("cache list: a drain takes what was closed before it, and nothing that was closed later") {
    recorder in
    // From the start, and where the numbers of tickets go round.
    for first: UInt32 in [1, .max - 2, .max, 0x7fff_fffd] {
      recorder.context = "from \(first)"
      var list = CacheList(isClosedForGood: false, firstTicket: first)
      let cache = filledCaches(1, &list, &recorder)[0]
      guard let one = list.close() else { return recorder.fail("one holds something") }
      // Closed by the first drain, whose barrier may still be to come; the second one's is past.
      guard let two = list.close() else { return recorder.fail("it still does") }
      recorder.expect(list.drain(two), "the second one takes what the first one closed")
      recorder.expectEqual(list.heldPages, 0, "pages")
      recorder.expect(cache.giveFresh(600, 1), "used again")
      guard let three = list.close() else { return recorder.fail("it holds something") }
      recorder.expect(list.drain(one), "there is nothing for the first one")
      recorder.expect(list.drain(two), "nor for the second")
      recorder.expectEqual(list.heldPages, 1, "closed later: left alone")
      recorder.expect(cache.reference.front.isClosed, "and still closed")
      recorder.expect(list.drain(three), "the third one takes it")
      recorder.expectEqual(list.heldPages, 0, "pages at the end")
    }
  },

  Check("cache list: closed for good, nobody comes in, nor into a cache that comes later") {
    recorder in
    var list = CacheList(isClosedForGood: false)
    let caches = filledCaches(2, &list, &recorder)
    guard let ticket = list.close() else { return recorder.fail("two hold something") }
    list.reopen(caches[0].reference)
    list.closeForGood()
    recorder.expect(list.drain(ticket), "what was closed by the drain")
    recorder.expectEqual(list.heldPages, 1, "what was open then is not its business")
    for cache in caches {
      list.reopen(cache.reference)
      recorder.expect(cache.reference.front.isClosed, "closed")
    }
    list.retire(caches[1].reference)
    recorder.expect(list.takeRetired() == caches[1].reference, "used again")
    let late = BareCache()
    list.add(late.reference)
    for cache in [caches[1], late] {
      recorder.expect(!cache.giveFresh(700, 1), "nobody comes in")
    }
    var checked = CacheList(isClosedForGood: true)
    let other = BareCache()
    checked.add(other.reference)
    recorder.expect(!other.giveFresh(700, 1), "closed from the start")
  },
]

/// New caches of a list, which hold a run of 1 page, of 2, of 3 ...
private func filledCaches(
  _ count: Int, _ list: inout CacheList, _ recorder: inout Recorder
) -> [BareCache] {
  let table = BareTable()
  var caches: [BareCache] = []
  for index in 0..<count {
    let cache = BareCache(table)
    list.add(cache.reference)
    recorder.expect(cache.giveFresh(512 * (index + 1), index + 1), "filled")
    caches.append(cache)
  }
  return caches
}

extension CacheList {
  /// The last step of a drain: takes all, and reopens.
  fileprivate mutating func drain(
    _ ticket: DrainTicket, canSeeOthers: Bool = true, own: BareCache? = nil
  ) -> Bool {
    let list = self
    return list.drainClosed(ticket, canSeeOthers: canSeeOthers, own: own?.reference) {
      $0.contents.drain { _, _ in }
      self.reopen($0)
    }
  }
}
