// Runs on their way from one owner to another
// ===========================================
//
// Where one thread allocates what another one frees, the one's cache is always empty and the other's
// always full. Half of a full stack then goes here as it is, and on to the next cache that has none of that
// size, without a look at the allocator:
//
//   consumer's stack  | 32 runs |  -- 16 -->  batch, batch, batch  -- 16 -->  | 0 runs |  producer's stack
//
// To the allocator these pages are in use; they are nobody's. They count as free, as what threads keep at
// hand, and go back with that, and whenever memory would be used instead that nobody has touched yet.
// Where there is but one cache there is nobody to pass anything on to, and nothing is kept.

/// Batches of free runs, of one size each. Guarded by the heap lock.
struct PassedRuns: ~Copyable {
  /// A ring, of which the oldest batch is `first`.
  private var batches = InlineArray<32, RunCache.Half>(repeating: RunCache.Half(repeating: 0))
  /// The size of the runs in each.
  private var sizes = InlineArray<32, UInt8>(repeating: 0)
  private var first = 0
  /// Batches.
  private(set) var count = 0
  /// The pages of all.
  private(set) var pageCount = 0

  /// The longest run that is passed on, in pages: longer ones come from the allocator one by one.
  static var longest: Int { PageArena.largestRefilled }
  private static var mostBatches: Int { 32 }

  /// There is no room for a batch more.
  var isFull: Bool { count == Self.mostBatches }

  /// Pages in a batch of runs of a size.
  static func pages(_ size: Int) -> Int { size &* RunCache.halfDepth }

  /// Keeps a batch.
  ///
  /// - Precondition: not full; `size` is 1 ... `longest`.
  mutating func put(_ batch: RunCache.Half, _ size: Int) {
    // A slot is 0 ..< 32; so below. A checked access would copy the whole array to read from it.
    unsafe batches[unchecked: slot(count)] = batch
    unsafe sizes[unchecked: slot(count)] = UInt8(truncatingIfNeeded: size)
    count &+= 1
    pageCount &+= Self.pages(size)
  }

  /// Takes the batch of a size that came last.
  mutating func take(_ size: Int) -> RunCache.Half? {
    var index = count
    while index > 0 {
      index &-= 1
      if unsafe Int(sizes[unchecked: slot(index)]) == size { return remove(at: index) }
    }
    return nil
  }

  /// Takes the batch that came first, and the size of its runs.
  ///
  /// - Precondition: there is one.
  mutating func takeOldest() -> (batch: RunCache.Half, size: Int) {
    precondition(count > 0, "no run is on its way")
    let size = unsafe Int(sizes[unchecked: first])
    let batch = unsafe batches[unchecked: first]
    first = slot(1)
    count &-= 1
    pageCount &-= Self.pages(size)
    return (batch, size)
  }

  /// Takes one out; later ones move up.
  private mutating func remove(at index: Int) -> RunCache.Half {
    let batch = unsafe batches[unchecked: slot(index)]
    pageCount &-= unsafe Self.pages(Int(sizes[unchecked: slot(index)]))
    count &-= 1
    var hole = index
    while hole < count {
      unsafe batches[unchecked: slot(hole)] = batches[unchecked: slot(hole &+ 1)]
      unsafe sizes[unchecked: slot(hole)] = sizes[unchecked: slot(hole &+ 1)]
      hole &+= 1
    }
    return batch
  }

  /// Where a batch lies; 0 is the oldest.
  private func slot(_ index: Int) -> Int { (first &+ index) & (Self.mostBatches &- 1) }
}

// MARK: - Call with `heap` held

extension ArenaState {
  /// Whether there is somebody to pass runs on to.
  var hasManyCaches: Bool { unsafe caches?.pointee.next != nil }

  /// Passes half of a stack on, if that is full; older batches give way. Call as the cache's owner,
  /// outside of it.
  ///
  /// - Parameter limit: pages that a cache may hold; all that is on its way is a quarter of that at the most.
  mutating func passOn(_ pages: Int, from cache: UnsafeMutablePointer<RunCache>, limit: Int) {
    let more = PassedRuns.pages(pages)
    // The cache lives as long as the arena.
    guard pages > 0, pages <= PassedRuns.longest, more <= limit / 4,
      unsafe cache.pointee.isFull(pages)
    else { return }
    while passed.isFull || passed.pageCount &+ more > limit / 4 { giveBackPassed() }
    unsafe passed.put(cache.pointee.takeHalf(of: pages), pages)
  }

  /// Moves runs of a size into a cache that has none of it. As above.
  ///
  /// - Returns: whether there were some, and room for them.
  mutating func takePassed(
    _ pages: Int, into cache: UnsafeMutablePointer<RunCache>, limit: Int
  ) -> Bool {
    // The cache lives as long as the arena.
    guard passed.count > 0, unsafe cache.pointee.hasRoomForHalf(of: pages, limit: limit),
      let batch = passed.take(pages)
    else { return false }
    unsafe cache.pointee.putHalf(batch, of: pages)
    return true
  }

  /// Gives all of them back to the allocator.
  mutating func giveBackAllPassed() {
    while passed.count > 0 { giveBackPassed() }
  }

  private mutating func giveBackPassed() {
    let (half, size) = passed.takeOldest()
    var batch = RunBatch()
    for index in 0..<RunCache.halfDepth {
      // Below the count, by the condition.
      batch.add(unsafe CachedRun(packed: half[unchecked: index]).page, size)
    }
    giveBack(&batch)
  }
}
