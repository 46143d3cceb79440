import PageAlloc

/// The scavenge index as its rules are written, with every field by itself.
struct NaiveScavengeIndex {
  /// What is known of a chunk.
  struct Record {
    var inUse = 0
    /// Pages in use when the generation last changed.
    var last = 0
    var generation: UInt32 = 0
    /// Has something to release.
    var flag = false

    /// `inuse | last << 16 | flag << 26 | gen << 32`
    var packed: UInt64 {
      UInt64(inUse) + UInt64(last) << 16 + (flag ? 1 << 26 : 0) + UInt64(generation) << 32
    }
  }

  /// Where a mode's search starts; page 0 for nothing.
  struct Cursor {
    var page = 0
    var isMarked = false
  }

  var records = [Record](repeating: Record(), count: Geometry.chunkCount)
  var background = Cursor()
  var force = Cursor()
  /// The highest page freed in this generation.
  var highWater = 0
  var generation: UInt32 = 0
  /// The lowest chunk ever grown.
  var lowestChunk = 0

  mutating func grow(_ chunk: Int) {
    if lowestChunk == 0 || chunk < lowestChunk { lowestChunk = chunk }
  }

  private mutating func step(_ chunk: Int) {
    if records[chunk].generation != generation {
      records[chunk].last = records[chunk].inUse
      records[chunk].generation = generation
    }
  }

  mutating func allocated(_ chunk: Int, _ count: Int) {
    step(chunk)
    records[chunk].inUse += count
    if records[chunk].inUse == 512 { records[chunk].flag = false }
  }

  mutating func freed(_ chunk: Int, last place: Int, _ count: Int) {
    step(chunk)
    records[chunk].inUse -= count
    records[chunk].flag = true
    let page = chunk * 512 + place
    highWater = max(highWater, page)
    if force.page < page { force = Cursor(page: page, isMarked: true) }
  }

  mutating func nextGeneration() {
    generation &+= 1
    if background.page < highWater { background = Cursor(page: highWater, isMarked: true) }
    highWater = 0
  }

  func isReady(_ chunk: Int, _ mode: ScavengeMode) -> Bool {
    let record = records[chunk]
    if !record.flag { return false }
    if mode == .force { return true }
    if record.inUse >= 496 { return false }
    return !(record.generation == generation && record.last >= 496)
  }

  mutating func find(_ mode: ScavengeMode) -> (chunk: Int, place: Int)? {
    var cursor = mode == .force ? force : background
    defer { if mode == .force { force = cursor } else { background = cursor } }
    if cursor.page == 0 { return nil }
    let own = cursor.page / 512
    for chunk in stride(from: own, through: lowestChunk, by: -1) where isReady(chunk, mode) {
      if chunk == own { return (chunk, cursor.page % 512) }
      cursor = Cursor(page: chunk * 512 + 511, isMarked: false)
      return (chunk, 511)
    }
    if !cursor.isMarked { cursor.page = 0 }
    return nil
  }
}

/// Compares an index with the naive one, for the chunks given.
func compare(
  _ index: borrowing ScavengeIndex, _ naive: NaiveScavengeIndex, _ chunks: Range<Int>,
  _ step: String, _ recorder: inout Recorder
) {
  for chunk in chunks {
    recorder.expectEqual(
      index.record(chunk).packed, naive.records[chunk].packed, "\(step): record of chunk \(chunk)")
  }
  recorder.expectEqual(index.backgroundCursor.page, naive.background.page, "\(step): background")
  recorder.expectEqual(index.forceCursor.page, naive.force.page, "\(step): force")
  recorder.expect(
    index.backgroundCursor.isMarked == naive.background.isMarked, "\(step): mark of background")
  recorder.expect(index.forceCursor.isMarked == naive.force.isMarked, "\(step): mark of force")
  recorder.expectEqual(index.highWater, naive.highWater, "\(step): high water")
  recorder.expectEqual(index.generation, naive.generation, "\(step): generation")
  recorder.expectEqual(index.lowestChunk, naive.lowestChunk, "\(step): lowest chunk")
}
