// What every page is, a chunk at a time: so that the heap lock is free again soon, whoever looks at
// all of them.

/// What a page is to an arena.
public enum PageState: UInt8, CaseIterable, Sendable {
  /// What the arena has not grown to: it costs nothing. On a 32-bit host it may be anybody's.
  case neverUsed
  /// In use, and memory: part of a run that somebody has.
  case inUse
  /// In use, costs nothing, and any access faults: a guard of a run, or a part of one that was
  /// decommitted (``PageRun/decommit(in:)``) or has been inaccessible from the start. Or nobody's:
  /// of a run that was freed, and that the kernel would not make plain memory yet.
  case guardPage
  /// Free, and kept at hand by a thread or the arena, in quarantine, or on its way to the kernel.
  case atHand
  /// Free, with contents that may be resident.
  case free
  /// Free, and known to be empty: given back to the kernel, or never written to.
  case empty
}

extension Heap {
  /// Notes what the pages of a chunk are.
  ///
  /// Owners take and give runs by their caches meanwhile, without the lock: each page is what it
  /// was at a moment of its own.
  ///
  /// - Parameters:
  ///   - rest: pages of the last run of the chunk before that lie in this one; afterwards, in the
  ///     next.
  ///   - states: of the chunk's pages.
  package func look(
    at chunk: ChunkIndex, rest: inout (pages: Int, state: PageState),
    _ states: inout InlineArray<512, PageState>
  ) {
    guard allocator.isGrown(chunk) else {
      rest.pages = 0
      states = InlineArray(repeating: .neverUsed)
      return
    }
    let data = allocator.chunk(chunk)
    let first = Geometry.firstPage(of: chunk)
    var place = 0
    while place < Geometry.pagesPerChunk {
      if !data.allocated.bits.contains(place) {
        states[place] = data.scavenged.contains(place) ? .empty : .free
        rest.pages = 0
        place += 1
        continue
      }
      // Where a run starts, its length is known; what follows is of it, as long as it is allocated.
      let page = first + place
      let start = runs.extentAndKind(page)
      if start.pages > 0 {
        rest = (start.pages, start.isGuard ? .guardPage : .inUse)
      } else if rest.pages == 0 {
        rest = (1, .atHand)
      }
      states[place] = rest.state
      rest.pages -= 1
      place += 1
    }
    lookForDecommitted(from: first, &states)
  }

  /// Notes which pages of a chunk nobody can access, of runs in use.
  private func lookForDecommitted(
    from first: PageNumber, _ states: inout InlineArray<512, PageState>
  ) {
    var rest = first..<(first + Geometry.pagesPerChunk)
    while let part = runs.decommitted.first(in: rest) {
      for page in part where states[page - first] == .inUse { states[page - first] = .guardPage }
      rest = part.upperBound..<rest.upperBound
    }
  }

  /// Notes the runs in use that start in a chunk, guards aside.
  ///
  /// - Parameter lengths: their pages, at the places where they start; 0 everywhere else.
  package func look(forRunsIn chunk: ChunkIndex, _ lengths: inout InlineArray<512, UInt32>) {
    lengths = InlineArray(repeating: 0)
    guard allocator.isGrown(chunk) else { return }
    let first = Geometry.firstPage(of: chunk)
    var place = 0
    while place < Geometry.pagesPerChunk {
      let start = runs.extentAndKind(first + place)
      if start.pages > 0, !start.isGuard {
        lengths[place] = UInt32(truncatingIfNeeded: start.pages)
      }
      place += max(1, start.pages)
    }
  }
}
