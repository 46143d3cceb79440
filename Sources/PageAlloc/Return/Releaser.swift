import SysMem

// The way back
// ============
//
//   { heap: detach a unit of 2 MiB } ...      first those that are free as a whole
//   { heap: detach up to 8 runs } ...         up to 64 runs or `batchByteCount` bytes
//   one process_madvise for all of them       nobody waits for it
//   a madvise for each unit that was split    so that the kernel does not fill it again
//   { heap: reattach up to 8 runs } ...       scavenged, or free as before where refused
//
// While a run is detached it is in use to the allocator, so it is neither handed out nor found
// again; what the kernel refuses stays detached until the pass ends, and thus is not tried twice.

/// Gives free memory of an arena back to the kernel.
struct Releaser {
  /// The arena.
  let core: ArenaCore

  init(_ core: ArenaCore) { self.core = core }

  /// What came of a pass.
  struct Result {
    var releasedBytes: UInt64 = 0
    var refusedBytes: UInt64 = 0
    var firstRefusal: SysMemError?
  }

  /// So many bytes at a time on request: one call of the kernel's takes a few milliseconds at the
  /// most.
  static var requestBatchBytes: UInt64 { 16 << 20 }
  /// So many otherwise: about 0.2 ms.
  static var backgroundBatchBytes: UInt64 { 4 << 20 }
  /// Runs that change hands in one stay under the heap lock.
  private static var runsPerLock: Int { 8 }

  /// Gives free memory back, at least `byteCount` as far as there is so much.
  ///
  /// A pass that is under way in another thread is waited for, and then joined: what it left is
  /// taken.
  /// - Complexity: O(bytes given back + chunks looked at).
  func release(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ cause: ReleaseCause
  ) -> Result {
    core.withRelease { pass(byteCount, mode, cause) }
  }

  /// The same for who must not wait.
  ///
  /// - Parameter prepare: is called before, where it is done at all.
  /// - Returns: the bytes given back; `nil` where somebody else is at it, which may take long.
  func releaseAtOnce(_ byteCount: UInt64, _ cause: ReleaseCause, prepare: () -> Void) -> UInt64? {
    core.withReleaseIfFree {
      prepare()
      return pass(byteCount, .force, cause).releasedBytes
    }
  }

  /// One pass, as the one who gives back.
  private func pass(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ cause: ReleaseCause
  ) -> Result {
    let start = cause == .background ? nil : core.clock.now()
    let batchBytes = cause == .request ? Self.requestBatchBytes : Self.backgroundBatchBytes
    var order = order(byteCount, mode, cause)
    var result = Result()
    while result.releasedBytes < byteCount {
      var batch = AdviceBatch()
      let missing = min(byteCount - result.releasedBytes, batchBytes)
      let units = detachUnits(missing, mode, &order, &batch)
      // Huge pages are not split just because the arena took fresh memory.
      if cause != .headroom { detach(missing - units, mode, &order, &batch) }
      if batch.count == 0 { break }
      core.system.advise(&batch, .dontNeed)
      leaveSplitUnits(batch)
      reattach(batch, &result)
    }
    finish(result, cause, since: start)
    return result
  }

  /// In which order a pass goes.
  ///
  /// All that is free needs no order; and who must stay below a limit gets just what is missing,
  /// soon.
  private func order(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ cause: ReleaseCause
  ) -> ReleaseOrder {
    var order = ReleaseOrder()
    if byteCount == .max || cause == .limit { return order }
    order.unitEnd = core.withHeap { $0.allocator.searchEnd(mode) }
    if mode == .background {
      order.spared = DenseUnits(freePer1024: core.plan.goal.headroomPer1024)
    }
    return order
  }

  /// Detaches whole huge pages.
  ///
  /// - Returns: their bytes, at most `byteCount`.
  private func detachUnits(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ order: inout ReleaseOrder,
    _ batch: inout AdviceBatch
  ) -> UInt64 {
    var missing = byteCount
    while order.unitEnd > 0, missing > 0 {
      if let run = core.withHeap({ $0.detachUnits(missing, mode, &order) }) {
        batch.append(core.range(of: run))
        missing -= min(missing, ArenaCore.bytes(run.count))
      }
    }
    return byteCount - missing
  }

  private func detach(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ order: inout ReleaseOrder,
    _ batch: inout AdviceBatch
  ) {
    var missing = byteCount
    var isMore = true
    while isMore, missing > 0 {
      core.withHeap { heap in
        for _ in 0..<Self.runsPerLock where missing > 0 {
          guard let run = heap.detach(missing, mode, &order) else {
            isMore = false
            return
          }
          batch.append(core.range(of: run))
          missing -= min(missing, ArenaCore.bytes(heap.allocator.holdingPages(in: run)))
        }
      }
    }
  }

  private func reattach(_ batch: AdviceBatch, _ result: inout Result) {
    var index = 0
    while index < batch.count {
      let stop = min(index + Self.runsPerLock, batch.count)
      core.withHeap { heap in
        while index < stop {
          let run = run(batch[index])
          if batch.isRefused(index) {
            result.refusedBytes += ArenaCore.bytes(heap.allocator.holdingPages(in: run))
          } else {
            let byteCount = ArenaCore.byteCount(heap.reattach(run, scavenged: true))
            // Here, and not when the kernel was told, so that a fork finds both in agreement.
            core.system.sysUnused(byteCount: byteCount)
            result.releasedBytes += UInt64(byteCount)
          }
          index += 1
        }
      }
    }
    if result.firstRefusal == nil { result.firstRefusal = batch.firstRefusal }
  }

  private func finish(_ result: Result, _ cause: ReleaseCause, since start: Moment?) {
    let nanoseconds = start.map { core.clock.now().elapsed(since: $0) } ?? 0
    core.withHeap { heap in
      heap.reattachAll()
      heap.scavenger.counters.add(result.releasedBytes, cause, nanoseconds: nanoseconds)
      heap.scavenger.counters.refusedBytes += result.refusedBytes
    }
  }

  private func run(_ range: AdvisedRange) -> Range<PageNumber> {
    let page = core.page(of: range.address)
    return page..<(page + Int(bitPattern: range.byteCount >> UInt(Geometry.pageShift)))
  }
}
