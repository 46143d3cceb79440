// What must hold, looked at where it costs next to nothing: on the way to the kernel, or to a
// refusal. What does not hold is our own mistake, or somebody wrote into the tables. The invariants
// in full, for the checks, are in PageAllocator+Invariants.

extension PageAllocator {
  /// Notes that pages of a chunk were taken.
  @inline(__always)
  mutating func noteAllocated(chunk: ChunkIndex, pageCount: Int) {
    if !scavengeIndex.noteAllocated(chunk: chunk, pageCount: pageCount) {
      corrupted("more pages allocated in a chunk than it has", Geometry.firstPage(of: chunk))
    }
  }

  /// Notes that pages of a chunk came back, the highest of them at `last`.
  @inline(__always)
  mutating func noteFreed(chunk: ChunkIndex, last: Int, pageCount: Int) {
    if !scavengeIndex.noteFreed(chunk: chunk, last: last, pageCount: pageCount) {
      corrupted("more pages freed in a chunk than are in use", Geometry.firstPage(of: chunk) + last)
    }
  }

  /// Nothing is known of chunks before they are grown.
  func requireUnknown(_ added: Range<ChunkIndex>) {
    for chunk in added
    where summaries.leaf(chunk) != .none || scavengeIndex.record(chunk).packed != 0 {
      corrupted("something is known of a chunk that was never grown", Geometry.firstPage(of: chunk))
    }
  }

  /// A chunk's summary and its scavenge record agree with its bits. Pages on their way to the
  /// kernel are in use to the bits, and not to the record.
  func requireSound(_ chunk: ChunkIndex) {
    let allocated = chunks.data(chunk).allocated
    if summaries.leaf(chunk) != allocated.summarize() {
      corrupted("a summary does not agree with its chunk", Geometry.firstPage(of: chunk))
    }
    if scavengeIndex.record(chunk).inUse > allocated.bits.count(in: 0..<Geometry.pagesPerChunk) {
      corrupted("more pages are counted in a chunk than are in use", Geometry.firstPage(of: chunk))
    }
  }

  /// No run that belongs to anybody starts in free pages.
  func requireNobodys(_ run: Range<PageNumber>) {
    for page in run where runs.isStart(page) {
      corrupted("a run that was handed out starts at a free page", page)
    }
  }

  /// All pages of a range are in use.
  func requireInUse(_ range: Range<PageNumber>) {
    forEachChunk(of: range.lowerBound, range.count) { chunk, places in
      if !chunks.data(chunk).allocated.bits.isAllOnes(in: places) {
        corrupted("a page that was handed out is free", Geometry.firstPage(of: chunk))
      }
    }
  }

  /// Every entry of the tree but the leaves is the merge of its children: before memory is refused
  /// on the tree's word.
  ///
  /// - Complexity: O(1); 1,168 entries.
  func requireSoundTree() {
    for level in 0..<Geometry.leafLevel {
      for index in 0..<Geometry.entryCount(level)
      where summaries.entry(level: level, index: index)
        != summaries.mergeOfChildren(level: level, index: index)
      {
        corrupted(
          "a summary is not the merge of those below it", index << Geometry.levelLogPages(level))
      }
    }
  }
}
