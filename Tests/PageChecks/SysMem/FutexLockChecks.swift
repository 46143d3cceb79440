import CSysMem
import SysMem
import Synchronization

/// The lock of one word.
package let futexLockChecks: [Check] = [
  Check("lock: held it is refused, given back it is granted") { recorder in
    let lock = FutexLock()
    recorder.expect(lock.tryLock(), "a free lock")
    recorder.expect(!lock.tryLock(), "a lock that is held")
    lock.unlock()
    lock.lock()
    recorder.expect(!lock.tryLock(), "a lock that is held")
    lock.unlock()
    recorder.expect(lock.tryLock(), "a lock that was given back")
    lock.unlock()
  },
  Check("lock: four threads count to 100,000 each, and no step is lost") { recorder in
    let counter = LockedCounter()
    runThreads([counter, counter, counter, counter]) { counter in
      for _ in 0..<100_000 { counter.increment() }
    }
    recorder.expectEqual(counter.count, 400_000, "steps")
    recorder.expect(counter.tryIncrement(), "the lock is free at the end")
  },
  Check("lock: whoever waits sleeps until the lock is given back, and all get it") { recorder in
    let holder = LockHolder()
    holder.lock.lock()
    runThreads([holder, holder, holder, holder]) { holder in
      if holder.places.add(1, ordering: .relaxed).oldValue == 0 {
        // Not a holder itself: lets the others fall asleep, then gives back what the check took.
        usleep(30_000)
        holder.early.store(holder.entered.load(ordering: .relaxed), ordering: .relaxed)
        holder.lock.unlock()
      } else {
        holder.lock.lock()
        holder.entered.add(1, ordering: .relaxed)
        holder.lock.unlock()
      }
    }
    recorder.expectEqual(holder.early.load(ordering: .relaxed), 0, "entered a lock that is held")
    recorder.expectEqual(holder.entered.load(ordering: .relaxed), 3, "entered")
    recorder.expect(holder.lock.tryLock(), "the lock is free at the end")
  },
]

/// A number that is only right if the lock keeps the threads apart.
private final class LockedCounter: @unchecked Sendable {
  // @unchecked: `count` is guarded by `lock`, or read when the threads are gone.
  private let lock = FutexLock()
  private(set) var count = 0

  func increment() {
    lock.lock()
    count += 1
    lock.unlock()
  }

  func tryIncrement() -> Bool {
    guard lock.tryLock() else { return false }
    count += 1
    lock.unlock()
    return true
  }
}

private final class LockHolder: Sendable {
  let lock = FutexLock()
  let places = Atomic<Int>(0)
  let entered = Atomic<Int>(0)
  let early = Atomic<Int>(-1)
}
