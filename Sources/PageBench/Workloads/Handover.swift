import CSysMem
import Synchronization

/// A ring through which one thread hands runs to another.
@safe
private final class Ring: @unchecked Sendable {
  // @unchecked: a slot belongs to the producer from `head` on and to the consumer before, which the two
  // counters, each written by one side with release and read by the other with acquire, make sure of.
  static let count = 1024
  let slots = UnsafeMutablePointer<UInt>.allocate(capacity: Ring.count)
  let head = Atomic<Int>(0)
  let tail = Atomic<Int>(0)
  let refusals = Atomic<Int>(0)

  deinit { unsafe slots.deallocate() }
}

/// One thread allocates pages, the other frees them: nanoseconds a page that went through, in batches of
/// 256, as the consumer sees it.
func measureHandover<C: Contender>(_ contender: C, _ effort: Effort) -> Figures {
  let ring = Ring()
  var sampler = Sampler(effort)
  let batch = 256
  let end = csm_now() + effort.nanoseconds
  onThreads(2) { number in
    if number == 1 {
      produce(contender, ring, until: end, batch)
    } else {
      consume(contender, ring, &sampler, until: end, batch)
    }
  }
  var result = Figures()
  sampler.fill(&result)
  result.refusals = Double(ring.refusals.load(ordering: .relaxed))
  result.metadataBytes = contender.metadataBytes
  return result
}

private func produce<C: Contender>(
  _ contender: C, _ ring: Ring, until end: UInt64, _ batch: Int
) {
  var head = 0
  var tail = 0
  while csm_now() < end {
    for _ in 0..<batch {
      let base = contender.allocate(1)
      if base == 0 {
        ring.refusals.add(1, ordering: .relaxed)
        continue
      }
      while head - tail == Ring.count { tail = ring.tail.load(ordering: .acquiring) }
      // The slot was emptied by the consumer, by the condition above.
      unsafe ring.slots[head & (Ring.count - 1)] = base
      head += 1
      ring.head.store(head, ordering: .releasing)
    }
  }
  // 0 closes the stream.
  while head - tail == Ring.count { tail = ring.tail.load(ordering: .acquiring) }
  unsafe ring.slots[head & (Ring.count - 1)] = 0
  ring.head.store(head + 1, ordering: .releasing)
}

private func consume<C: Contender>(
  _ contender: C, _ ring: Ring, _ sampler: inout Sampler, until end: UInt64, _ batch: Int
) {
  var head = 0
  var tail = 0
  var inBatch = 0
  var start = csm_now()
  while true {
    while head == tail { head = ring.head.load(ordering: .acquiring) }
    // The slot was filled by the producer, by the condition above.
    let base = unsafe ring.slots[tail & (Ring.count - 1)]
    tail += 1
    ring.tail.store(tail, ordering: .releasing)
    if base == 0 { return }
    contender.free(base, 1)
    inBatch += 1
    if inBatch == batch {
      let now = csm_now()
      sampler.add(now - start, batch)
      start = now
      inBatch = 0
    }
  }
}
