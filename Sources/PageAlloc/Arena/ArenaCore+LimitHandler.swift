import CThreadSlots
import SysMem

// A refusal asks the program
// ==========================
//
//   a limit refuses --> no lock held, and the thread outside of its caches:
//     the program's function --> gave something back: the request once more, then refused as ever
//                            --> did not: refused
//
// It is called by the thread that makes the request, and may use the arena. What a limit refuses to
// it, in whatever arena, is refused without more ado. The arenas of a pool have one, which the
// first of them keeps.

extension ArenaCore {
  /// Makes a request; where a limit refuses it and the program gives something back, once more.
  ///
  /// - Parameter request: has changed nothing where it throws. Nothing of the arena may be held,
  ///   nor anything that a free takes.
  @inline(__always)
  func askingOnce<Result: ~Copyable>(
    _ request: () throws(PageArenaError) -> Result
  ) throws(PageArenaError) -> Result {
    do throws(PageArenaError) {
      return try request()
    } catch { try askLimitHandler(about: error) }
    return try request()
  }

  /// Has the program give something back where a limit refused a request.
  ///
  /// - Throws: the refusal, where that is another one or nothing was given back.
  @inline(never)
  func askLimitHandler(about refusal: PageArenaError) throws(PageArenaError) {
    guard case .limitReached(let pages, _, _) = refusal, callLimitHandler(pages) else {
      throw refusal
    }
    // The next attempt tells whether it is refused.
    withHeap { $0.scavenger.counters.limitRefusals &-= 1 }
  }

  /// Calls the program's function, where there is one and the thread is not in one already, nor in
  /// the middle of a fork, which holds all locks.
  ///
  /// - Returns: whether something was given back.
  func callLimitHandler(_ pages: Int) -> Bool {
    if ThisThread.record.asking != 0 || InsideMark.isAny || ForkTurn.isMine { return false }
    var found: LimitHandler.Body?
    // Under the lock, so that a fork finds the thread and the count in agreement.
    visitLimitHandler { core in
      found = core.withHeap { heap in
        let found = heap.limitHandler.begin()
        if found != nil { ThisThread.record.asking = core.number }
        return found
      }
    }
    guard let found else { return false }
    let hasGiven = found(pages)
    visitLimitHandler { core in
      core.withHeap { heap in
        heap.limitHandler.end()
        ThisThread.record.asking = 0
      }
    }
    // Where the pool has gone meanwhile.
    ThisThread.record.asking = 0
    return hasGiven
  }

  /// Sets the program's function.
  ///
  /// - Parameter waits: until no other thread is in the former one. Who is in one itself does not
  ///   wait: it would for itself, or for another that waits for it.
  func setLimitHandler(_ handler: LimitHandler.Body?, waits: Bool) {
    let waits = waits && ThisThread.record.asking == 0
    let event = FutexEvent()
    var isWaiting = false
    while true {
      // Where the pool has gone there is nothing to be set.
      var isSet = true
      var former: LimitHandler.Body?
      visitLimitHandler { core in
        (former, isSet) = core.withHeap { $0.limitHandler.set(handler, waits: waits, &isWaiting) }
      }
      // What the former one held ends here at the earliest, with no lock held.
      withExtendedLifetime(former) {}
      if isSet { return }
      event.wait(nanoseconds: 50_000)
    }
  }

  /// The arena's last reference went: what the program's function holds need not wait for owners.
  func dropLimitHandler() {
    var isWaiting = false
    _ = withHeap { $0.limitHandler.set(nil, waits: false, &isWaiting) }
  }

  /// Calls `body` with the arena that keeps the program's function: this one, or the first of the
  /// pool; with none where the pool has gone.
  private func visitLimitHandler(_ body: (ArenaCore) -> Void) {
    guard let pool else { return body(self) }
    pool.forEach { first in
      body(first)
      return false
    }
  }
}
