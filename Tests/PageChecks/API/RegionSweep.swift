import PageAlloc

// Regions and slabs, for PartSweepChecks.

// MARK: - Regions

/// What a region counts as.
enum RegionOwner: CaseIterable { case process, arena, pool }

/// What is done to a region.
private enum RegionCall: CaseIterable {
  case grow, shrink
  case close, readOnly, writableCode, discard, decommit, commit
}

extension PageRegion {
  fileprivate mutating func error(_ call: RegionCall, _ range: Range<Int>) -> PageArenaError? {
    do throws(PageArenaError) {
      switch call {
      case .grow: try grow(to: range.upperBound)
      case .shrink: try shrink(to: range.upperBound)
      case .close: try protect(.none, in: range)
      case .readOnly: try protect(.readOnly, in: range)
      case .writableCode: try protect(.readWriteExecute, in: range)
      case .discard: try discard(in: range)
      case .decommit: try decommit(in: range)
      case .commit: try commit(in: range)
      }
      return nil
    } catch { return error }
  }

  /// What is to come of a call that changes nothing; that of a protection of a hole, last.
  fileprivate func expected(_ call: RegionCall, _ range: Range<Int>) -> PageArenaError? {
    let (lower, upper) = (range.lowerBound, range.upperBound)
    switch call {
    case .grow, .shrink:
      return upper >= 0 && upper <= reservedByteCount
        ? nil : .outOfBounds(lowerBound: 0, upperBound: upper, limit: reservedByteCount)
    case .writableCode: return .writableCode
    default:
      guard lower >= 0, upper <= byteCount else {
        return .outOfBounds(lowerBound: lower, upperBound: upper, limit: byteCount)
      }
      if (lower | upper) & (granularity - 1) == 0 { return nil }
      return .partOfPhysicalPage(
        base: address + UInt(lower), physicalPageSize: granularity)
    }
  }
}

func sweepRegion(_ owner: RegionOwner, _ recorder: inout Recorder) {
  recorder.context = "\(owner)"
  if owner == .pool, is32Bit || leavesOutPools(&recorder) { return }
  do throws(PageArenaError) {
    let arena = try PageArena(quiet())
    let pool = owner == .pool ? try PagePool(reserving: 1 << 32, options: quiet()) : nil
    var region =
      if let pool {
        try PageRegion(reserving: 1 << 20, countedIn: pool)
      } else if owner == .arena {
        try PageRegion(reserving: 1 << 20, countedIn: arena)
      } else {
        try PageRegion(reserving: 1 << 20)
      }
    let size = region.granularity
    try region.grow(to: 8 * size)
    try region.decommit(in: 4 * size..<6 * size)
    try region.protect(.readOnly, in: 0..<size)
    let statistics = pool?.statistics ?? arena.statistics
    recorder.expectEqual(
      statistics.regionBytes, owner == .process ? 0 : UInt64(6 * size), "of regions")
    let odd = [1..<size, 0..<(size + 1), (size - 1)..<(size - 1), (8 * size - 1)..<(8 * size)]
    for call in RegionCall.allCases {
      for range in sweepRanges(8 * size, step: size) + odd {
        let expected = region.expected(call, range)
        // What it has is grown to, or cut off.
        if expected == nil, !range.isEmpty || call == .shrink { continue }
        if call == .grow, range.upperBound > 8 * size, expected == nil { continue }
        recorder.context = "\(owner), \(call), \(range.lowerBound) ..< \(range.upperBound)"
        let error = region.error(call, range)
        recorder.expect(error == expected, error?.description ?? "no error")
        recorder.expect((pool?.statistics ?? arena.statistics) == statistics, "statistics")
      }
      recorder.context = "\(owner), \(call)"
      if call == .close || call == .readOnly {
        recorder.expect(
          region.error(call, 3 * size..<5 * size)
            == .notCommitted(lowerBound: 4 * size, upperBound: 5 * size), "over a hole")
      }
      recorder.expectEqual(region.byteCount, 8 * size, "its size")
      recorder.expectEqual(region.committedByteCount, 6 * size, "committed")
      for page in 0..<8 {
        recorder.expect(
          isReadable(region.address + UInt(page * size)) == (page < 4 || page > 5), "page \(page)")
      }
    }
    for byteCount in [Int.min, -1, 0, PageRegion.maximumByteCount + 1, .max] {
      expectNoRegion(byteCount, 0, arena, pool, &recorder)
    }
    for guardByteCount in [Int.min, -1, PageRegion.maximumByteCount, .max] {
      expectNoRegion(1, guardByteCount, arena, pool, &recorder)
    }
    recorder.expect((pool?.statistics ?? arena.statistics) == statistics, "statistics")
  } catch { recorder.fail(error.description) }
}

/// There is no such region, whatever it would count as.
private func expectNoRegion(
  _ byteCount: Int, _ guardByteCount: Int, _ arena: PageArena, _ pool: PagePool?,
  _ recorder: inout Recorder
) {
  recorder.context = "\(byteCount) bytes, \(guardByteCount) behind it"
  let expected =
    guardByteCount == 0
    ? PageArenaError.badByteCount(byteCount: byteCount)
    : .badGuardByteCount(guardByteCount: guardByteCount)
  recorder.throwsError(expected) { () throws(PageArenaError) in
    _ = try PageRegion(reserving: byteCount, guardByteCount: guardByteCount)
  }
  recorder.throwsError(expected) { () throws(PageArenaError) in
    _ = try PageRegion(
      reserving: byteCount, guardByteCount: guardByteCount, countedIn: arena)
  }
  guard let pool else { return }
  recorder.throwsError(expected) { () throws(PageArenaError) in
    _ = try PageRegion(reserving: byteCount, guardByteCount: guardByteCount, countedIn: pool)
  }
}

// MARK: - Slabs

func sweepSlab(_ mode: SweepMode, _ recorder: inout Recorder) {
  guard let swept = SweepArena(mode, &recorder) else { return }
  for size in frameSizes {
    guard let slab = makeSlab(size, in: swept.arena, &recorder), let frame = slab.take(&recorder)
    else { return }
    frame.stamp(3, size)
    let (before, statistics) = (swept.arena.statistics, slab.statistics)
    for row in freeRows {
      let place = row.place(swept)
      recorder.context = "\(row.name), \(size) bytes, \(mode)"
      // The slab's run of 64 frames may lie in what was free.
      let run = frame.address & ~UInt(64 * size - 1)
      let isInRun = place.address &- run < UInt(64 * size)
      recorder.expect(slab.holds(place.address) == isInRun, "whether it is the slab's")
      if isInRun { continue }
      expectNoFrame(place.address, .foreign(base: place.address), slab, &recorder)
    }
    for offset in [1, 8, size / 2, size - 1] {
      let inside = frame.address + UInt(offset)
      recorder.context = "\(offset) bytes into a frame, \(size) bytes, \(mode)"
      expectNoFrame(inside, .misaligned(base: inside), slab, &recorder)
      recorder.expectEqual(slab.frame(at: inside), frame.address, "the frame that it lies in")
    }
    recorder.context = "\(size) bytes, \(mode)"
    recorder.expect(swept.arena.statistics == before, "statistics of the arena")
    recorder.expect(slab.statistics == statistics, "statistics of the slab")
    recorder.expect(frame.isStamped(3, size), "contents")
    slab.give(frame, &recorder)
    expectNoFrame(frame.address, .frameNotInUse(base: frame.address), slab, &recorder)
    recorder.expect(slab.brokenInvariant() == nil, "invariants")
  }
  swept.expectSound(&recorder)
}

/// No call takes an address for a frame's.
private func expectNoFrame(
  _ address: UInt, _ expected: PageArenaError, _ slab: PageSlab, _ recorder: inout Recorder
) {
  guard let place = Frame(address: address) else { return }
  let error = slab.errorOfGiving(place)
  recorder.expect(error == expected, error?.description ?? "freed")
  let isInFrame = expected == .misaligned(base: address)
  // A slab tells nothing of where an owner's frame is to start: what is inside of one is refused.
  recorder.throwsError(expected) { () throws(PageArenaError) in
    _ = unsafe try slab.adopt(place.pointer)
  }
  if !isInFrame { recorder.expectEqual(slab.frame(at: address), 0, "a frame") }
}
