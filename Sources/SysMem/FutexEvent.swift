import CSysMem
import Synchronization

/// Wakes one sleeping thread, or the next one that wants to sleep.
///
/// One word, in mapped memory; nothing is allocated. Signals do not add up: two of them before the
/// sleeper looks are one.
///
/// Ordering: what was written before `signal` is visible after the `wait` that it ends.
@safe
public struct FutexEvent: ~Copyable, Sendable {
  // 0: nothing; 1: signalled.
  private let word = Atomic<UInt32>(0)

  /// An event that was not signalled.
  public init() {}

  /// Ends the sleep of the thread that waits, or the next one.
  public borrowing func signal() {
    if word.exchange(1, ordering: .releasing) == 0 {
      unsafe withAddress { unsafe csm_futex_wake($0, 1) }
    }
  }

  /// Sleeps until signalled, or for so many nanoseconds; `nil`: for as long as it takes.
  ///
  /// - Returns: whether the time was over, rather than that somebody signalled, or a stray signal
  ///   came.
  @discardableResult
  public borrowing func wait(nanoseconds: UInt64?) -> Bool {
    guard let nanoseconds else {
      while word.exchange(0, ordering: .acquiring) == 0 {
        unsafe withAddress { _ = unsafe csm_futex_wait($0, 0) }
      }
      return false
    }
    if word.exchange(0, ordering: .acquiring) != 0 { return false }
    var error: Int32 = 0
    unsafe withAddress { error = unsafe csm_futex_wait_for($0, 0, nanoseconds) }
    let wasSignalled = word.exchange(0, ordering: .acquiring) != 0
    return error == ETIMEDOUT && !wasSignalled
  }

  /// Whether it was signalled; it no longer is. Does not sleep.
  public borrowing func take() -> Bool { word.exchange(0, ordering: .acquiring) != 0 }

  /// As if never signalled: for a child of `fork`.
  public borrowing func reset() { word.store(0, ordering: .relaxed) }

  private borrowing func withAddress(_ body: (UnsafePointer<UInt32>) -> Void) {
    // An atomic's value lies at its address: it is neither moved nor copied while it lives.
    unsafe withUnsafePointer(to: word) {
      unsafe body(UnsafeRawPointer($0).assumingMemoryBound(to: UInt32.self))
    }
  }
}
