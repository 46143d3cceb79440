extension Heap {
  /// In a child of `fork`: takes what the caches of threads that are gone hold.
  ///
  /// Those of threads wait for another owner, but for those of the thread that forked; a handle's
  /// stays owned, since the child can use it.
  ///
  /// - Parameter former: the number that the thread had which forked; it has the number `now`.
  package mutating func takeOrphanedCaches(but former: Int32 = 0, now: Int32 = 0) {
    // A copy: what is changed on the way is the heap, which the list is a part of.
    let caches = self.caches
    caches.forEach { cache in
      takeAbandoned(cache)
      self.caches.reopen(cache)
      let thread = cache.contents.thread
      if thread == former {
        if thread != 0 { cache.contents.thread = now }
      } else if thread != 0 {
        self.caches.retire(cache)
      }
    }
    closeBeyondHardLimit()
    // All caches are empty, and somebody may have been about to tell of what he had.
    tally.reset()
  }
}
