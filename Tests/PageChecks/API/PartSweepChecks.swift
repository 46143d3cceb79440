import PageAlloc
import SysMem

// Parts of an owner's run, and of a region, with every kind of range; a slab, with the places of
// FreeSweepChecks. Of what is refused no figure changes, nor the contents, nor which pages are
// memory; afterwards all of it is used as if nothing had been asked for.

/// What is done to a part of a run.
private enum PartCall: CaseIterable {
  case close, readOnly, readWrite, executable, writableCode
  case lock, prefault, discard, decommit, commit
  case preferHugePages, avoidHugePages

  var access: PageAccess? {
    switch self {
    case .close: PageAccess.none
    case .readOnly: .readOnly
    case .readWrite: .readWrite
    case .executable: .readExecute
    case .writableCode: .readWriteExecute
    case .lock, .prefault, .discard, .decommit, .commit, .preferHugePages, .avoidHugePages: nil
    }
  }

  /// Whether it is only for what is memory.
  var needsMemory: Bool { self == .lock || self == .prefault }
}

/// Which run it is a part of.
private enum PartedRun: CaseIterable {
  case plain, guarded, decommitted, readOnly, spaceAlone
}

/// Ranges that are not those of so many pages or bytes, and empty ones that are, in steps of
/// `step`.
func sweepRanges(_ count: Int, step: Int) -> [Range<Int>] {
  [
    .min..<(.min), .min..<(.max), .min..<0, .min..<(count), -step..<0, -step..<(step),
    -step..<(-step), 0..<0, count..<count, (count / 2)..<(count / 2), 0..<(count + step),
    (count - step)..<(count + step), count..<(count + step), (count + step)..<(count + step),
    (count + step)..<(count + 2 * step), 0..<(.max), (count - step)..<(.max), (.max)..<(.max),
    (.max - 1)..<(.max),
  ]
}

/// Parts of any place and length.
package let partSweepChecks: [Check] = [
  Check("sweep: parts of a run that are refused change nothing") { recorder in
    for mode in SweepMode.allCases {
      for kind in PartedRun.allCases where recorder.isGood { sweepParts(of: kind, mode, &recorder) }
    }
  },

  Check("sweep: parts and sizes of a region that are refused change nothing") { recorder in
    for owner in RegionOwner.allCases { sweepRegion(owner, &recorder) }
  },

  Check("sweep: what is no frame's place is refused by a slab, and changes nothing") { recorder in
    for mode in SweepMode.allCases { sweepSlab(mode, &recorder) }
  },
]

// MARK: - Runs

extension PageRun {
  fileprivate mutating func error(_ call: PartCall, _ range: Range<Int>) -> PageArenaError? {
    do throws(PageArenaError) {
      if let access = call.access {
        try protect(access, in: range)
        return nil
      }
      switch call {
      case .lock: try lock(in: range)
      case .prefault: try prefault(in: range)
      case .discard: try discard(in: range)
      case .decommit: try decommit(in: range)
      case .preferHugePages: try preferHugePages(in: range)
      case .avoidHugePages: try avoidHugePages(in: range)
      default: try commit(in: range)
      }
      return nil
    } catch { return error }
  }
}

extension PartedRun {
  fileprivate func make(_ arena: PageArena, _ recorder: inout Recorder) -> PageRun? {
    do throws(PageArenaError) {
      switch self {
      case .plain, .readOnly: return try arena.allocateRun(pages: 16)
      case .guarded: return try arena.allocateGuardedRun(pages: 16)
      case .decommitted:
        var run = try arena.allocateRun(pages: 16)
        try run.decommit(in: 8..<12)
        return run
      case .spaceAlone: return try arena.allocateRun(pages: 16, access: .none)
      }
    } catch {
      recorder.fail(error.description)
      return nil
    }
  }

  /// The pages of it that are memory before the first that is not.
  var memory: Int {
    switch self {
    case .plain, .guarded, .readOnly: 16
    case .decommitted: 8
    case .spaceAlone: 0
    }
  }
}

private func sweepParts(
  of kind: PartedRun, _ mode: SweepMode, _ recorder: inout Recorder
) {
  guard LinuxCalls().physicalPageSize <= PageArena.pageSize else { return }
  guard let arena = makeSweepArena(mode, &recorder), var run = kind.make(arena, &recorder) else {
    return
  }
  stampMemory(of: &run, kind.memory)
  if kind == .readOnly { recorder.expect(run.error(.readOnly, 0..<16) == nil, "read-only") }
  let (before, committed) = (arena.statistics, run.committedByteCount)
  for call in PartCall.allCases {
    for range in sweepRanges(16, step: 1) {
      recorder.context = "\(kind), \(call), \(range.lowerBound) ..< \(range.upperBound), \(mode)"
      let isInside = range.lowerBound >= 0 && range.upperBound <= 16
      let expected: PageArenaError? =
        call == .writableCode
        ? .writableCode
        : isInside
          ? nil
          : .outOfBounds(lowerBound: range.lowerBound, upperBound: range.upperBound, limit: 16)
      let error = run.error(call, range)
      recorder.expect(error == expected, error?.description ?? "no error")
      recorder.expect(arena.statistics == before, "statistics")
    }
    if call.needsMemory, kind.memory < 16 {
      recorder.context = "\(kind), \(call), \(mode)"
      let end = kind == .decommitted ? 12 : 16
      let error = run.error(call, 0..<16)
      recorder.expect(
        error == .notCommitted(lowerBound: kind.memory, upperBound: end),
        error?.description ?? "no error")
      recorder.expect(arena.statistics == before, "statistics")
    }
    recorder.expectEqual(run.committedByteCount, committed, "committed")
    for page in 0..<16 {
      let isMemory = page < kind.memory || kind == .decommitted && page >= 12
      recorder.expect(
        isReadable(run.address + UInt(page) << 13) == isMemory, "page \(page) can be read")
    }
    recorder.expect(run.isStamped(6, pages: kind.memory), "contents")
  }
  recorder.context = "\(kind), \(mode)"
  run.deallocate()
  recorder.expectEqual(arena.settledStatistics.inUseBytes, 0, "in use at the end")
  recorder.expect(arena.brokenInvariant() == nil, "invariants")
}

/// Writes to the first pages of a run.
private func stampMemory(of run: inout PageRun, _ pages: Int) {
  var words = run.mutableElements(of: UInt64.self)
  for page in 0..<pages {
    words[page * 1024] = 6 + UInt64(page)
    words[page * 1024 + 1023] = ~6
  }
}
