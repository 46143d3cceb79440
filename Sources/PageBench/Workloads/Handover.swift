import CSysMem
import Synchronization
import SysMem

/// A ring through which one thread hands runs to another.
///
/// As cheap as it can be made, so that the allocators are what is measured: each side has lines of
/// its own, looks at the other's counter only when it must, and tells of its own once in `burst`
/// runs.
@safe
private final class Ring: @unchecked Sendable {
  // @unchecked: a slot belongs to the producer from `head` on and to the consumer before, which the
  // two counters, each written by one side with release and read by the other with acquire, make
  // sure of.
  static let count = 1024
  /// Runs after which a side tells of what it did: four lines of slots.
  static let burst = 32
  /// The slots, then the counters, 128 bytes apart: a line is 64, but may be fetched with its
  /// neighbour.
  private let memory = UnsafeMutableRawPointer.allocate(
    byteCount: count * MemoryLayout<UInt>.stride + 256, alignment: 128)
  let slots: UnsafeMutablePointer<UInt>
  let head: UnsafeMutablePointer<Atomic<Int>>
  let tail: UnsafeMutablePointer<Atomic<Int>>
  let refusals = Atomic<Int>(0)

  init() {
    // The parts of the block do not overlap, and there is room for all.
    unsafe slots = memory.bindMemory(to: UInt.self, capacity: Ring.count)
    let counters = unsafe memory + Ring.count * MemoryLayout<UInt>.stride
    unsafe head = counters.bindMemory(to: Atomic<Int>.self, capacity: 1)
    unsafe tail = (counters + 128).bindMemory(to: Atomic<Int>.self, capacity: 1)
    unsafe head.initialize(to: Atomic(0))
    unsafe tail.initialize(to: Atomic(0))
  }

  deinit { unsafe memory.deallocate() }

  /// Waits until a counter of the other side's is another than it was.
  ///
  /// A side that waits long, since the other has no processor, lets it have this one.
  @inline(__always)
  func wait(for counter: UnsafeMutablePointer<Atomic<Int>>, past old: Int) -> Int {
    var looks = 0
    while true {
      // Both counters live as long as the ring.
      let now = unsafe counter.pointee.load(ordering: .acquiring)
      if now != old { return now }
      csm_pause()
      looks += 1
      if looks % 1024 == 0 { csm_yield() }
    }
  }
}

/// One thread allocates pages, the other frees them: nanoseconds a page that went through, in
/// batches of four rings, as the consumer sees it: no batch is served out of what the ring held
/// before.
func measureHandover<C: Contender>(_ contender: C, _ effort: Effort) -> Figures {
  let ring = Ring()
  var sampler = Sampler(effort)
  let batch = 4 * Ring.count
  let start = Moment.now
  onThreads(2) { number in
    if number == 1 {
      produce(contender, ring, from: start, for: effort, batch)
    } else {
      consume(contender, ring, &sampler, batch)
    }
  }
  var result = Figures()
  sampler.fill(&result)
  result.refusals = Double(ring.refusals.load(ordering: .relaxed))
  result.metadataBytes = contender.metadataBytes
  return result
}

private func produce<C: Contender>(
  _ contender: C, _ ring: Ring, from start: Moment, for effort: Effort, _ batch: Int
) {
  var head = 0
  var tail = 0
  // So many batches at least, that there is a median of them, however long they take.
  var left = 8
  while left > 0 || Moment.now.elapsed(since: start) < effort.nanoseconds {
    left -= 1
    for _ in 0..<batch {
      let base = contender.allocate(1)
      if base == 0 {
        ring.refusals.add(1, ordering: .relaxed)
        continue
      }
      if head - tail == Ring.count { tail = unsafe ring.wait(for: ring.tail, past: tail) }
      // The slot was emptied by the consumer, by the condition above.
      unsafe ring.slots[head & (Ring.count - 1)] = base
      head += 1
      if head % Ring.burst == 0 { unsafe ring.head.pointee.store(head, ordering: .releasing) }
    }
  }
  // 0 closes the stream.
  if head - tail == Ring.count { tail = unsafe ring.wait(for: ring.tail, past: tail) }
  unsafe ring.slots[head & (Ring.count - 1)] = 0
  unsafe ring.head.pointee.store(head + 1, ordering: .releasing)
}

private func consume<C: Contender>(
  _ contender: C, _ ring: Ring, _ sampler: inout Sampler, _ batch: Int
) {
  var head = 0
  var tail = 0
  var inBatch = 0
  var start = Moment.now
  while true {
    if head == tail { head = unsafe ring.wait(for: ring.head, past: head) }
    // The slot was filled by the producer, by the condition above.
    let base = unsafe ring.slots[tail & (Ring.count - 1)]
    tail += 1
    if tail % Ring.burst == 0 { unsafe ring.tail.pointee.store(tail, ordering: .releasing) }
    if base == 0 { return }
    contender.free(base, 1)
    inBatch += 1
    if inBatch == batch {
      let now = Moment.now
      sampler.add(now.elapsed(since: start), batch)
      start = now
      inBatch = 0
    }
  }
}
