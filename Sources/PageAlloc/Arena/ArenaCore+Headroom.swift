import SysMem

extension ArenaCore {
  /// Gives back what is beyond the headroom, after memory was taken that nothing backs yet.
  ///
  /// - Parameter cache: the caller's own, which gives way: what is at hand breaks up what could go
  ///   back.
  @inline(never)
  func trimForGrowth(draining cache: CacheReference?) {
    let (excess, resident) = withHeap { $0.headroomExcess() }
    if excess == 0 { return }
    let released = Releaser(self).releaseAtOnce(Self.bytes(excess), .headroom) {
      withHeap { heap in
        heap.emptyDepot()
        if let cache = cache { heap.takeAll(cache) }
      }
    }
    withHeap { heap in
      if released != nil {
        // As of the look: what others took meanwhile is for them to judge.
        heap.headroom.note(paidFor: resident)
      } else {
        // Soon somebody looks again.
        heap.noteTaken(excess)
      }
    }
  }
}
