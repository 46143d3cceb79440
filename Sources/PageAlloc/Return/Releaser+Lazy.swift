import SysMem

extension Releaser {
  /// Offers all free pages to the kernel, chunk by chunk from the top. They stay free and not
  /// scavenged.
  ///
  /// They are detached meanwhile: were they handed out and written before the kernel is told, the
  /// contents would be offered.
  func releaseLazily() -> Result {
    core.withRelease {
      var result = Result()
      var page = Geometry.pageCount
      // The list is this thread's, as long as it has the turn.
      while page > 0, let (next, detached) = detachFree(below: page) {
        page = next
        var batch = AdviceBatch()
        for index in 0..<detached.runCount { batch.append(core.range(of: detached[index])) }
        core.system.advise(&batch, .free)
        for index in 0..<batch.count {
          let size = UInt64(batch[index].byteCount)
          if batch.isRefused(index) {
            result.refusedBytes += size
          } else {
            result.releasedBytes += size
          }
        }
        if result.firstRefusal == nil { result.firstRefusal = batch.firstRefusal }
        core.withHeap { $0.reattachAll() }
      }
      core.withHeap { heap in
        heap.scavenger.counters.lazyBytes += result.releasedBytes
        heap.scavenger.counters.refusedBytes += result.refusedBytes
      }
      return result
    }
  }

  private func detachFree(below page: PageNumber) -> (next: PageNumber, DetachedRuns)? {
    core.withHeap { heap in heap.detachFree(below: page).map { ($0, heap.detached) } }
  }
}
