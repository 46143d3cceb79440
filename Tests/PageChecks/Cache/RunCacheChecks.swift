import PageAlloc

/// One cache, without an arena. Pictures show pages from the left: what the cache has, and what was
/// asked for.
package let runCacheChecks: [Check] = [
  Check("run cache: what was freed last is handed out first") { recorder in
    let cache = BareCache()
    for page in [512, 600, 700, 800] { recorder.expect(cache.giveFresh(page, 3), "put \(page)") }
    recorder.expectEqual(cache.heldPages, 12, "pages")
    recorder.expect(cache.take(4) == nil, "no longer run")
    for page in [800, 700, 600, 512] {
      recorder.expectEqual(cache.take(3) ?? -1, page, "the newest")
      recorder.expectEqual(cache.runs.length(page), 3, "it is handed out")
    }
    recorder.expect(cache.take(3) == nil, "nothing is left")
    recorder.expectEqual(cache.heldPages, 0, "pages at the end")
  },

  Check("run cache: what is no length finds nothing, with a hot run or without") { recorder in
    for isHot in [false, true] {
      recorder.context = isHot ? "with one" : "without"
      let cache = BareCache()
      if isHot { recorder.expect(cache.giveFresh(512, 3), "put") }
      let address = Geometry.address(of: 512, from: BareCache.base)
      for pages in [0, -1, 0x1fff, 0x2000, 0x2003, .max, .min, .min + 3] {
        for kind in [RunKind.raw, .owned] {
          recorder.expect(cache.take(pages, as: kind) == nil, "\(pages) pages")
          recorder.expect(cache.take(pages, aligned: 8, as: kind) == nil, "\(pages) aligned")
          recorder.expect(
            !cache.reference.deallocate(address, pages, as: kind), "\(pages) pages back")
        }
      }
      recorder.expectEqual(cache.heldPages, isHot ? 3 : 0, "pages")
      recorder.expect(cache.take(3) == (isHot ? 512 : nil), "the run itself")
    }
  },

  Check("run cache: the smallest longer run is cut, the hot one last") { recorder in
    //   512 #####      600 #########      700 ######## (hot)
    //       ----+          ---++++++          --++++++
    let cache = BareCache()
    for (page, pages) in [(512, 5), (600, 9), (700, 8)] {
      recorder.expect(cache.giveFresh(page, pages), "put \(page)")
    }
    recorder.expectEqual(cache.take(4) ?? -1, 512, "cut off five")
    recorder.expectEqual(cache.take(3) ?? -1, 600, "cut off nine, since the hot run is no choice")
    recorder.expectEqual(cache.take(1) ?? -1, 516, "what was left of five")
    recorder.expectEqual(cache.take(6) ?? -1, 603, "what was left of nine")
    recorder.expectEqual(cache.take(2) ?? -1, 700, "cut off the hot one, for want of others")
    recorder.expectEqual(cache.heldPages, 6, "what was left of that")
  },

  Check("run cache: an aligned run is cut out of the smallest that is sure to have one") {
    recorder in
    //   page 514:  ######++++####    4 pages at a multiple of 8
    let cache = BareCache()
    recorder.expect(cache.giveFresh(514, 14), "put")
    cache.stackHotRun()
    recorder.expect(cache.take(8, aligned: 8) == nil, "14 pages need not have eight that lie right")
    recorder.expectEqual(cache.take(4, aligned: 8) ?? -1, 520, "in the middle")
    recorder.expectEqual(cache.take(6) ?? -1, 514, "what was before it")
    recorder.expectEqual(cache.take(4) ?? -1, 524, "what was after it")
    recorder.expectEqual(cache.heldPages, 0, "pages")
  },

  Check("run cache: an aligned run is cut out where there is room for what is left of the other") {
    recorder in
    //   page 514:  ######+++++###    5 pages at a multiple of 8, 6 before and 3 after
    //              ######++######    2 pages, and twice 6
    for (pages, rest, most) in [(5, 3, 31), (5, 6, 31), (2, 6, 30)] {
      for count in [most, most + 1] {
        recorder.context = "\(pages) pages, \(count) runs of \(rest)"
        let cache = BareCache(capacity: 256)
        for index in 0..<count {
          cache.raiseCapacity(for: rest, limit: 256)
          recorder.expect(cache.giveFresh(1025 + 16 * index, rest), "put \(index)")
        }
        cache.raiseCapacity(for: 14, limit: 256)
        recorder.expect(cache.giveFresh(514, 14), "put the longer one")
        cache.stackHotRun()
        let page = cache.take(pages, aligned: 8)
        recorder.expectEqual(page ?? -1, count == most ? 520 : -1, "where it lies")
        recorder.expectEqual(
          cache.heldPages, count * rest + 14 - (page == nil ? 0 : pages), "pages that stay")
        if page == nil { recorder.expectEqual(cache.take(14) ?? -1, 514, "the longer one") }
      }
    }
  },

  Check("run cache: of one size the newest that lies right goes, of eight") { recorder in
    let cache = BareCache()
    for page in [640, 513, 576, 514, 515] { recorder.expect(cache.giveFresh(page, 1), "put") }
    recorder.expectEqual(cache.take(1, aligned: 64) ?? -1, 576, "the newest at a multiple")
    recorder.expectEqual(cache.take(1, aligned: 64) ?? -1, 640, "the next")
    recorder.expect(cache.take(1, aligned: 64) == nil, "no other lies right")
    var left: [Int] = []
    while let page = cache.take(1) { left.append(page) }
    left.sort()
    recorder.expect(left == [513, 514, 515], "the others are there")
    // The only one that lies right is the ninth.
    for page in [704, 705, 706, 707, 708, 709, 710, 711, 712] {
      recorder.expect(cache.giveFresh(page, 1), "put \(page)")
    }
    cache.stackHotRun()
    recorder.expect(cache.take(1, aligned: 64) == nil, "no more than eight are looked at")
  },

  Check("run cache: what is not a run, or not as long, does not come in") { recorder in
    let cache = BareCache()
    recorder.expect(cache.giveFresh(512, 2), "put")
    cache.runs.setLength(600, 5)
    for (page, pages) in [(512, 2), (513, 1), (600, 4), (600, 6), (601, 5), (600, 0), (600, -1)] {
      recorder.expect(!cache.give(page, pages), "\(pages) pages at \(page)")
    }
    recorder.expect(!cache.give(600, 5 + 256), "a length that looks like another in a byte")
    let address = Geometry.address(of: 600, from: BareCache.base)
    recorder.expect(!cache.reference.deallocate(address + 1, 5, as: .raw), "misaligned")
    recorder.expect(
      !cache.reference.deallocate(BareCache.base - 8192, 5, as: .raw), "below all")
    recorder.expectEqual(cache.heldPages, 2, "pages")
    recorder.expectEqual(cache.runs.length(600), 5, "still handed out")
    recorder.expect(cache.give(600, 5), "the run itself does")
  },

  Check("run cache: what is no length of a run finds none, however much there is") { recorder in
    let cache = BareCache(capacity: 127 * 40)
    var given: [PageNumber] = []
    for index in 0..<33 { given.append(513 + 131 * index) }
    for index in 0..<8 { given.append(9001 + 257 * index) }
    for page in given {
      let pages = page < 9000 ? 127 : 200
      cache.raiseCapacity(for: pages, limit: 127 * 40)
      recorder.expect(cache.giveFresh(page, pages), "put \(page)")
    }
    let held = cache.heldPages
    for pages in [Int.min, Int.min + 1, -201, -200, -127, -1, 0, 1 << 19, 1 << 30, Int.max] {
      for kind in [RunKind.raw, .owned] {
        recorder.expect(cache.take(pages, as: kind) == nil, "\(pages) pages")
        recorder.expect(cache.take(pages, aligned: 2, as: kind) == nil, "\(pages) aligned pages")
      }
    }
    recorder.expectEqual(cache.heldPages, held, "pages")
    recorder.expect(
      cache.drain().map { $0.lowerBound }.sorted() == given, "all runs are there, once each")
  },

  Check("run cache: no more than the capacity, which is kept room for the hot run") { recorder in
    let cache = BareCache(capacity: 0)
    recorder.expect(!cache.giveFresh(512, 1), "nothing without a word")
    cache.runs.setLength(512, 0)
    cache.raiseCapacity(for: 1, limit: 200)
    recorder.expectEqual(cache.capacity, 128, "the first capacity")
    for index in 0..<4 { recorder.expect(cache.giveFresh(512 + 40 * index, 32), "put \(index)") }
    recorder.expect(!cache.giveFresh(900, 1), "128 pages are the capacity")
    recorder.expectEqual(cache.heldPages, 128, "pages")
    recorder.expectEqual(cache.runs.length(900), 1, "it is still handed out")
    cache.raiseCapacity(for: 1, limit: 200)
    recorder.expectEqual(cache.capacity, 200, "doubled, up to the limit")
    recorder.expect(cache.give(900, 1), "then there is room")
    // The hot run's place stays its own: nobody else takes the page.
    recorder.expectEqual(cache.take(1) ?? -1, 900, "the hot run")
    recorder.expect(!cache.giveFresh(1000, 73), "room for 72 and for the hot one")
    recorder.expectEqual(cache.drain().count, 4, "runs")
    recorder.expectEqual(cache.heldPages, 0, "pages at the end")
    cache.reference.contents.resetCapacity()
    recorder.expectEqual(cache.capacity, 0, "it was taken back")
    recorder.expectEqual(cache.reference.contents.chargedPages, 0, "no room is kept")
  },

  Check("run cache: a full stack takes no more, is relieved by half, or goes as a magazine") {
    recorder in
    let cache = BareCache()
    for index in 0..<33 { recorder.expect(cache.giveFresh(512 + index, 1), "put \(index)") }
    recorder.expect(cache.reference.contents.isFull(1), "32, and the hot one")
    recorder.expect(!cache.giveFresh(600, 1), "one more")
    let other = BareCache()
    recorder.expect(
      !other.reference.contents.hasRoomForMagazine(of: 1, limit: 15), "no room for 16")
    recorder.expect(
      other.reference.contents.hasRoomForMagazine(of: 1, limit: 16), "room for 16")
    other.reference.contents.put(cache.reference.contents.takeMagazine(of: 1))
    recorder.expect(
      !other.reference.contents.hasRoomForMagazine(of: 1, limit: 128), "it has some")
    recorder.expectEqual(cache.heldPages, 17, "pages left")
    recorder.expectEqual(other.heldPages, 16, "pages of the other")
    for index in (16..<32).reversed() {
      recorder.expectEqual(other.take(1) ?? -1, 512 + index, "the half that came last")
    }
    var relieved: [Int] = []
    for index in 0..<16 { recorder.expect(cache.giveFresh(700 + index, 1), "put \(index)") }
    cache.reference.contents.halveStacks(for: 1) { page, _ in relieved.append(page) }
    recorder.expectEqual(relieved.count, 16, "given up")
    recorder.expectEqual(cache.heldPages, 17, "pages that stay")
  },

  Check("run cache: what stays, when much goes, is of all sizes") { recorder in
    let cache = BareCache()
    for size in 1...8 {
      cache.raiseCapacity(for: 127, limit: 4096)
      for index in 0..<16 {
        recorder.expect(cache.giveFresh(512 * size + 8 * index, size), "\(size) pages")
      }
    }
    cache.stackHotRun()
    cache.reference.contents.drainStacks(to: 320) { _, _ in }
    recorder.expect(cache.heldPages <= 320, "\(cache.heldPages) pages stay")
    recorder.expect(cache.heldPages > 320 - 8 * 8, "\(cache.heldPages) pages stay")
    for size in 1...8 { recorder.expect(cache.count(of: size) >= 8, "\(size) pages") }
    cache.reference.contents.drainStacks(to: 0) { _, _ in }
    recorder.expectEqual(cache.heldPages, 0, "pages at the end")
  },

  Check("run cache: a child of fork forgets all, but owners stay counted") { recorder in
    let cache = BareCache()
    cache.raiseCapacity(for: 300, limit: 1024)
    recorder.expect(cache.giveFresh(512, 4), "put")
    recorder.expect(cache.giveFresh(1024, 300), "put a long one")
    recorder.expectEqual(cache.take(4, as: .raw) ?? -1, 512, "taken")
    recorder.expect(cache.give(512, 4, as: .owned), "put by an owner")
    recorder.expectEqual(cache.ownerCount, -1, "one more went than came")
    recorder.expect(cache.reference.front.enter(), "somebody is inside")
    cache.reference.contents.forget()
    recorder.expect(cache.reference.front.isOutside, "nobody is inside")
    recorder.expectEqual(cache.heldPages, 0, "pages")
    recorder.expectEqual(cache.ownerCount, -1, "owners")
    recorder.expect(cache.drain().isEmpty, "no run is left")
    recorder.expect(cache.giveFresh(600, 4), "it can be used")
    recorder.expectEqual(cache.take(4) ?? -1, 600, "it can be used")
  },
]
