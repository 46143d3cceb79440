import SysMem

// What an arena looks like: for pictures, and for tools.

/// What every page of an arena was, at about one moment.
///
/// ```swift
/// let snapshot = arena.snapshot()
/// print(snapshot.count(of: .inUse), "pages in use,", snapshot.longestFreeRun, "free in a row")
/// ```
public struct PageSnapshot: Sendable {
  /// The address of page 0.
  public let address: UInt
  private var states: [PageState] = []
  private var counts = InlineArray<6, Int>(repeating: 0)

  fileprivate init(address: UInt, pageCount: Int) {
    self.address = address
    states.reserveCapacity(pageCount)
  }

  fileprivate mutating func append(_ chunk: borrowing InlineArray<512, PageState>) {
    for place in chunk.indices {
      states.append(chunk[place])
      counts[Int(chunk[place].rawValue)] += 1
    }
  }

  /// How many pages of 8 KiB there are, in order of their addresses: up to the last that the arena
  /// has grown to.
  public var pageCount: Int { states.count }

  /// What a page was.
  ///
  /// - Precondition: `page` is in 0 ..< ``pageCount``.
  /// - Complexity: O(1).
  public subscript(page: Int) -> PageState { states[page] }

  /// How many pages there are of a state.
  ///
  /// - Complexity: O(1).
  public func count(of state: PageState) -> Int { counts[Int(state.rawValue)] }

  /// The most free pages in a row, with contents or without; those at hand for a thread are not
  /// among them.
  ///
  /// - Complexity: O(pages).
  public var longestFreeRun: Int {
    var (longest, length) = (0, 0)
    for state in states {
      length = state == .free || state == .empty ? length + 1 : 0
      longest = max(longest, length)
    }
    return longest
  }

  /// How far what is free is scattered: 0 where all free pages lie in a row, towards 1 where none
  /// do.
  ///
  /// - Complexity: O(pages).
  public var fragmentation: Double {
    let free = count(of: .free) + count(of: .empty)
    return free == 0 ? 0 : 1 - Double(longestFreeRun) / Double(free)
  }

  /// Calls `body` with each stretch of pages that are alike, in order.
  ///
  /// - Throws: what `body` throws.
  /// - Complexity: O(pages).
  public func forEachStretch<Failure: Error>(
    _ body: (_ pages: Range<Int>, _ state: PageState) throws(Failure) -> Void
  ) throws(Failure) {
    var start = 0
    while start < states.count {
      var end = start + 1
      while end < states.count, states[end] == states[start] { end += 1 }
      try body(start..<end, states[start])
      start = end
    }
  }
}

extension PageState {
  /// Its name, as in the text of a snapshot.
  public var name: String {
    switch self {
    case .neverUsed: "neverUsed"
    case .inUse: "inUse"
    case .guardPage: "guardPage"
    case .atHand: "atHand"
    case .free: "free"
    case .empty: "empty"
    }
  }
}

extension PageArena {
  /// What every page is.
  ///
  /// Other threads may go on meanwhile: then the pages of a chunk of 4 MiB are of one moment, but
  /// for what threads take from their caches and put there, and each chunk is of its own.
  ///
  /// ```swift
  /// let snapshot = arena.snapshot()
  /// print(snapshot.count(of: .inUse), "pages in use,", snapshot.longestFreeRun, "free in a row")
  /// try snapshot.write(toPath: "heap.txt")  // for `pagetool map heap.txt`
  /// ```
  ///
  /// - Warning: a signal's handler that calls it in the middle of a call which has the arena's lock
  ///   ends the program.
  /// - Complexity: O(pages of the arena); the arena's lock is taken for each chunk. Allocates a
  ///   byte a page.
  public func snapshot() -> PageSnapshot {
    let end = core.withHeap { $0.allocator.endChunk }
    var snapshot = PageSnapshot(address: core.base, pageCount: end << Geometry.chunkPagesLog)
    var states = InlineArray<512, PageState>(repeating: .neverUsed)
    var rest: (pages: Int, state: PageState) = (0, .atHand)
    for chunk in 0..<end {
      core.withHeap { $0.look(at: chunk, rest: &rest, &states) }
      snapshot.append(states)
    }
    return snapshot
  }
}
