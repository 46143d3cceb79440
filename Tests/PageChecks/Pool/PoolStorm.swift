import PageAlloc
import SysMem

/// Random operations on a pool with regions and frames beside it, compared with a model: which runs
/// there are, what is written in them, and what all of it comes to.
struct PoolStorm<Source: RandomNumberGenerator>: ~Copyable {
  private let pool: PagePool
  private let slab: PageSlab
  var source: Source
  private var runs: [Run] = []
  /// Their addresses.
  private var frames: [UInt] = []
  private var regionPages = 0
  private var region: PageRegion
  private var limit: Int?

  init(_ source: Source) throws(PageArenaError) {
    let pool = try PagePool(reserving: is32Bit ? 1 << 32 : 2 << 32, options: quiet())
    let arena = try PageArena(PageArena.Options(reserving: 64 << 20, scavenging: .manual))
    let slab = try PageSlab(frameByteCount: 1024, in: arena)
    region = try PageRegion(reserving: 64 << 20, countedIn: pool)
    self.source = source
    self.pool = pool
    self.slab = slab
  }

  private var livePages: Int { runs.reduce(regionPages) { $0 + $1.pages } }

  private mutating func below(_ bound: Int) -> Int {
    Int(truncatingIfNeeded: source.next() % UInt64(bound))
  }

  mutating func step(_ recorder: inout Recorder) {
    switch below(12) {
    case 0...3: take(&recorder)
    case 4, 5: give(&recorder)
    case 6: givePart(&recorder)
    case 7: grow(&recorder)
    case 8: moveRegion(&recorder)
    case 9: frame(&recorder)
    case 10: misuse(&recorder)
    default: change(&recorder)
    }
  }

  private mutating func take(_ recorder: inout Recorder) {
    let pages = below(8) == 0 ? 128 + below(2000) : 1 + below(127)
    do throws(PageArenaError) {
      let isZeroed = below(4) == 0
      let base = unsafe try pool.allocate(
        pages: pages, alignment: 8192 << below(4), zeroed: isZeroed)
      let run = unsafe Run(base, pages: pages)
      if isZeroed { recorder.expect(run.isZero, "zeroed") }
      run.stamp(UInt64(run.address))
      runs.append(run)
      recorder.expect(limit.map { livePages <= $0 } ?? true, "taken beyond the limit")
    } catch {
      guard case .limitReached = error, let limit else {
        return recorder.fail("taking \(pages): \(error.description)")
      }
      // Guards and alignment need no more than the run itself.
      recorder.expect(livePages + pages > limit, "refused although it fits: \(error.description)")
    }
  }

  private mutating func pick() -> Int? { runs.isEmpty ? nil : below(runs.count) }

  private mutating func give(_ recorder: inout Recorder) {
    guard let index = pick() else { return }
    let run = runs.remove(at: index)
    recorder.expect(run.isStamped(UInt64(run.address)), "contents of a run")
    let error = below(2) == 0 ? pool.errorOfGiving(run) : pool.errorOfGivingWhole(run)
    recorder.expect(error == nil, "freed")
    recorder.expect(pool.extent(at: run.address) == nil, "in use after it was freed")
  }

  private mutating func givePart(_ recorder: inout Recorder) {
    guard let index = pick(), runs[index].pages > 2 else { return }
    let run = runs.remove(at: index)
    let first = below(run.pages - 1)
    let count = 1 + below(run.pages - first)
    recorder.expect(pool.errorOfGivingRuns(run.part(first, count)) == nil, "a part freed")
    for (start, pages) in [(0, first), (first + count, run.pages - first - count)] where pages > 0 {
      let rest = run.part(start, pages)
      recorder.expectEqual(pool.extent(at: rest.address)?.pages ?? 0, pages, "what is left")
      rest.stamp(UInt64(rest.address))
      runs.append(rest)
    }
  }

  private mutating func grow(_ recorder: inout Recorder) {
    guard let index = pick() else { return }
    let run = runs[index]
    let pages = run.pages + 1 + below(64)
    if pool.grows(run, to: pages) {
      recorder.expect(run.isStamped(UInt64(run.address)), "contents after growing")
      runs[index] = unsafe Run(run.pointer, pages: pages)
      runs[index].stamp(UInt64(run.address))
      recorder.expect(limit.map { livePages <= $0 } ?? true, "grown beyond the limit")
    }
    recorder.expectEqual(
      pool.extent(at: run.address)?.pages ?? 0, runs[index].pages, "pages of what grew")
  }

  private mutating func moveRegion(_ recorder: inout Recorder) {
    let pages = below(2000)
    do throws(PageArenaError) {
      if pages < regionPages {
        try region.shrink(to: pages * 8192)
      } else {
        try region.grow(to: pages * 8192)
      }
      regionPages = pages
    } catch {
      guard case .limitReached = error, let limit else {
        return recorder.fail("a region of \(pages): \(error.description)")
      }
      recorder.expect(livePages - regionPages + pages > limit, "a region that fits is refused")
    }
    recorder.expectEqual(region.byteCount, regionPages * 8192, "the region")
  }

  private mutating func frame(_ recorder: inout Recorder) {
    do throws(PageArenaError) {
      if !frames.isEmpty, below(2) == 0 {
        try free(frames.remove(at: below(frames.count)))
      } else {
        frames.append(unsafe UInt(bitPattern: try slab.allocate()))
      }
    } catch { recorder.fail("a frame: \(error.description)") }
    recorder.expectEqual(slab.statistics.framesInUse, frames.count, "frames")
  }

  private func free(_ frame: UInt) throws(PageArenaError) {
    guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: frame) else { return }
    unsafe try slab.deallocate(pointer)
  }

  private mutating func misuse(_ recorder: inout Recorder) {
    guard let index = pick() else { return }
    let run = runs[index]
    recorder.expect(pool.errorOfGiving(run.misaligned(by: 8)) != nil, "misaligned")
    recorder.expect(pool.errorOfGiving(run.part(0, run.pages + 1)) != nil, "past its end")
    // The second page of all, which nobody has.
    if let low = unsafe UnsafeMutableRawPointer(bitPattern: 8192) {
      recorder.expect(pool.errorOfGivingWhole(unsafe Run(low, pages: 1)) != nil, "elsewhere")
    }
    if run.pages > 1 {
      recorder.expect(pool.errorOfGivingWhole(run.part(1, 1)) != nil, "not a start")
    }
  }

  private mutating func change(_ recorder: inout Recorder) {
    do throws(PageArenaError) {
      switch below(4) {
      case 0: try pool.releaseFreeMemory()
      case 1: try pool.scavenge(byteCount: below(1 << 22))
      case 2:
        let pages = livePages + below(3000)
        try pool.setMemoryLimit(.bytes(hard: UInt64(pages) * 8192))
        limit = pages
      default:
        try pool.setMemoryLimit(.none)
        limit = nil
      }
    } catch { recorder.fail(error.description) }
  }

  /// Frees all, and looks whether the sums are right.
  mutating func finish(_ recorder: inout Recorder) {
    recorder.expectEqual(
      pool.statistics.inUseBytes, UInt64(livePages - regionPages) * 8192, "in use")
    recorder.expectEqual(pool.statistics.regionBytes, UInt64(regionPages) * 8192, "of regions")
    recorder.expect(pool.brokenInvariant() == nil, "the invariants hold")
    while !runs.isEmpty, recorder.isGood { give(&recorder) }
    for frame in frames {
      do throws(PageArenaError) { try free(frame) } catch {
        recorder.fail("a frame at the end: \(error.description)")
      }
    }
    recorder.expectEqual(pool.statistics.inUseBytes, 0, "in use at the end")
    recorder.expectEqual(slab.statistics.framesInUse, 0, "frames at the end")
    recorder.expect(pool.brokenInvariant() == nil, "the invariants hold at the end")
  }
}

/// A storm over a pool that lasts as long as the bytes.
package func runPoolStorm(bytes: [UInt8], _ recorder: inout Recorder) {
  do throws(PageArenaError) {
    var storm = try PoolStorm(ByteSource(bytes))
    while !storm.source.isAtEnd, recorder.isGood { storm.step(&recorder) }
    if recorder.isGood { storm.finish(&recorder) }
  } catch { recorder.fail(error.description) }
}

/// Storms over pools.
package let poolStormChecks: [Check] = [
  Check("pool: random operations on pool, region and frames are those of a model") { recorder in
    if leavesOutPools(&recorder) { return }
    for seed: UInt64 in 1...4 where recorder.isGood {
      recorder.context = "seed \(seed)"
      do throws(PageArenaError) {
        var storm = try PoolStorm(SplitMix64(seed: seed))
        for _ in 0..<(isEmulated ? 500 : 3000) where recorder.isGood { storm.step(&recorder) }
        if recorder.isGood { storm.finish(&recorder) }
      } catch { recorder.fail(error.description) }
    }
  }
]
