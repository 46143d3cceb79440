import CSysMem
import Synchronization

/// A lock of one word that sleeps in the kernel only when it must.
///
/// Two bits and a count; 0 is a free lock, 1 one that is held:
///
///     31                16                0
///     | may sleep | ... | fork | ... | count |
///
/// Whoever has slept takes the lock with the upper bit set, since others may still be asleep. It
/// works in mapped memory, on every target, without allocating. It is recursive for one thread
/// alone: the one whose fork holds it (ForkTurn). To take it, or to give it back, costs the same
/// for that.
///
/// Ordering: taking it acquires what the last holder released.
@safe
public struct FutexLock: ~Copyable, Sendable {
  private let word = Atomic<UInt32>(0)

  /// How often to look for a free lock before sleeping, some tens of nanoseconds each.
  private static var looks: Int { 100 }
  /// Somebody may sleep.
  private static var sleepers: UInt32 { 1 << 31 }
  /// It is held from one handler of a fork to another.
  private static var fork: UInt32 { 1 << 16 }
  /// How often it is held: more than once by a fork's thread alone.
  private static var count: UInt32 { fork - 1 }

  /// A free lock.
  public init() {}

  /// Waits until the lock is free, and takes it.
  @inline(__always)
  public borrowing func lock() {
    if !lockAtOnce() { lockSlowly() }
  }

  /// Takes the lock if it is free; not within a fork of the thread's that holds it.
  @inline(__always)
  package borrowing func lockAtOnce() -> Bool {
    word.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged
  }

  /// Takes the lock if it is free.
  public borrowing func tryLock() -> Bool {
    lockAtOnce() || lockWithinFork()
  }

  /// Gives the lock back.
  ///
  /// Nothing of it is touched once it is free: whoever takes it next may unmap it.
  /// - Precondition: the caller holds it.
  @inline(__always)
  public borrowing func unlock() {
    if !word.compareExchange(expected: 1, desired: 0, ordering: .releasing).exchanged {
      unlockSlowly()
    }
  }

  /// Makes the lock free, whoever held it: for a child of `fork`, where the holder is gone.
  ///
  /// - Precondition: no other thread uses the lock.
  public borrowing func reset() { word.store(0, ordering: .relaxed) }

  /// Takes the lock for a fork, whose thread may then take it again.
  ///
  /// - Parameter waits: is called where the lock is not free, before it is waited for.
  package borrowing func lockForFork(waits: () -> Void = {}) {
    if !lockAtOnce() {
      waits()
      lock()
    }
    word.wrappingAdd(Self.fork, ordering: .relaxed)
  }

  /// Gives it back, in the parent or in the child.
  package borrowing func unlockAfterFork() {
    word.wrappingSubtract(Self.fork, ordering: .relaxed)
    unlock()
  }

  /// It is held from one handler of a fork to another.
  package var isHeldByFork: Bool { word.load(ordering: .relaxed) & Self.fork != 0 }

  /// Takes it once more, if this thread's fork holds it.
  private borrowing func lockWithinFork() -> Bool {
    if word.load(ordering: .relaxed) & Self.fork == 0 || !ForkTurn.isMine { return false }
    // In a new child this gives all locks back.
    if ForkTurn.isNewChild {
      ForkTurn.renewIfNewChild()
      lock()
      return true
    }
    word.wrappingAdd(1, ordering: .acquiring)
    return true
  }

  @inline(never)
  private borrowing func lockSlowly() {
    if lockWithinFork() { return }
    // A holder is in for some hundred nanoseconds, while to sleep and to be woken take thousands of
    // both threads: look for about two microseconds first.
    for _ in 0..<Self.looks {
      csm_pause()
      if word.load(ordering: .relaxed) == 0,
        word.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged
      {
        return
      }
    }
    while true {
      let seen = word.load(ordering: .relaxed)
      let marked = seen | Self.sleepers
      if seen & Self.count == 0 {
        if word.compareExchange(expected: seen, desired: marked | 1, ordering: .acquiring).exchanged
        {
          return
        }
      } else if seen == marked
        || word.compareExchange(expected: seen, desired: marked, ordering: .relaxed).exchanged
      {
        // EAGAIN and EINTR both mean: look again.
        unsafe withAddress { _ = unsafe csm_futex_wait($0, marked) }
      }
    }
  }

  @inline(never)
  private borrowing func unlockSlowly() {
    unsafe withAddress { address in
      var held = word.load(ordering: .relaxed)
      while true {
        // A fork may hold it still.
        let isLast = held & Self.count == 1
        let left = isLast ? 0 : held - 1
        let (done, found) = word.compareExchange(
          expected: held, desired: left, ordering: .releasing)
        if done {
          // The kernel does not mind if nothing is there any more.
          if isLast { unsafe csm_futex_wake(address, 1) }
          return
        }
        held = found
      }
    }
  }

  /// Has the runtime know the type of the lock's word, which code that is not optimized asks it for
  /// when a lock is first waited for: a child of a fork just then could not wait for it, nor wake
  /// anybody, since a lock of the runtime's would be held there for ever.
  package static func prepareForFork() {
    let lock = FutexLock()
    unsafe lock.withAddress { _ in }
  }

  /// The word's address for the kernel, which looks at the address and changes nothing.
  @inline(__always)
  private borrowing func withAddress(_ body: (UnsafePointer<UInt32>) -> Void) {
    // An atomic's value lies at its address: it is neither moved nor copied while it lives.
    unsafe withUnsafePointer(to: word) {
      unsafe body(UnsafeRawPointer($0).assumingMemoryBound(to: UInt32.self))
    }
  }
}
