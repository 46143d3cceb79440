import CSysMem
import PageAlloc
import Synchronization

// Threads with caches: one that sits idle, and two that hand runs on.

/// A thread that uses the arena, then sits idle until told to go on.
final class IdleThread: Sendable {
  let arena: PageArena
  let faults = Atomic<Int>(0)
  private let stage = Atomic<Int>(0)

  init(_ arena: PageArena) { self.arena = arena }

  func use() {
    var runs: [Run] = []
    for index in 0..<150 {
      guard let run = try? arena.run(1 + index % 7) else {
        faults.add(1, ordering: .relaxed)
        return
      }
      run.stamp(UInt64(index))
      runs.append(run)
    }
    for index in 0..<runs.count {
      if !runs[index].isStamped(UInt64(index)) { faults.add(1, ordering: .relaxed) }
      if arena.errorOfGiving(runs[index]) != nil { faults.add(1, ordering: .relaxed) }
    }
  }

  func run() {
    use()
    stage.store(1, ordering: .releasing)
    while stage.load(ordering: .acquiring) != 2 { sched_yield() }
    use()
  }

  func waitUntilIdle() { while stage.load(ordering: .acquiring) != 1 { sched_yield() } }
  func goOn() { stage.store(2, ordering: .releasing) }
}

/// Runs on their way from one thread to another: a ring of addresses.
@safe
final class Belt: Sendable {
  let arena: PageArena
  let faults = Atomic<Int>(0)
  let head = Atomic<Int>(0)
  let tail = Atomic<Int>(0)
  nonisolated(unsafe) let ring: UnsafeMutablePointer<Run>
  static let size = 64
  static let total = 20_000

  init(_ arena: PageArena) {
    self.arena = arena
    unsafe ring = .allocate(capacity: Self.size)
  }

  deinit { unsafe ring.deallocate() }
}

/// One of the two threads at a belt.
final class BeltEnd: Sendable {
  let belt: Belt
  let isProducer: Bool

  init(_ belt: Belt, isProducer: Bool) {
    self.belt = belt
    self.isProducer = isProducer
  }

  func run() {
    for index in 0..<Belt.total {
      if isProducer { produce(index) } else { consume(index) }
    }
  }

  private func produce(_ index: Int) {
    guard let run = try? belt.arena.run(1 + index % 9) else {
      belt.faults.add(1, ordering: .relaxed)
      return
    }
    run.stamp(UInt64(index))
    while index - belt.tail.load(ordering: .acquiring) >= Belt.size { sched_yield() }
    // The slot is free: the consumer is past it.
    unsafe (belt.ring + index % Belt.size).initialize(to: run)
    belt.head.store(index + 1, ordering: .releasing)
  }

  private func consume(_ index: Int) {
    while belt.head.load(ordering: .acquiring) <= index { sched_yield() }
    let run = unsafe belt.ring[index % Belt.size]
    belt.tail.store(index + 1, ordering: .releasing)
    if !run.isStamped(UInt64(index)) { belt.faults.add(1, ordering: .relaxed) }
    if belt.arena.errorOfGiving(run) != nil { belt.faults.add(1, ordering: .relaxed) }
  }
}
