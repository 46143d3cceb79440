import CSysMem
import Synchronization

/// A lock of one word that sleeps in the kernel only when it must.
///
/// The word has three states: 0 free, 1 held, 2 held and somebody may sleep. Whoever has slept
/// takes it as 2, since others may still be asleep. It works in mapped memory, on every target,
/// without allocating, and is not recursive.
///
/// Ordering: taking it acquires what the last holder released.
@safe
public struct FutexLock: ~Copyable, Sendable {
  private let word = Atomic<UInt32>(0)

  /// How often to look for a free lock before sleeping, some tens of nanoseconds each.
  private static var looks: Int { 100 }

  /// A free lock.
  public init() {}

  /// Waits until the lock is free, and takes it.
  @inline(__always)
  public borrowing func lock() {
    if !word.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged {
      lockSlowly()
    }
  }

  /// Takes the lock if it is free.
  public borrowing func tryLock() -> Bool {
    word.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged
  }

  /// Gives the lock back.
  ///
  /// - Precondition: the caller holds it.
  @inline(__always)
  public borrowing func unlock() {
    if word.exchange(0, ordering: .releasing) == 2 { wake() }
  }

  /// Makes the lock free, whoever held it: for a child of `fork`, where the holder is gone.
  ///
  /// - Precondition: no other thread uses the lock.
  public borrowing func reset() { word.store(0, ordering: .relaxed) }

  @inline(never)
  private borrowing func lockSlowly() {
    // A holder is in for some hundred nanoseconds, while to sleep and to be woken take thousands of
    // both threads: look for about two microseconds first.
    for _ in 0..<Self.looks {
      csm_pause()
      if word.load(ordering: .relaxed) == 0, tryLock() { return }
    }
    while word.exchange(2, ordering: .acquiring) != 0 {
      // EAGAIN and EINTR both mean: look again.
      unsafe withAddress { _ = unsafe csm_futex_wait($0, 2) }
    }
  }

  @inline(never)
  private borrowing func wake() {
    unsafe withAddress { unsafe csm_futex_wake($0, 1) }
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
