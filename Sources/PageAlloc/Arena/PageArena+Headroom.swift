import Synchronization

extension PageArena {
  /// Gives back what is beyond the headroom, after memory was taken that nothing backs yet.
  ///
  /// - Parameter cache: the caller's own, which gives way: what is at hand breaks up what could go back.
  @inline(never)
  func keepHeadroom(relieving cache: UnsafeMutablePointer<RunCache>?) {
    // The state lives as long as the arena; so below.
    unsafe state.locks.pointee.heap.lock()
    let resident = unsafe state.pointee.residentPages
    let inUse = unsafe state.pointee.handedOutPages
    unsafe state.pointee.isHeadroomDue.store(false, ordering: .relaxed)
    let excess = unsafe state.pointee.headroom.excess(inUse: inUse, residentPages: resident)
    unsafe state.locks.pointee.heap.unlock()
    if excess == 0 { return }
    let released = returnPath.releaseAtOnce(bytes(excess), .headroom) {
      unsafe state.locks.pointee.heap.lock()
      unsafe state.pointee.giveBackSpares()
      if let cache = unsafe cache { unsafe state.pointee.takeAll(cache) }
      unsafe state.locks.pointee.heap.unlock()
    }
    unsafe state.locks.pointee.heap.lock()
    if let released {
      // As of the look: what others took meanwhile is for them to judge.
      let pages = Int(truncatingIfNeeded: released >> UInt64(Geometry.pageShift))
      unsafe state.pointee.headroom.note(stayed: resident - pages)
    } else {
      // Soon somebody looks again.
      unsafe state.pointee.noteFresh(excess)
    }
    unsafe state.locks.pointee.heap.unlock()
  }
}
