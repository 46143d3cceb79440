import SysMem
import Synchronization

// Limits on resident memory
// =========================
//
// Resident, as the arena counts it, is what is in use and what is free but was not given back. It
// grows only when an allocation takes pages that were scavenged, or never used; so only such an
// allocation looks at the limits, after it has taken its pages and before anybody touches them:
//
//   take 10 pages, 4 of them scavenged --> 3 pages beyond the soft limit --> give 3 free ones back
//
// The kernel thus never sees more than the limit, whatever many threads do at once. What was taken
// beyond the hard limit goes back, and the caller gets an error.

extension PageArena {
  /// Sets another bound on resident memory.
  ///
  /// Free memory goes back at once, as much as is needed for the soft limit. What is in use stays: beyond a
  /// hard limit that is lower, allocations fail until enough was freed.
  /// - Throws: ``PageArenaError/badMemoryLimit``; ``PageArenaError/system(_:)`` where the kernel refused to
  ///   take memory back: the limit is set all the same.
  public func setMemoryLimit(_ limit: MemoryLimit) throws(PageArenaError) {
    try limit.check()
    setLimits(limit)
    // The state lives as long as the arena; so below.
    unsafe state.locks.pointee.heap.lock()
    let excess = unsafe state.pointee.limits.excess(residentPages: state.pointee.residentPages)
    unsafe state.locks.pointee.heap.unlock()
    if hasLimit { stopHugePages() }
    if excess > 0 { _ = try release(bytes(excess), .limit) }
  }

  /// The bounds in force, in bytes; `nil` where there is none.
  public var memoryLimits: (soft: UInt64?, hard: UInt64?) {
    unsafe state.locks.pointee.heap.lock()
    let limits = unsafe state.pointee.limits
    unsafe state.locks.pointee.heap.unlock()
    return (limits.softBytes, limits.hardBytes)
  }

  /// Puts a limit that was checked in force.
  func setLimits(_ limit: MemoryLimit) {
    var soft: UInt64?
    var hard: UInt64?
    switch limit {
    case .none: break
    case .bytes(let softBytes, let hardBytes): (soft, hard) = (softBytes, hardBytes)
    case .cgroup(let fraction):
      hard = cgroupLimit(unsafe state.pointee.files)
      // Below 2^62, so that the product fits.
      soft = hard.map { UInt64(Double($0) * fraction) }
    }
    let limits = ResidencyLimits(softBytes: soft, hardBytes: hard)
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.limits = limits
    unsafe state.pointee.isLimited.store(limits.isAny, ordering: .relaxed)
    unsafe state.locks.pointee.heap.unlock()
  }

  /// Whether there is a limit at all. Who reads an old value acts as if it had come before the change.
  @inline(__always)
  var hasLimit: Bool { unsafe state.pointee.isLimited.load(ordering: .relaxed) }

  /// Refuses what cannot be had under the hard limit, whatever is given back.
  ///
  /// - Throws: ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)``
  func checkHardLimit(_ pageCount: Int) throws(PageArenaError) {
    unsafe state.locks.pointee.heap.lock()
    let inUse = unsafe state.pointee.handedOutPages
    let limits = unsafe state.pointee.limits
    let isRefused = limits.isHopeless(pageCount, inUse: inUse)
    let isWithheld = unsafe isRefused && state.pointee.withheldPages > 0
    if isRefused, !isWithheld { unsafe state.pointee.scavenger.counters.limitRefusals += 1 }
    unsafe state.locks.pointee.heap.unlock()
    if isWithheld, emptyQuarantine() > 0 { return try checkHardLimit(pageCount) }
    if isRefused { throw limits.refusal(pageCount, inUse: inUse) }
  }

  /// Brings resident memory under the limits again after a run was taken that nobody has touched yet.
  ///
  /// - Throws: the hard limit cannot be kept; the run was given back.
  @inline(never)
  func enforceLimit(_ taken: Taken, _ pageCount: Int) throws(PageArenaError) {
    var isDrained = false
    while true {
      unsafe state.locks.pointee.heap.lock()
      let resident = unsafe state.pointee.residentPages
      let inUse = unsafe state.pointee.handedOutPages
      let limits = unsafe state.pointee.limits
      unsafe state.locks.pointee.heap.unlock()
      let excess = limits.excess(residentPages: resident)
      if excess == 0 { return }
      if checks != nil, emptyQuarantine() > 0 { continue }
      // The run itself counts as in use.
      let othersInUse = inUse - min(inUse, pageCount)
      if !limits.isHopeless(pageCount, inUse: othersInUse) {
        // Waits for a batch under way, which may be all that was missing.
        let released = returnPath.release(bytes(excess), .force, .limit).releasedBytes
        if released > 0 { continue }
        if !isDrained {
          // The last resort: what threads keep at hand.
          drainCaches()
          isDrained = true
          continue
        }
        if limits.allows(residentPages: resident) { return }
      }
      undo(taken, pageCount)
      throw limits.refusal(pageCount, inUse: othersInUse)
    }
  }

  /// Gives a run back that nobody has touched, scavenged as far as the kernel agrees.
  private func undo(_ taken: Taken, _ pageCount: Int) {
    let size = UInt(pageCount) << UInt(Geometry.pageShift)
    var isScavenged = taken.scavengedPages == pageCount
    if isScavenged {
      // Nothing was there, and nobody touched it.
      system.sysUnused(byteCount: size)
    } else {
      // The run is still ours alone; what it holds is of no use to anybody.
      isScavenged = (try? system.sysUnused(address(of: taken.page), size)) != nil
    }
    unsafe state.locks.pointee.heap.lock()
    let run = taken.page..<(taken.page + pageCount)
    unsafe state.pointee.giveBack(run, of: run)
    if isScavenged { unsafe state.pointee.noteScavenged(taken.page, pageCount) }
    unsafe state.pointee.scavenger.counters.limitRefusals += 1
    let call = unsafe state.pointee.scavengerCall()
    unsafe state.locks.pointee.heap.unlock()
    if call != .none { returnPath.perform(call) }
  }

  func bytes(_ pages: Int) -> UInt64 { UInt64(pages) << UInt64(Geometry.pageShift) }
}

extension ArenaState {
  /// Free pages turned out to hold nothing. Call with `heap` held.
  mutating func noteScavenged(_ page: PageNumber, _ pageCount: Int) {
    var added = 0
    allocator.forEachChunk(of: page, pageCount) { chunk, places in
      let scavenged = allocator.chunk(chunk).scavenged
      added += places.count - scavenged.count(in: places)
      scavenged.insert(places)
    }
    scavengedPages += added
  }
}
