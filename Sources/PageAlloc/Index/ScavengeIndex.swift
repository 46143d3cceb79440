// The scavenge index
// ==================
//
// Where is there something to give back? One record a chunk, `scavengeIndexArray`, and two cursors,
// one a mode. A search goes down from its cursor, from high addresses to low, since placement fills
// from the low end: what is free at the high end is likely to stay free.
//
// A free moves the force cursor up at once. The background cursor moves up only when a generation
// ends, to the highest page freed in it, so that what was just freed is left alone for a while.
//
// A cursor is *marked* when it was moved up; a marked cursor stays where it is when a search finds
// nothing, so that a free which happens meanwhile is not forgotten.
//
// A background cursor may stand in the middle of a chunk while pages are freed above it. When all
// below is given back, the chunk is not empty, then: what is above is *postponed* to the next
// generation. (The engine by itself calls it empty, as the Go runtime does, and so forgets those
// pages until there is another free in the chunk.)

/// Where a search for memory to give back starts.
package struct ScavengeCursor: Equatable, Sendable {
  /// The highest page that may be worth a look; 0 for nothing.
  package var page: PageNumber = 0
  /// Moved up since the last search found something below it.
  package var isMarked = false

  /// A cursor at nothing.
  package init() {}

  /// Moves up to a page, if the page is higher.
  @inline(__always)
  fileprivate mutating func raise(to page: PageNumber) {
    if self.page < page {
      self.page = page
      isMarked = true
    }
  }
}

/// Finds chunks with something to give back to the kernel.
@safe
package struct ScavengeIndex: ~Copyable {
  // Invariant: `scavengeIndexArray` points at 1,024 words which outlive the index.
  private let scavengeIndexArray: UnsafeMutablePointer<UInt64>
  /// Where the scavenger in the background searches from.
  package private(set) var backgroundCursor = ScavengeCursor()
  /// Where a search on request starts.
  package private(set) var forceCursor = ScavengeCursor()
  /// The highest page freed in this generation.
  package private(set) var highWater: PageNumber = 0
  /// Counts `nextGeneration`, and wraps.
  package var generation: UInt32 = 0
  /// The lowest chunk ever grown; 0 before.
  package private(set) var lowestChunk: ChunkIndex = 0

  /// Bytes that `sysInit` needs.
  package static let byteCount = Geometry.chunkCount * MemoryLayout<UInt64>.size

  /// An index of nothing, in `storage`.
  ///
  /// - Precondition: `storage` holds 1,024 zero words.
  package static func sysInit(storage: UnsafeMutablePointer<UInt64>) -> ScavengeIndex {
    unsafe ScavengeIndex(storage: storage)
  }

  /// An index of nothing, in `storage`, which the caller owns.
  package init(storage: UnsafeMutablePointer<UInt64>) {
    unsafe scavengeIndexArray = storage
  }

  /// Notes that chunks were added, from `chunk` up. All records exist since `sysInit`.
  package mutating func sysGrow(lowestChunk chunk: ChunkIndex) {
    if lowestChunk == 0 || chunk < lowestChunk { lowestChunk = chunk }
  }

  /// The record of a chunk.
  @inline(__always)
  package func record(_ chunk: ChunkIndex) -> ScavengeRecord {
    assert(chunk >= 0 && chunk < Geometry.chunkCount)
    // In range, by the assertion; callers derive the chunk from a page number.
    return unsafe ScavengeRecord(packed: scavengeIndexArray[chunk])
  }

  @inline(__always)
  private func setRecord(_ chunk: ChunkIndex, _ record: ScavengeRecord) {
    assert(chunk >= 0 && chunk < Geometry.chunkCount)
    // In range, as above.
    unsafe scavengeIndexArray[chunk] = record.packed
  }

  /// Pages of a chunk were taken.
  ///
  /// - Returns: `false`, with nothing changed, where the chunk does not have so many.
  @inline(__always) @discardableResult
  package mutating func noteAllocated(chunk: ChunkIndex, pageCount: Int) -> Bool {
    var record = record(chunk)
    if !record.allocate(pageCount, generation: generation) { return false }
    setRecord(chunk, record)
    return true
  }

  /// Pages of a chunk came back: `pageCount` of them, the last at `first + pageCount - 1`.
  ///
  /// - Returns: `false`, with nothing changed, where fewer are in use.
  @inline(__always) @discardableResult
  package mutating func noteFreed(chunk: ChunkIndex, first: Int, pageCount: Int) -> Bool {
    noteFreed(chunk: chunk, last: first &+ pageCount &- 1, pageCount: pageCount)
  }

  /// Pages of a chunk came back, the highest of them at `last`.
  ///
  /// - Returns: `false`, with nothing changed, where fewer are in use.
  @inline(__always) @discardableResult
  package mutating func noteFreed(chunk: ChunkIndex, last: Int, pageCount: Int) -> Bool {
    var record = record(chunk)
    if !record.free(pageCount, generation: generation) { return false }
    setRecord(chunk, record)
    let page = Geometry.firstPage(of: chunk) &+ last
    highWater = max(highWater, page)
    forceCursor.raise(to: page)
    return true
  }

  /// The highest chunk at or below the cursor that may be scavenged.
  ///
  /// - Returns: the chunk, and the place in it from which to look downwards; `nil` for none.
  /// - Complexity: O(chunks between the cursor and the chunk found); the cursor comes down with it.
  package mutating func find(_ mode: ScavengeMode) -> (chunk: ChunkIndex, place: Int)? {
    var cursor = mode == .background ? backgroundCursor : forceCursor
    if cursor.page == 0 { return nil }
    let start = Geometry.chunk(of: cursor.page)
    var chunk = start
    // Ends above 0, since chunk 0 is never grown.
    while chunk >= max(lowestChunk, 1), !record(chunk).isReady(generation: generation, mode: mode) {
      chunk &-= 1
    }
    let found = chunk >= max(lowestChunk, 1)
    if found, chunk == start { return (chunk, Geometry.place(of: cursor.page)) }
    if found {
      cursor.page = Geometry.firstPage(of: chunk) &+ Geometry.pagesPerChunk &- 1
      cursor.isMarked = false
    } else if !cursor.isMarked {
      cursor.page = 0
    }
    switch mode {
    case .background: backgroundCursor = cursor
    case .force: forceCursor = cursor
    }
    return found ? (chunk, Geometry.pagesPerChunk &- 1) : nil
  }

  /// A chunk turned out to have nothing to give back.
  ///
  /// - Parameter isSpared: but for what the background leaves alone, which is there on request.
  package mutating func setEmpty(_ chunk: ChunkIndex, isSpared: Bool = false) {
    var record = record(chunk)
    record.hasFree = false
    record.isSpared = isSpared
    setRecord(chunk, record)
  }

  /// What a chunk has to give back lies above the place where the background began to look in it,
  /// the highest of it at `page`: it is for the next generation, and this one goes on below.
  mutating func postpone(_ chunk: ChunkIndex, highest page: PageNumber) {
    highWater = max(highWater, page)
    backgroundCursor.page = Geometry.firstPage(of: chunk) &- 1
    backgroundCursor.isMarked = false
  }

  /// A chunk has something to give back after all, the highest of it at `page`.
  mutating func setFree(_ chunk: ChunkIndex, highest page: PageNumber) {
    var record = record(chunk)
    record.hasFree = true
    setRecord(chunk, record)
    highWater = max(highWater, page)
    forceCursor.raise(to: page)
  }

  /// Ends a generation: what was freed in it may now be scavenged in the background.
  package mutating func nextGeneration() {
    generation &+= 1
    backgroundCursor.raise(to: highWater)
    highWater = 0
  }
}
