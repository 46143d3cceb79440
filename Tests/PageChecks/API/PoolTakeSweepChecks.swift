import PageAlloc

// What takes a run of a pool, with the counts and alignments of TakeSweepChecks. A pool has an
// arena of 4 GiB, and another where that one is full: what depends on where an arena lies, or has
// more pages than are left, may be had. What no arena can serve makes none.

/// What takes runs.
private enum PoolRequest: CaseIterable {
  case pool, zeroed, telling, owner, guarded, closed, readWrite, writableCode

  /// The most pages that it can be asked for.
  var limit: Int { self == .guarded ? pageLimit - 2 : pageLimit }

  /// What comes of it, by the letter in the table.
  func letter(_ letter: Unicode.Scalar) -> Unicode.Scalar {
    switch letter {
    case _ where self == .writableCode && letter != "C" && letter != "A": "W"
    case "O": "?"
    default: letter
    }
  }
}

/// Runs of any length and alignment, of a pool.
package let poolTakeSweepChecks: [Check] = [
  Check("sweep: requests of a pool that are refused change nothing, others are met") { recorder in
    if is32Bit { return recorder.leaveOut("a host of 32 bits has one arena") }
    if leavesOutPools(&recorder) { return }
    for mode in SweepMode.allCases { sweepPoolTakes(mode, &recorder) }
  },

  Check("sweep: a run that no arena of a pool has room for, so aligned, makes none") { recorder in
    if is32Bit { return recorder.leaveOut("a host of 32 bits has one arena") }
    guard let pool = makePool(&recorder) else { return }
    // Half of an arena's address space, whose last chunk is not grown to.
    let alignment = Int(truncatingIfNeeded: UInt64(1) << 31)
    let most = 1023 * 512 - alignment / 8192
    for pages in [most + 1, most + 512, 1022 * 512] {
      guard case .outOfMemory(pages, _)? = pool.errorOfTaking(pages, alignment: alignment) else {
        return recorder.fail("\(pages) pages: taken, or another error")
      }
      recorder.expectEqual(pool.arenaCount, 1, "arenas after \(pages) pages")
    }
    for arenas in 1...2 {
      recorder.expect(pool.errorOfTaking(most, alignment: alignment) == nil, "as much as there is")
      recorder.expectEqual(pool.arenaCount, arenas, "arenas")
    }
  },
]

/// Makes every request, those first that are refused.
private func sweepPoolTakes(_ mode: SweepMode, _ recorder: inout Recorder) {
  guard let swept = SweepArena(mode, inPool: true, &recorder), let pool = swept.pool else { return }
  for isToSucceed in [false, true] {
    for taker in PoolRequest.allCases where recorder.isGood {
      for row in countRows {
        for (index, inTable) in row.letters.unicodeScalars.enumerated() {
          let letter = taker.letter(inTable)
          if (letter == "-" || letter == "?") != isToSucceed { continue }
          let (pages, alignment) = (row.pages(taker.limit), sweepAlignments[index])
          recorder.context = "\(taker), \(pages) pages, alignment \(alignment), \(mode)"
          let (before, arenas) = (pool.statistics, pool.arenaCount)
          let error = taker.take(pages, alignment, pool, &recorder)
          expect(error, letter, pages, alignment, taker.limit, &recorder)
          if isToSucceed { continue }
          recorder.expect(pool.statistics.isAsBefore(before), "statistics")
          recorder.expectEqual(pool.arenaCount, arenas, "arenas")
        }
      }
      swept.expectSound(&recorder)
    }
  }
}

extension PoolRequest {
  /// Takes a run, looks at where it lies, and frees it.
  ///
  /// - Returns: why there is none.
  fileprivate func take(
    _ pages: Int, _ alignment: Int, _ pool: PagePool, _ recorder: inout Recorder
  ) -> PageArenaError? {
    do throws(PageArenaError) {
      switch self {
      case .pool, .zeroed, .telling:
        var isZero = false
        let base =
          self == .telling
          ? unsafe try pool.allocate(pages: pages, alignment: alignment, isZero: &isZero)
          : unsafe try pool.allocate(
            pages: pages, alignment: alignment, zeroed: self == .zeroed)
        let run = unsafe Run(base, pages: pages)
        recorder.expect(run.address % UInt(alignment) == 0, "it lies right")
        // Of a run as long as an arena, no more than that is touched.
        let first = run.part(0, min(pages, 130))
        recorder.expect(self == .pool || !isZero && self == .telling || first.isZero, "zero")
        first.stamp(1)
        recorder.expect(pool.errorOfGiving(run) == nil, "freed")
      case .owner, .guarded:
        let run =
          self == .owner
          ? try pool.allocateRun(pages: pages, alignment: alignment, zeroed: true)
          : try pool.allocateGuardedRun(pages: pages, alignment: alignment)
        recorder.expect(run.address % UInt(alignment) == 0, "it lies right")
        recorder.expectEqual(run.pages, pages, "pages")
      case .closed, .readWrite, .writableCode:
        let access: PageAccess =
          self == .closed ? .none : self == .readWrite ? .readWrite : .readWriteExecute
        let run = try pool.allocateRun(pages: pages, alignment: alignment, access: access)
        recorder.expect(run.address % UInt(alignment) == 0, "it lies right")
        recorder.expect(isReadable(run.address) == (self != .closed), "whether it can be read")
      }
      return nil
    } catch { return error }
  }
}
