import PageAlloc

/// Owners in a row, since an array cannot hold what is not copyable.
@safe
struct RunList: ~Copyable {
  // Invariant: the first `count` elements are initialised.
  private let storage: UnsafeMutableBufferPointer<PageRun>
  private(set) var count = 0

  /// An empty list with room for so many.
  init(capacity: Int) { unsafe storage = .allocate(capacity: capacity) }

  /// Whether there is no more room.
  var isFull: Bool { unsafe count == storage.count }

  /// Adds a run at the end.
  mutating func append(_ run: consuming PageRun) {
    precondition(!isFull)
    // Room, by the precondition.
    unsafe storage.initializeElement(at: count, to: run)
    count += 1
  }

  /// Takes a run out; the last one takes its place.
  mutating func swapRemove(_ index: Int) -> PageRun {
    precondition(index >= 0 && index < count)
    count -= 1
    // Initialised, by the precondition; nothing moves when it is the last.
    let run = unsafe storage.moveElement(from: index)
    if index < count {
      unsafe storage.initializeElement(at: index, to: storage.moveElement(from: count))
    }
    return run
  }

  /// Frees them all, the last one first.
  mutating func removeAll() {
    while count > 0 { swapRemove(count - 1).deallocate() }
  }

  deinit {
    // Initialised, as all below the count are.
    for index in 0..<count { unsafe storage.deinitializeElement(at: index) }
    unsafe storage.deallocate()
  }
}
