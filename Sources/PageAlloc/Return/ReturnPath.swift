import SysMem

// The way back
// ============
//
//   { lock, detach a unit of 2 MiB, unlock } ...  first those that are free as a whole
//   { lock, detach up to 8 runs, unlock } ...     up to 64 runs or `batchByteCount` bytes
//   one process_madvise for all of them           nobody waits for it
//   a madvise for each unit that was split        so that the kernel does not fill it again
//   { lock, reattach up to 8 runs, unlock } ...   scavenged, or free as before where refused
//
// While a run is detached it is in use to the allocator, so it is neither handed out nor found again;
// what the kernel refuses stays detached until the pass ends, and thus is not tried twice.
//
// The background's thread must not keep the arena alive, so all of this hangs on the state and not on
// the arena. The arena joins the thread before the state goes.

/// What giving memory back needs of an arena, without the arena.
@safe
struct ReturnPath: @unchecked Sendable {
  // @unchecked: the state lives until the arena's end, which waits for whoever uses it; what it holds is
  // guarded by the locks in it, as ArenaHead says.

  /// The address of offset 0.
  let base: UInt
  /// The operating system's memory.
  let system: SysMem
  let state: UnsafeMutablePointer<ArenaState>

  init(base: UInt, system: SysMem, state: UnsafeMutablePointer<ArenaState>) {
    self.base = base
    self.system = system
    unsafe self.state = state
  }

  /// The way back of a living arena.
  init(_ state: UnsafeMutablePointer<ArenaState>) {
    unsafe self.init(base: state.pointee.base, system: state.pointee.system, state: state)
  }

  /// What came of a pass.
  struct Result {
    var releasedBytes: UInt64 = 0
    var refusedBytes: UInt64 = 0
    var firstRefusal: SysMemError?
  }

  /// So many bytes at a time on request: one call of the kernel's takes a few milliseconds at the most.
  static var requestBatchBytes: UInt64 { 16 << 20 }
  /// So many otherwise: about 0.2 ms.
  static var backgroundBatchBytes: UInt64 { 4 << 20 }
  /// Runs that change hands in one stay under the heap lock.
  private static var runsPerLock: Int { 8 }

  /// Gives free memory back, at least `byteCount` as far as there is so much.
  ///
  /// A pass that is under way in another thread is waited for, and then joined: what it left is taken.
  /// - Complexity: O(bytes given back + chunks looked at).
  func release(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ cause: ReleaseCause
  ) -> Result {
    // The state lives until the arena's end; so below.
    unsafe state.locks.pointee.release.lock()
    defer { unsafe state.locks.pointee.release.unlock() }
    return pass(byteCount, mode, cause)
  }

  /// The same for who must not wait.
  ///
  /// - Parameter prepare: is called before, where it is done at all.
  /// - Returns: the bytes given back; `nil` where somebody else is at it, which may take long.
  func releaseAtOnce(_ byteCount: UInt64, _ cause: ReleaseCause, prepare: () -> Void) -> UInt64? {
    guard unsafe state.locks.pointee.release.tryLock() else { return nil }
    defer { unsafe state.locks.pointee.release.unlock() }
    prepare()
    return pass(byteCount, .force, cause).releasedBytes
  }

  /// Call with `release` held.
  private func pass(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ cause: ReleaseCause
  ) -> Result {
    let clock = unsafe state.pointee.scavenger.clock
    let start = cause == .background ? nil : clock.now()
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
      system.advise(&batch, .dontNeed)
      leaveSplitUnits(batch)
      reattach(batch, &result)
    }
    finish(result, cause, nanoseconds: start.map { clock.now().elapsed(since: $0) } ?? 0)
    return result
  }

  /// In which order a pass goes.
  ///
  /// All that is free needs no order; and who must stay below a limit gets just what is missing, soon.
  private func order(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ cause: ReleaseCause
  ) -> ReleaseOrder {
    if byteCount == .max || cause == .limit { return ReleaseOrder() }
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    var order = ReleaseOrder()
    order.unitEnd = unsafe state.pointee.allocator.searchEnd(mode)
    if mode == .background {
      order.spared = DenseUnits(
        freePer1024: unsafe state.pointee.scavenger.goal.headroomPer1024)
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
      unsafe state.locks.pointee.heap.lock()
      let run = unsafe state.pointee.detachUnits(missing, mode, &order)
      unsafe state.locks.pointee.heap.unlock()
      if let run {
        batch.append(range(of: run))
        missing -= min(missing, UInt64(run.count) << UInt64(Geometry.pageShift))
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
      unsafe state.locks.pointee.heap.lock()
      var stay = 0
      while stay < Self.runsPerLock, missing > 0 {
        guard let run = unsafe state.pointee.detach(missing, mode, &order) else {
          isMore = false
          break
        }
        batch.append(range(of: run))
        let pages = unsafe state.pointee.allocator.holdingPages(in: run)
        missing -= min(missing, UInt64(pages) << UInt64(Geometry.pageShift))
        stay += 1
      }
      unsafe state.locks.pointee.heap.unlock()
    }
  }

  private func reattach(_ batch: borrowing AdviceBatch, _ result: inout Result) {
    var index = 0
    while index < batch.count {
      unsafe state.locks.pointee.heap.lock()
      let stop = min(index + Self.runsPerLock, batch.count)
      while index < stop {
        let range = batch[index]
        if batch.isRefused(index) {
          let pages = unsafe state.pointee.allocator.holdingPages(in: run(range))
          result.refusedBytes += UInt64(pages) << UInt64(Geometry.pageShift)
        } else {
          let pages = unsafe state.pointee.reattach(run(range), scavenged: true)
          let byteCount = UInt(bitPattern: pages) << UInt(Geometry.pageShift)
          // Here, and not when the kernel was told, so that a fork finds both in agreement.
          system.sysUnused(byteCount: byteCount)
          result.releasedBytes += UInt64(byteCount)
        }
        index += 1
      }
      unsafe state.locks.pointee.heap.unlock()
    }
    if result.firstRefusal == nil { result.firstRefusal = batch.firstRefusal }
  }

  private func finish(_ result: Result, _ cause: ReleaseCause, nanoseconds: UInt64) {
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.reattachAll()
    unsafe state.pointee.scavenger.counters.add(
      result.releasedBytes, cause, nanoseconds: nanoseconds)
    unsafe state.pointee.scavenger.counters.refusedBytes += result.refusedBytes
    unsafe state.locks.pointee.heap.unlock()
  }

  /// Pages as addresses.
  func range(of run: Range<PageNumber>) -> AdvisedRange {
    AdvisedRange(
      address: Geometry.address(of: run.lowerBound, from: base),
      byteCount: UInt(bitPattern: run.count) << UInt(Geometry.pageShift))
  }

  private func run(_ range: AdvisedRange) -> Range<PageNumber> {
    let page = Geometry.page(at: range.address, from: base)
    return page..<(page + Int(bitPattern: range.byteCount >> UInt(Geometry.pageShift)))
  }
}

/// How far a pass has come.
private struct ReleaseOrder {
  /// Whole huge pages below this page go first; 0 when there are no more, or they do not.
  var unitEnd: PageNumber = 0
  /// Huge pages that are left alone.
  var spared = DenseUnits.none
}

// MARK: - Call with `heap` held

extension ArenaState {
  /// Takes whole huge pages out of reach of everybody, to be given back.
  ///
  /// - Returns: `nil` where none was found yet; with `unitEnd` 0, where there are none, or too many runs
  ///   are out already.
  fileprivate mutating func detachUnits(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ order: inout ReleaseOrder
  ) -> Range<PageNumber>? {
    if detached.runCount == DetachedRuns.capacity {
      order.unitEnd = 0
      return nil
    }
    // No more than a chunk at a time, so that it fits a word.
    let wanted = min(byteCount, UInt64(Geometry.chunkByteCount)) &+ UInt64(Geometry.pageSize - 1)
    guard
      let run = allocator.detachUnits(
        below: &order.unitEnd, Int(wanted >> UInt64(Geometry.pageShift)), mode)
    else { return nil }
    detached.insert(run)
    return run
  }

  /// Takes free pages out of reach of everybody, to be given back; where huge pages were asked for, together
  /// with what is empty around them.
  ///
  /// - Returns: `nil` where there are none, or too many runs are out already.
  fileprivate mutating func detach(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ order: inout ReleaseOrder
  ) -> Range<PageNumber>? {
    guard detached.runCount < DetachedRuns.capacity,
      var run = allocator.detachCandidate(byteCount, mode, &order.spared)
    else { return nil }
    if hugeChunks.contains(Geometry.chunk(of: run.lowerBound)) {
      run = allocator.widened(run)
      allocator.detach(run)
    }
    detached.insert(run)
    return run
  }

  /// Makes them free again.
  ///
  /// - Returns: how many pages the kernel has now that it did not have before.
  @discardableResult
  mutating func reattach(_ run: Range<PageNumber>, scavenged: Bool) -> Int {
    detached.remove(run)
    let added = allocator.reattach(run, scavenged: scavenged)
    scavengedPages += added
    if !scavenged {
      // A search may have called the chunk empty meanwhile.
      allocator.scavengeIndex.setFree(
        Geometry.chunk(of: run.lowerBound), highest: run.upperBound &- 1)
    }
    return added
  }

  /// Makes all runs that are left free again, as they were.
  mutating func reattachAll() {
    while !detached.isEmpty { reattach(detached[detached.runCount - 1], scavenged: false) }
  }

  /// Pages that were handed out: neither free nor in a cache. Those in quarantine are out, too.
  /// Never below 0, as `cachedPages` sees to it.
  var handedOutPages: Int { inUsePages - cachedPages }

  /// Free pages that may be resident, those on their way included, those in caches not.
  @inline(__always)
  var freeResidentPages: Int { grownPages &- inUsePages &- scavengedPages }

  /// Pages that may be resident: what the limits bound.
  @inline(__always)
  var residentPages: Int { grownPages &- scavengedPages }
}
