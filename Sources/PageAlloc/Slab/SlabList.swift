import CSysMem
import CThreadSlots
import SysMem

// The slabs of the process
// ========================
//
// A list of all slabs, so that a thread that ends finds those that it has frames of, and a child of
// `fork` finds all. A fork does not wait for the locks of slabs. In the child
//
//   the locks      are free
//   the list       is whole: a slab is added or removed by one store
//   at hand        nobody has anything: a frame is free or in use, and its state tells which
//   the runs       are made anew from these states, when they are first asked for
//
// What a thread that stayed behind had in use stays in use, as with pages.

/// The list of all slabs.
enum SlabList {
  private static let lock = FutexLock()
  // Guarded by the lock.
  nonisolated(unsafe) private static var first: SlabCore?

  private static func withLock<Result>(_ body: () -> Result) -> Result {
    ForkTurn.renewIfNewChild()
    let mark = InsideMark(.slabList)
    lock.lock(mark)
    defer {
      lock.unlock()
      mark.end()
    }
    return body()
  }

  private static func forEach(_ body: (SlabCore) -> Void) {
    var position = unsafe first
    while let slab = position {
      position = slab.next
      body(slab)
    }
  }

  /// Adds a slab.
  static func add(_ slab: SlabCore) {
    ForkHandlers.inChild { SlabList.renewInChild() }
    ForkHandlers.computeOnce { key == nil ? 0 : 1 }
    withLock {
      slab.next = unsafe first
      unsafe first = slab
    }
  }

  /// Takes a slab out: no thread that ends sees it from here on.
  ///
  /// - Complexity: O(slabs).
  static func remove(_ slab: SlabCore) {
    withLock {
      if unsafe first?.isSame(as: slab) ?? false { return unsafe first = slab.next }
      forEach { if $0.next?.isSame(as: slab) ?? false { $0.next = slab.next } }
    }
  }

  private static func renewInChild() {
    lock.reset()
    forEach { $0.renewInChild() }
  }
}

// MARK: - The end of a thread

extension SlabList {
  /// The pthread key whose destructor gives back what a thread has at hand; `nil` where there are
  /// no more keys.
  private static let key: pthread_key_t? = {
    var key = pthread_key_t()
    let error = unsafe pthread_key_create(&key) { _ in SlabList.threadEnds() }
    return error == 0 ? key : nil
  }()

  /// Has this thread watched. A value other than null is all that the destructor asks for.
  static func watchThread() -> Bool {
    guard let key else { return false }
    return unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1)) == 0
  }

  /// Gives back all that the calling thread has at hand, and the runs that are empty then.
  private static func threadEnds() {
    // What other destructors do with slabs goes by their locks: this one may not be called again.
    ThisThread.record.has_ended = 1
    let thread = MagazineTable.thread
    withLock { forEach { $0.giveBackMagazines(of: thread) } }
    // An arena is called when the list's lock is free again, and may have lost its slab by then.
    while let (arena, run) = withLock({ takeEmptyRun() }) { arena.takeBack(run) }
  }

  /// Takes an empty run out of a slab that has more than it keeps.
  private static func takeEmptyRun() -> (PageArena, PageExtent)? {
    var found: (PageArena, PageExtent)?
    forEach { slab in
      if found == nil, let run = slab.takeEmptyRun(keeping: 1) { found = (slab.arena, run) }
    }
    return found
  }
}
