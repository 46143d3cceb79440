import CSysMem
import CThreadSlots
import Synchronization
import SysMem

// Caches and their threads
// ========================
//
// A thread finds its cache of an arena in a thread-local slot, which names the arena by number: a slot of
// an arena that is gone matches nothing. The cache itself lies in mapped memory of the arena's.
//
// A cache comes to a thread when the thread first needs one, and goes back when the thread ends, by the
// destructor of a pthread key, with all its pages. It then waits for another owner.

/// The arenas of the process, so that a thread that ends finds those which are still there.
enum ArenaRegistry {
  /// Runs `body` with the registry's lock held.
  static func withLock(_ body: () -> Void) {
    lock()
    body()
    unlock()
  }

  /// Takes the registry's lock: for `fork`, where it is held from one call to another.
  static func lock() { unsafe futex.pointee.lock() }

  /// Takes the lock if it is free.
  static func tryLock() -> Bool { unsafe futex.pointee.tryLock() }

  /// Gives it back.
  static func unlock() { unsafe futex.pointee.unlock() }

  private static var futex: UnsafeMutablePointer<FutexLock> {
    // The word is a global of the C part, as wide as the lock, and zero at first: a free lock.
    unsafe UnsafeMutableRawPointer(cts_registry_lock_address())
      .assumingMemoryBound(to: FutexLock.self)
  }

  /// The first arena of the list; call with the lock held.
  static var first: UnsafeMutablePointer<ArenaState>? {
    get { unsafe UnsafeMutablePointer(bitPattern: cts_registry_head_address().pointee) }
    set { unsafe cts_registry_head_address().pointee = UInt(bitPattern: newValue) }
  }

  /// Puts an arena into the list.
  static func add(_ arena: UnsafeMutablePointer<ArenaState>) {
    withLock {
      unsafe arena.pointee.nextArena = first
      unsafe first = arena
    }
  }

  /// Takes an arena out of the list.
  static func remove(_ arena: UnsafeMutablePointer<ArenaState>) {
    withLock {
      if unsafe first == arena {
        unsafe first = arena.pointee.nextArena
        return
      }
      var position = unsafe first
      while let other = unsafe position {
        if unsafe other.pointee.nextArena == arena {
          unsafe other.pointee.nextArena = arena.pointee.nextArena
          return
        }
        unsafe position = other.pointee.nextArena
      }
    }
  }

  /// The arena of a number, if it is still there; call with the lock held.
  static func find(_ number: UInt) -> UnsafeMutablePointer<ArenaState>? {
    var position = unsafe first
    while let arena = unsafe position {
      if unsafe arena.pointee.number == number { return unsafe arena }
      unsafe position = arena.pointee.nextArena
    }
    return nil
  }
}

// MARK: - A thread's cache

extension PageArena {
  /// This thread's cache, if its slot is the first.
  @inlinable @inline(__always)
  func cacheInFirstSlot() -> UnsafeMutablePointer<RunCache>? {
    // A thread's slots live as long as the thread.
    let slot = unsafe cts_thread_slots()
    if unsafe slot.unsafelyUnwrapped.pointee.arena != number { return nil }
    return unsafe UnsafeMutablePointer(bitPattern: slot.unsafelyUnwrapped.pointee.cache)
  }

  /// The cache of a handle, else this thread's.
  ///
  /// - Returns: `nil` where caches are off or there is no memory for one; and whether the short way has
  ///   come by this cache already.
  @inline(__always)
  func ownCache(
    _ handle: UnsafeMutablePointer<RunCache>?
  ) -> (UnsafeMutablePointer<RunCache>?, wasTried: Bool) {
    // In the checked mode no thread has one, and a handle's stays empty.
    if checks != nil { return (nil, false) }
    if let cache = unsafe handle ?? cacheInFirstSlot() { return unsafe (cache, true) }
    return unsafe (cacheOfThread(), false)
  }

  /// This thread's cache, brought to the first slot, or made.
  ///
  /// - Returns: `nil` where caches are off or there is no memory for one.
  @inline(never)
  func cacheOfThread() -> UnsafeMutablePointer<RunCache>? {
    if cacheLimit == 0 { return nil }
    guard let slots = unsafe cts_thread_slots() else { return nil }
    var index = 0
    let count = CTS_SLOT_COUNT
    while index < count, unsafe slots[index].arena != number { index += 1 }
    if index == count {
      guard let cache = unsafe try? obtainCache() else { return nil }
      // Every thread that has a cache is to be told of its end.
      guard ThreadEnd.watch() else {
        unsafe retire(cache)
        return nil
      }
      index = unsafe freeSlot(slots, count)
      unsafe giveBackCache(slots[index])
      unsafe slots[index] = cts_slot(arena: number, cache: UInt(bitPattern: cache))
    }
    if index != 0 {
      let found = unsafe slots[index]
      unsafe slots[index] = slots[0]
      unsafe slots[0] = found
    }
    return unsafe UnsafeMutablePointer(bitPattern: slots[0].cache)
  }

  /// A slot that is free or whose arena is gone, else the last.
  private func freeSlot(_ slots: UnsafeMutablePointer<cts_slot>, _ count: Int) -> Int {
    var index = 0
    ArenaRegistry.withLock {
      // The slots are this thread's own.
      while index < count - 1, unsafe slots[index].arena != 0,
        unsafe ArenaRegistry.find(slots[index].arena) != nil
      { index += 1 }
    }
    return index
  }

  /// A cache without an owner, or a new one.
  func obtainCache() throws(SysMemError) -> UnsafeMutablePointer<RunCache> {
    unsafe state.locks.pointee.heap.lock()
    let retired = unsafe state.pointee.caches.takeRetired()
    unsafe state.locks.pointee.heap.unlock()
    if let retired = unsafe retired { return unsafe retired }

    let address = try CacheMapping.map(system, isPermanent: isPermanent)
    guard let cache = unsafe UnsafeMutablePointer<RunCache>(bitPattern: address) else {
      corrupted("the kernel mapped a cache at address 0")
    }
    // Just mapped, for this alone.
    unsafe cache.initialize(to: RunCache(base: base, runs: runs, core: core.toOpaque()))
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.caches.add(cache)
    unsafe state.locks.pointee.heap.unlock()
    return unsafe cache
  }

  /// Takes a cache from its owner, who does not use it any more, with all its pages.
  func retire(_ cache: UnsafeMutablePointer<RunCache>) {
    perform(unsafe PageAlloc.retire(cache, of: state))
  }
}

/// Takes a cache of an arena's from its owner, with all its pages. Call without `heap`.
///
/// - Returns: what is to be done for the scavenger.
private func retire(
  _ cache: UnsafeMutablePointer<RunCache>, of state: UnsafeMutablePointer<ArenaState>
) -> ScavengerCall {
  // The caller keeps the arena; the cache is its own.
  unsafe state.locks.pointee.heap.lock()
  defer { unsafe state.locks.pointee.heap.unlock() }
  // The owner is gone, or is the caller: nobody else is inside.
  unsafe state.pointee.takeAll(cache)
  unsafe state.pointee.caches.retire(cache)
  return unsafe state.pointee.scavengerCall()
}

extension ArenaState {
  /// Gives all runs of a cache back to the allocator. Call with `heap` held, when the owner is outside.
  mutating func takeAll(_ cache: UnsafeMutablePointer<RunCache>) {
    var batch = RunBatch()
    // The cache belongs to this arena and lives as long.
    unsafe cache.pointee.drain { page, pages in add(page, pages, to: &batch) }
    giveBack(&batch)
    unsafe resetBound(of: cache)
  }

  /// Gives runs of a cache's stacks back until at most `target` pages are left there. As above.
  mutating func takeStacked(_ cache: UnsafeMutablePointer<RunCache>, to target: Int) {
    var batch = RunBatch()
    unsafe cache.pointee.drainStacks(to: target) { page, pages in add(page, pages, to: &batch) }
    giveBack(&batch)
  }

  /// Gives a cache's long runs back. As above.
  mutating func takeLong(_ cache: UnsafeMutablePointer<RunCache>) {
    var batch = RunBatch()
    unsafe cache.pointee.long.drain { page, pages in add(page, pages, to: &batch) }
    giveBack(&batch)
  }

  @inline(__always)
  private mutating func add(_ page: PageNumber, _ pages: Int, to batch: inout RunBatch) {
    if batch.isFull { giveBack(&batch) }
    batch.add(page, pages)
  }

  /// Pages in all caches, and in the depot, as far as that can be: what is made of it adds up.
  ///
  /// Each cache is read while its owner changes it, and at another moment than the next one: what
  /// goes from one to another meanwhile counts twice, or not at all. But at no moment is more at hand
  /// than is out of the allocator, or anything that is withheld.
  var cachedPages: Int { min(max(sparePages, heldPages), inUsePages - withheldPages) }

  /// The same as the caches tell it: exact while nobody is inside one, else any number.
  var heldPages: Int { sparePages &+ caches.heldPages }
}

/// Gives back the cache of a slot, if its arena is still there.
func giveBackCache(_ slot: cts_slot) {
  if slot.arena == 0 { return }
  ArenaRegistry.withLock {
    // The registry's lock keeps the arena.
    if let arena = unsafe ArenaRegistry.find(slot.arena),
      let cache = unsafe UnsafeMutablePointer<RunCache>(bitPattern: slot.cache)
    {
      let call = unsafe PageAlloc.retire(cache, of: arena)
      if call != .none { unsafe ReturnPath(arena).perform(call) }
    }
  }
}

// MARK: - The end of a thread

/// Is told when a thread with caches ends.
private enum ThreadEnd {
  /// The pthread key whose destructor gives the caches back; `nil` where there are no more keys.
  static let key: pthread_key_t? = {
    var key = pthread_key_t()
    let error = unsafe pthread_key_create(&key) { _ in
      guard let slots = unsafe cts_thread_slots() else { return }
      for index in 0..<CTS_SLOT_COUNT {
        let slot = unsafe slots[index]
        unsafe slots[index] = cts_slot(arena: 0, cache: 0)
        giveBackCache(slot)
      }
    }
    return error == 0 ? key : nil
  }()

  /// Has this thread watched. A value other than null is all that the destructor asks for.
  static func watch() -> Bool {
    guard let key else { return false }
    return unsafe pthread_setspecific(key, UnsafeRawPointer(cts_thread_slots())) == 0
  }
}

/// The memory of a cache: pages of its own, between guard pages.
enum CacheMapping {
  /// Maps zeroed memory for one cache.
  ///
  /// - Parameter isPermanent: whether it is sealed, and never unmapped.
  /// - Returns: its address.
  static func map(_ system: SysMem, isPermanent: Bool) throws(SysMemError) -> UInt {
    try system.sysMapGuarded(UInt(MemoryLayout<RunCache>.size), isSealed: isPermanent)
  }

  /// Gives it back.
  static func unmap(_ address: UInt, _ system: SysMem) {
    system.sysFreeGuarded(address, UInt(MemoryLayout<RunCache>.size))
  }

  /// Bytes that a cache takes.
  static func byteCount(_ system: SysMem) -> UInt {
    system.roundedToPhysicalPages(UInt(MemoryLayout<RunCache>.size))
  }
}
