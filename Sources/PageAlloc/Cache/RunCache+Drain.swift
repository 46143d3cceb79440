import CThreadSlots
import Synchronization

// All that a cache holds goes. Only for who may touch the cache.

extension RunCache {
  /// Takes all runs out.
  package mutating func drain(_ body: (_ page: PageNumber, _ pages: Int) -> Void) {
    drainHot(.raw, body)
    drainHot(.owned, body)
    drainLong(body)
    drainStacks(to: 0, body)
  }

  private mutating func drainHot(
    _ kind: RunKind, _ body: (_ page: PageNumber, _ pages: Int) -> Void
  ) {
    if !front.isHot(kind) { return }
    let pages = front.hotPages(kind)
    body(takeHotRun(front.word(kind), kind).page, pages)
  }

  /// Forgets all runs, as whoever was inside left them, and takes back what was told of them: where
  /// the owner is gone.
  ///
  /// Owners stay counted: one that was coming is already, one that was going still is.
  package mutating func forget() {
    front.told.add(0 &- toldPages &- long.pageCount.load(ordering: .relaxed))
    filled = InlineArray(repeating: 0)
    counts = InlineArray(repeating: 0)
    long.forget()
    if front.isHot(.owned) { count(owners: -1) }
    count(coldFrees: front.hotRunCount())
    cts_compiler_barrier()
    front.forget(.raw)
    front.forget(.owned)
    charged.store(0, ordering: .relaxed)
    toldPages = 0
    front.leave()
  }
}
