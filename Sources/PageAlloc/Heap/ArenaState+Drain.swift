import SysMem

extension UnsafeMutablePointer<ArenaState> {
  /// Takes back what the depot and all caches hold, as far as their owners are outside: the one
  /// drain of an arena. Call without `heap`.
  ///
  /// An owner that stays inside for longer is asked to give everything back by itself, the next
  /// time it needs its cache; so is every other one where the kernel has no `membarrier`.
  /// - Parameters:
  ///   - own: the cache of the calling thread, which is outside of it.
  ///   - patience: how often to look for owners that are inside.
  /// - Returns: how many pages came back.
  /// - Complexity: O(caches + runs in them), one call to the kernel.
  func drainCaches(own: UnsafeMutablePointer<RunCache>?, patience: Int) -> Int {
    // The state lives as long as the arena, which the caller keeps; so below.
    unsafe locks.pointee.heap.lock()
    let inUse = unsafe pointee.inUsePages
    unsafe pointee.giveBackSpares()
    let ticket = unsafe pointee.caches.close()
    var drained = unsafe inUse - pointee.inUsePages
    unsafe locks.pointee.heap.unlock()
    guard let ticket else { return drained }
    let canSeeOthers = unsafe pointee.system.passBarrier()
    for _ in 0..<patience {
      unsafe locks.pointee.heap.lock()
      let inUse = unsafe pointee.inUsePages
      let isDone = unsafe pointee.takeClosed(ticket, canSeeOthers: canSeeOthers, own: own)
      drained += unsafe inUse - pointee.inUsePages
      unsafe locks.pointee.heap.unlock()
      if isDone || !canSeeOthers { break }
    }
    return drained
  }
}

// MARK: - Call with `heap` held

extension ArenaState {
  fileprivate mutating func takeClosed(
    _ ticket: DrainTicket, canSeeOthers: Bool, own: UnsafeMutablePointer<RunCache>?
  ) -> Bool {
    // A copy: what is changed on the way is the state, which the list is a part of.
    let caches = self.caches
    return unsafe caches.drainClosed(ticket, canSeeOthers: canSeeOthers, own: own) {
      unsafe serve($0)
    }
  }

  /// Gives everything in a cache back if somebody asked for it. Call as the owner, or when the
  /// owner is known to be outside.
  mutating func serve(_ cache: UnsafeMutablePointer<RunCache>) {
    // The cache lives as long as the arena.
    if unsafe !cache.pointee.front.isClosed { return }
    unsafe takeAll(cache)
    unsafe caches.reopen(cache)
  }
}
