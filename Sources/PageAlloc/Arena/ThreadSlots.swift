import CSysMem
import CThreadSlots
import SysMem

// Threads and their caches
// ========================
//
// A thread finds its cache of an arena in a thread-local slot, which names the arena by number: a
// slot of an arena that is gone matches nothing. The slot used last is looked at first, by code
// that is inlined into the caller; the others lie at the arena's place in the registry, so that a
// thread finds any of them at once, however many arenas it uses:
//
//   last | near: places 0 ... 7 | table: places 8, 9, ... in memory of the thread's own
//
// A cache comes to a thread when the thread first needs one, and goes back when the thread ends, by
// the destructor of a pthread key, with all its pages. It then waits for another owner.

extension ArenaCore {
  /// This thread's cache, if its slot is the one used last.
  @inlinable @inline(__always)
  func cacheInLastSlot() -> CacheReference? {
    PageAlloc.cacheInLastSlot(number)
  }

  /// The cache that this thread has already, wherever its slot is: for who reads figures, empties
  /// caches, or asks whether the thread is inside. The slot used last stays as it is.
  ///
  /// - Returns: `nil` where the thread has none; and, but for the slot used last, in the handler of
  ///   a signal that came in the middle of a change of the thread's slots or caches.
  /// - Complexity: O(1), whatever the number of arenas.
  @inline(__always)
  func cacheInItsSlot() -> CacheReference? { cacheInLastSlot() ?? cacheInOtherSlot() }

  @inline(never)
  private func cacheInOtherSlot() -> CacheReference? {
    if InsideMark.mayChangeCaches { return nil }
    // A handler may have the table move.
    let mark = InsideMark(.slots)
    defer { mark.end() }
    if !ThisThread.names(number, at: place) { return nil }
    return CacheReference(address: ThisThread[slot: place].cache)
  }

  /// The cache of a handle, or one that the caller knows already; else this thread's.
  ///
  /// - Returns: `nil` where caches are off or there is no memory for one; and whether the short way
  ///   has come by this cache already.
  /// - Throws: ``PageArenaError/reentered``.
  @inline(__always)
  func ownCache(
    _ handle: CacheReference?
  ) throws(PageArenaError) -> (CacheReference?, wasAsked: Bool) {
    if InsideMark.isAny { throw .reentered }
    // In the checked mode no thread has one, and a handle's stays empty.
    if checks != nil { return (nil, false) }
    if let cache = handle ?? cacheInLastSlot() {
      if !cache.front.isOutside { throw .reentered }
      return (cache, true)
    }
    let cache = cacheOfThread()
    if let cache, !cache.front.isOutside { throw .reentered }
    return (cache, false)
  }

  /// Refuses a call that comes from the handler of a signal in the middle of another one.
  @inline(__always)
  func requireOutside() throws(PageArenaError) {
    if isInside { throw .reentered }
  }

  /// The calling thread is in the middle of a call.
  var isInside: Bool {
    InsideMark.isAny || !(cacheInItsSlot()?.front.isOutside ?? true)
  }

  /// This thread's cache, which is then in the slot used last; or a new one.
  ///
  /// - Returns: `nil` where caches are off, the thread ends, or there is no memory for one.
  /// - Complexity: O(1), whatever the number of arenas.
  @inline(never)
  func cacheOfThread() -> CacheReference? {
    // A handler of a signal may have come in the middle of just this.
    if cacheLimit == 0 || InsideMark.isAny { return nil }
    let mark = InsideMark(.slots)
    defer { mark.end() }
    if ThisThread.record.has_ended != 0 || !ThisThread.reach(place) { return nil }
    if ThisThread[slot: place].arena != number {
      guard let cache = try? obtainCache(for: csm_thread_number()) else { return nil }
      // Every thread that has a cache is to be told of its end.
      guard ThreadEnd.watch() else {
        retire(cache)
        return nil
      }
      ThisThread[slot: place] = cts_slot(arena: number, cache: cache.address)
    }
    return useSlot(place)
  }
}

/// Makes a slot of an arena the one used last.
private func useSlot(_ place: Int) -> CacheReference? {
  let slot = ThisThread[slot: place]
  cts_set_last(slot.arena, slot.cache)
  return CacheReference(address: slot.cache)
}

/// This thread's cache of the arena of a number, if its slot is the one used last.
@inlinable @inline(__always)
func cacheInLastSlot(_ number: UInt) -> CacheReference? {
  // A slot that matches has a cache.
  let last = cts_last()
  return last.arena == number ? CacheReference(known: last.cache) : nil
}

/// This thread's cache of one of the arenas whose numbers are in a row, if the slot of such a one
/// is the one used last.
@inlinable @inline(__always)
func cacheInLastSlot(_ first: UInt, count: UInt) -> CacheReference? {
  let last = cts_last()
  return last.arena &- first < count ? CacheReference(known: last.cache) : nil
}

/// What this thread has noted under the number of a pool, at the pool's place in the registry.
///
/// - Returns: `nil` where it has noted nothing.
func noteInSlot(_ number: UInt, at place: Int) -> UInt? {
  // A handler may have the table move.
  let mark = InsideMark(.slots)
  defer { mark.end() }
  return ThisThread.names(number, at: place) ? ThisThread[slot: place].cache : nil
}

/// Notes something there, if there is memory for it.
///
/// - Parameter note: not 0.
func setNote(_ note: UInt, _ number: UInt, at place: Int) {
  if InsideMark.isAny { return }
  let mark = InsideMark(.slots)
  defer { mark.end() }
  // Every thread that has a table is to be told of its end.
  if ThisThread.record.has_ended != 0 || !ThreadEnd.watch() { return }
  // No arena is ever in a pool's place: who looks for a cache by this slot finds none.
  if ThisThread.reach(place) { ThisThread[slot: place] = cts_slot(arena: number, cache: note) }
}

/// Runs `body`, and has the slot used last as before if it was one of the arenas whose numbers are
/// in a row.
@inline(__always)
func keepingLastSlot<Failure: Error>(
  _ first: UInt, count: UInt, _ body: () throws(Failure) -> Void
) throws(Failure) {
  let last = cts_last()
  defer { if last.arena &- first < count { cts_set_last(last.arena, last.cache) } }
  try body()
}

/// This thread's cache of the arena of a number, by its slot at the arena's place, which becomes
/// the one used last. Nothing of the arena is looked at.
///
/// - Returns: `nil` where the thread has none yet.
/// - Complexity: O(1), whatever the number of arenas.
func cacheInAnySlot(_ number: UInt, at place: Int) -> CacheReference? {
  // A handler of a signal may have come in the middle of just this.
  if InsideMark.isAny { return nil }
  let mark = InsideMark(.slots)
  defer { mark.end() }
  return ThisThread.names(number, at: place) ? useSlot(place) : nil
}

// MARK: - The slots of a thread. They are the calling thread's own.

extension ThisThread {
  /// Has a slot for a place in the registry.
  ///
  /// - Returns: `false` where there is no memory for it.
  fileprivate static func reach(_ place: Int) -> Bool {
    hasSlot(at: place) || SlotTables.grow(for: place)
  }

  /// Whether the slot of a place is that of a number.
  @inline(__always)
  fileprivate static func names(_ number: UInt, at place: Int) -> Bool {
    hasSlot(at: place) && ThisThread[slot: place].arena == number
  }

  /// Gives all caches back, and takes no more.
  fileprivate static func end() {
    // What a handler of a signal does meanwhile finds none of the thread's caches.
    let mark = InsideMark(.slots)
    defer { mark.end() }
    record.has_ended = 1
    cts_set_last(0, 0)
    for place in 0..<Int(CTS_NEAR_SLOTS) + Int(record.table_count) {
      let found = ThisThread[slot: place]
      if found.arena == 0 { continue }
      ThisThread[slot: place] = cts_slot(arena: 0, cache: 0)
      giveBackCache(found, place)
    }
    SlotTables.drop()
  }
}

/// Gives back the cache of a slot, if its arena is still there.
private func giveBackCache(_ slot: cts_slot, _ place: Int) {
  guard let cache = CacheReference(address: slot.cache) else { return }
  ArenaRegistry.withLock {
    // The registry's lock keeps the arena.
    if let core = ArenaRegistry.find(place, slot.arena) { core.retire(cache) }
  }
}

// MARK: - The end of a thread

/// Is told when a thread with caches ends.
enum ThreadEnd {
  /// The pthread key whose destructor gives the caches back; `nil` where there are no more keys.
  private static let key: pthread_key_t? = {
    var key = pthread_key_t()
    let error = unsafe pthread_key_create(&key) { _ in ThisThread.end() }
    return error == 0 ? key : nil
  }()

  /// Whether there is one.
  static var isTold: Bool { key != nil }

  /// Has this thread watched. A value other than null is all that the destructor asks for.
  fileprivate static func watch() -> Bool {
    guard let key else { return false }
    return unsafe pthread_setspecific(key, UnsafeRawPointer(cts_thread_here())) == 0
  }
}

// MARK: - Caches

extension ArenaCore {
  /// A cache without an owner, or a new one.
  ///
  /// - Parameter thread: the kernel's number of the owner; 0 for a handle.
  func obtainCache(for thread: Int32) throws(SysMemError) -> CacheReference {
    if let cache = withHeap({ $0.obtainCache(for: thread) }) { return cache }
    if retireAbandonedCaches(), let cache = withHeap({ $0.obtainCache(for: thread) }) {
      return cache
    }
    let address = try withGrowth { growth throws(SysMemError) in
      let address = try growth.takeCacheMemory(system, isPermanent: isPermanent)
      withHeap { $0.note(growth) }
      return address
    }
    let cache = CacheReference(
      zeroed: address, base: base, runs: runs, core: self.address, tally: tally,
      profile: profile)
    withHeap { $0.add(cache, for: thread) }
    return cache
  }

  /// Takes caches from threads that have ended without giving them back: those that used the arena
  /// for the first time in the last of their destructors, when nobody asks any more.
  ///
  /// It is done when there are twice as many as at the last time, so that it costs each new cache
  /// about one call to the kernel, and no more are lost than there are threads.
  /// - Returns: whether there were any.
  private func retireAbandonedCaches() -> Bool {
    guard let caches = withHeap({ $0.cachesToVisit() }), ForkHandlers.knowsProcess else {
      return false
    }
    // One at a time, and no cache goes meanwhile.
    return withGrowth { _ in
      var isAny = false
      caches.forEach { cache in
        let thread = withHeap { _ in cache.contents.thread }
        if thread == 0 || csm_thread_exists(thread) != 0 { return }
        // It may have given the cache back in between, while it was still ending.
        guard let wakes = withHeap({ $0.retireAbandoned(cache, of: thread) }) else { return }
        isAny = true
        wakeScavenger(if: wakes)
      }
      withHeap { $0.noteVisit() }
      return isAny
    }
  }

  /// Takes a cache from its owner, who does not use it any more, with all its pages.
  func retire(_ cache: CacheReference) {
    wakeScavenger(if: withHeap { $0.retire(cache) })
  }

  /// Wakes the scavenger where a free said so. With no lock held.
  @inline(__always)
  func wakeScavenger(if isDue: Bool) {
    if isDue { ScavengerThread.wake(self) }
  }
}
