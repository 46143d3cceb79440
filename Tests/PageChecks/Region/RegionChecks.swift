import PageAlloc
import SysMem
import Synchronization

/// Of all regions of the process, so that nobody else may have some meanwhile.
package let regionAloneChecks: [Check] = [
  Check("regions: what all of them have committed") { recorder in
    let before = PageRegion.totalCommittedByteCount
    guard var region = makeRegion(64 << 20, FakeCalls(), &recorder),
      var other = makeRegion(64 << 20, FakeCalls(), &recorder)
    else { return }
    let size = region.granularity
    recorder.expect(region.errorOf(.grow(to: 40 * size)) == nil, "grown")
    recorder.expect(other.errorOf(.grow(to: 5 * size)) == nil, "the other one grown")
    recorder.expectEqual(
      Int(PageRegion.totalCommittedByteCount - before), 45 * size, "of both")
    recorder.expect(region.errorOf(.decommit(10 * size..<20 * size)) == nil, "a hole")
    recorder.expectEqual(
      Int(PageRegion.totalCommittedByteCount - before), 35 * size, "less the hole")
    recorder.expect(region.errorOf(.commit(12 * size..<14 * size)) == nil, "some of it again")
    recorder.expect(region.errorOf(.shrink(to: 15 * size)) == nil, "down into the hole")
    recorder.expectEqual(
      Int(PageRegion.totalCommittedByteCount - before), 17 * size, "what is left of both")
    region.end()
    other.end()
    recorder.expectEqual(Int(PageRegion.totalCommittedByteCount - before), 0, "at the end")
  }
]

/// Address space that becomes memory in place.
package let regionChecks: [Check] = [
  Check("region: it grows where it lies, and reads as zero") { recorder in
    let calls = FakeCalls()
    guard var region = makeRegion(100 << 20, guardByteCount: 1, calls, &recorder) else { return }
    let start = region.address
    let size = region.granularity
    recorder.expectEqual(region.reservedByteCount, 100 << 20, "reserved")
    recorder.expectEqual(region.guardByteCount, size, "the guard, rounded up")
    recorder.expectEqual(region.byteCount, 0, "at first")
    for byteCount in [1, size, size + 1, 1 << 20, 1 << 20, 5, 0, 100 << 20] {
      recorder.context = "\(byteCount) bytes"
      let before = region.byteCount
      recorder.expect(region.errorOf(.grow(to: byteCount)) == nil, "grown")
      recorder.expect(region.byteCount >= max(byteCount, before), "so far")
      recorder.expectEqual(region.byteCount % size, 0, "whole pages of the kernel's")
      recorder.expectEqual(region.committedByteCount, region.byteCount, "committed")
      recorder.expectEqual(region.bytes.byteCount, region.byteCount, "in the span")
      if region.byteCount == before { continue }
      recorder.expectEqual(region.word(region.byteCount - 8), 0, "the last word")
      region.setWord(region.byteCount - 8, UInt64(byteCount))
    }
    recorder.context = ""
    recorder.expectEqual(region.address, start, "it has not moved")
    recorder.expectEqual(region.word(size - 8), 1, "what was written first")
    region.end()
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  },

  Check("region: what was given back faults, and comes again as zero") { recorder in
    let calls = FakeCalls()
    guard var region = makeRegion(64 << 20, calls, &recorder) else { return }
    let size = region.granularity
    let kept = 40 * size
    recorder.expect(region.errorOf(.grow(to: kept)) == nil, "grown")
    for page in 0..<40 { region.setWord(page * size, 7) }
    // The model: which pages are there.
    var isThere = [Bool](repeating: true, count: 40)
    var random = SplitMix64(seed: 5)
    for step in 0..<400 {
      recorder.context = "step \(step)"
      let first = random.below(region.byteCount / size)
      let last = min(region.byteCount / size, first + 1 + random.below(6))
      let isBack = random.below(2) == 0
      let range = first * size..<last * size
      let error = region.errorOf(isBack ? .commit(range) : .decommit(range))
      if let error {
        recorder.expect(error == .tooManyHoles(limit: 32), error.description)
        continue
      }
      for page in first..<last {
        if isBack, !isThere[page] {
          recorder.expectEqual(region.word(page * size), 0, "it reads as zero")
          region.setWord(page * size, 7)
        }
        isThere[page] = isBack
      }
      let pages = isThere[..<(region.byteCount / size)].count { $0 }
      recorder.expectEqual(region.committedByteCount, pages * size, "committed")
      for page in 0..<(region.byteCount / size) where isThere[page] {
        recorder.expectEqual(region.word(page * size), 7, "page \(page)")
      }
      for page in 0..<(region.byteCount / size) {
        let address = region.address + UInt(page * size)
        if let isReadable = calls.isReadable(address) {
          recorder.expectEqual(isReadable ? 1 : 0, isThere[page] ? 1 : 0, "readable, \(page)")
        }
      }
    }
    recorder.context = ""
    recorder.expect(region.errorOf(.reset) == nil, "reset")
    recorder.expectEqual(region.committedByteCount, region.byteCount, "all of it")
    for page in 0..<40 { recorder.expectEqual(region.word(page * size), 0, "zero, \(page)") }
    recorder.expect(region.errorOf(.decommit(size * 10..<size * 20)) == nil, "a hole")
    recorder.expect(region.errorOf(.shrink(to: size * 20)) == nil, "down to it")
    recorder.expectEqual(region.byteCount, 20 * size, "the hole at the end stays one")
    recorder.expectEqual(region.committedByteCount, 10 * size, "it is not committed")
    recorder.expect(region.errorOf(.shrink(to: size * 5)) == nil, "less")
    recorder.expect(region.errorOf(.shrink(to: size * 9)) == nil, "no less")
    recorder.expectEqual(region.byteCount, 5 * size, "bytes")
    recorder.expect(region.errorOf(.grow(to: size * 30)) == nil, "again")
    recorder.expectEqual(region.word(size * 6), 0, "it reads as zero")
    region.end()
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  },

  Check("region: no more than 32 holes, of which some may come back") { recorder in
    guard var region = makeRegion(64 << 20, FakeCalls(), &recorder) else { return }
    let size = region.granularity
    recorder.expect(region.errorOf(.grow(to: 100 * size)) == nil, "grown")
    for hole in 0..<32 {
      let start = (3 * hole) * size
      recorder.expect(
        region.errorOf(.decommit(start..<start + 2 * size)) == nil, "hole \(hole)")
    }
    let many = PageArenaError.tooManyHoles(limit: 32)
    recorder.expect(region.errorOf(.decommit(97 * size..<98 * size)) == many, "one more")
    // A third page of a hole, in the middle, would make two of it.
    recorder.expect(
      region.errorOf(.decommit(2 * size..<3 * size)) == nil, "two become one")
    recorder.expect(region.errorOf(.decommit(97 * size..<98 * size)) == nil, "room")
    recorder.expect(region.errorOf(.commit(2 * size..<3 * size)) == many, "cut in two")
    recorder.expect(region.errorOf(.commit(0..<2 * size)) == nil, "its start")
    recorder.expectEqual(region.committedByteCount, (100 - 64 - 2 + 2) * size, "committed")
    recorder.expectEqual(region.word(0), 0, "there again")
  },

  Check("region: to have the size that it has asks nothing of the kernel") { recorder in
    let calls = FakeCalls()
    guard var region = makeRegion(1 << 20, calls, &recorder) else { return }
    let size = region.granularity
    recorder.expect(region.errorOf(.grow(to: 4 * size)) == nil, "grown")
    let before = calls.callCount.load(ordering: .relaxed)
    for use: RegionUse in [
      .grow(to: 4 * size), .grow(to: 3 * size + 1), .grow(to: 0), .shrink(to: 4 * size),
      .shrink(to: 3 * size + 1), .shrink(to: 5 * size), .decommit(size..<size),
    ] {
      recorder.expect(region.errorOf(use) == nil, "\(use)")
      recorder.expectEqual(calls.callCount.load(ordering: .relaxed), before, "calls")
      recorder.expectEqual(region.committedByteCount, 4 * size, "committed")
    }
  },

  Check("region: a part is protected, and reset undoes it") { recorder in
    guard var region = makeRegion(16 << 20, FakeCalls(), &recorder) else { return }
    let size = region.granularity
    recorder.expect(region.errorOf(.grow(to: 8 * size)) == nil, "grown")
    region.setWord(2 * size, 9)
    recorder.expect(region.errorOf(.protect(size..<3 * size, .readOnly)) == nil, "read")
    recorder.expectEqual(region.word(2 * size), 9, "it is read")
    recorder.expect(region.errorOf(.protect(4 * size..<5 * size, .none)) == nil, "none")
    recorder.expect(
      region.errorOf(.protect(0..<size, .readWriteExecute)) == .writableCode, "code")
    recorder.expect(region.errorOf(.decommit(6 * size..<7 * size)) == nil, "a hole")
    recorder.expect(
      region.errorOf(.protect(5 * size..<8 * size, .readOnly))
        == .notCommitted(lowerBound: 6 * size, upperBound: 7 * size), "over a hole")
    recorder.expect(region.errorOf(.reset) == nil, "reset")
    for page in 0..<8 {
      recorder.expectEqual(region.word(page * size), 0, "page \(page)")
      region.setWord(page * size, 1)
    }
    recorder.expect(region.errorOf(.discard(size..<2 * size)) == nil, "discarded")
    recorder.expectEqual(region.word(size), 0, "discarded")
    recorder.expectEqual(region.word(0), 1, "what lies before it")
  },

  Check("region: bad input is a typed error, and changes nothing") { recorder in
    let most = PageRegion.maximumByteCount
    for byteCount in [0, -1, .min, .max, most + 1] {
      recorder.throwsError(.badByteCount(byteCount: byteCount)) { () throws(PageArenaError) in
        _ = try PageRegion(reserving: byteCount)
      }
    }
    for byteCount in [-1, .min, .max, most] {
      recorder.throwsError(.badGuardByteCount(guardByteCount: byteCount)) {
        () throws(PageArenaError) in
        _ = try PageRegion(reserving: 1, guardByteCount: byteCount)
      }
    }
    guard var region = makeRegion(1 << 20, FakeCalls(), &recorder) else { return }
    let size = region.granularity
    recorder.expect(region.errorOf(.grow(to: 4 * size)) == nil, "grown")
    for byteCount in [-1, .min, .max, region.reservedByteCount + 1] {
      let expected = PageArenaError.outOfBounds(
        lowerBound: 0, upperBound: byteCount, limit: region.reservedByteCount)
      recorder.expect(region.errorOf(.grow(to: byteCount)) == expected, "grow")
      recorder.expect(region.errorOf(.shrink(to: byteCount)) == expected, "shrink")
    }
    let wrong = [-size..<size, 3 * size..<5 * size, 0..<Int.max, -1..<0, 5 * size..<5 * size]
    let parts = [1..<size, 0..<size + 1, size - 1..<size - 1]
    for range in wrong + parts {
      let expected =
        parts.contains(range)
        ? PageArenaError.partOfPhysicalPage(
          base: region.address + UInt(range.lowerBound), physicalPageSize: size)
        : .outOfBounds(lowerBound: range.lowerBound, upperBound: range.upperBound, limit: 4 * size)
      recorder.context = "\(range.lowerBound) ..< \(range.upperBound)"
      recorder.expect(region.errorOf(.decommit(range)) == expected, "decommit")
      recorder.expect(region.errorOf(.commit(range)) == expected, "commit")
      recorder.expect(region.errorOf(.discard(range)) == expected, "discard")
      recorder.expect(region.errorOf(.protect(range, .none)) == expected, "protect")
    }
    recorder.context = ""
    for place in [0, 2 * size, 4 * size] {
      recorder.expect(region.errorOf(.decommit(place..<place)) == nil, "of nothing")
    }
    recorder.expectEqual(region.committedByteCount, 4 * size, "nothing changed")
  },

  Check("region: what the kernel refuses is told, and nothing changes") { recorder in
    let calls = FakeCalls()
    calls.failingCall.store(0, ordering: .relaxed)
    do throws(PageArenaError) {
      _ = try PageRegion(reserving: 1 << 20, from: SysMem(calls: calls))
      recorder.fail("a region")
    } catch {
      if case .noAddressSpace = error {} else { recorder.fail(error.description) }
    }
    guard var region = makeRegion(1 << 20, calls, &recorder) else { return }
    let size = region.granularity
    let uses: [RegionUse] = [
      .grow(to: 8 * size), .decommit(size..<2 * size), .commit(size..<2 * size),
      .protect(0..<size, .readOnly), .discard(0..<size), .shrink(to: 4 * size),
    ]
    for (number, use) in uses.enumerated() {
      recorder.context = "call \(number)"
      let before = (region.byteCount, region.committedByteCount)
      calls.failingCall.store(calls.callCount.load(ordering: .relaxed), ordering: .relaxed)
      if case .system = region.errorOf(use) {} else { recorder.fail("not refused") }
      recorder.expect(before == (region.byteCount, region.committedByteCount), "as before")
      calls.failingCall.store(-1, ordering: .relaxed)
      recorder.expect(region.errorOf(use) == nil, "and then done")
    }
    recorder.context = ""
    recorder.expectEqual(region.byteCount, 4 * size, "bytes")
    region.end()
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  },

  Check("region: beyond 4 GiB, with a guard, where nothing can be read") { recorder in
    guard !is32Bit else {
      return recorder.leaveOut("a host of 32 bits has no such address space")
    }
    guard !isEmulated else {
      return recorder.leaveOut("an emulator keeps gigabytes of tables for so much address space")
    }
    var region: PageRegion
    do throws(PageArenaError) {
      region = try PageRegion(reserving: 1 << 36, guardByteCount: 32 << 20)
    } catch {
      return recorder.leaveOut("64 GiB of address space: refused")
    }
    recorder.expect(region.errorOf(.grow(to: 5 << 30)) == nil, "5 GiB")
    region.setWord((5 << 30) - 8, 3)
    recorder.expectEqual(region.word((5 << 30) - 8), 3, "the last word")
    recorder.expect(region.errorOf(.discard(0..<5 << 30)) == nil, "discarded")
    recorder.expectEqual(region.word((5 << 30) - 8), 0, "it is gone")
    for place in [5 << 30, (1 << 36) - 1, 1 << 36, (1 << 36) + (32 << 20) - 1] {
      // Only looked at, by the kernel.
      let isReadable = LinuxCalls().isReadable(region.address + UInt(place))
      recorder.expect(isReadable != true, "readable: \(place)")
    }
  },
]
