import SysMem

extension ArenaCore {
  /// The last reference to the arena went: ends the core, or leaves that to the last owner.
  func endOrOrphan() {
    // The core lives until `end`; nobody else has the arena, but owners may be dropped meanwhile.
    withHeap { $0.closeCaches() }
    // From here on nobody goes into a cache; whoever is inside is for nanoseconds, unless preempted
    // there.
    if ownersUseCaches, !passBarrier(), !withHeap({ $0.areOwnersFenced }) {
      // The kernel has refused for the first time after a cache was opened: somebody may be inside
      // unseen. The core stays for good.
      return
    }
    var patience = Patience()
    while true {
      let (isSum, haveAllGone) = withHeap { ($0.addUpOwners(), $0.owners.haveAllGone) }
      if haveAllGone { return end() }
      if isSum { return }
      patience.goesOn()
    }
  }

  /// Gives everything back to the system.
  func end() {
    // From here on no fork and no end of a thread sees the arena; nor does the scavenger.
    ArenaRegistry.withLock { ArenaRegistry.releasePlace(place) }
    if plan.isInBackground { ScavengerThread.leave(self) }
    if checks != nil { endChecks() }
    // All is moved out first: it lies in memory of the tables, which go when `growth` does.
    end { facts, heap, growth in
      let system = unsafe facts.system.takeRetainedValue()
      unsafe facts.pool?.release()
      var growth = growth
      growth.cacheMemory.free(to: system)
      facts.checks?.unmap(system)
      facts.recorder?.end(system)
      facts.profile?.unmap(from: system)
      let idle = Self.byteCount(heap.counts.scavenged)
      growth.reservation.free(
        to: system, preparedByteCount: idle,
        readyByteCount: Self.byteCount(heap.counts.grown) - idle)
    }
  }
}
