import PageAlloc

/// The search address, and the checker of invariants itself.
package let allocatorSearchChecks: [Check] = [
  Check("search address: moved as the rules say") { recorder in
    guard let subject = makeAllocator(&recorder) else { return }
    func expect(_ page: Int, _ what: StaticString, _ recorder: inout Recorder) {
      recorder.expectEqual(subject.allocator.searchPage, page, what.description)
      recorder.expect(subject.allocator.brokenInvariant() == nil, "invariants")
    }
    let base = 20 * 512
    subject.allocator.grow(20..<21)
    expect(base, "grown", &recorder)
    _ = subject.allocator.allocate(5)
    expect(base, "the candidate is the first free page before the run was taken", &recorder)
    _ = subject.allocator.allocate(5)
    expect(base + 5, "moved past the first run", &recorder)
    subject.allocator.free(base + 2, 1)
    expect(base + 2, "lowered by a free", &recorder)
    _ = subject.allocator.find(3)
    expect(base + 2, "a look leaves it alone", &recorder)
    _ = subject.allocator.allocateRange(base + 2, 1)
    expect(base + 2, "an exact range leaves it alone", &recorder)
    var cache = subject.allocator.allocateBlock()
    expect(base + 63, "the last page of the cache's block", &recorder)
    subject.allocator.flush(&cache)
    expect(base, "a flush lowers it to the block", &recorder)
    subject.allocator.grow(10..<11)
    expect(10 * 512, "grown below", &recorder)
    _ = subject.allocator.allocate(512)
    _ = subject.allocator.allocate(502)
    recorder.expect(subject.allocator.allocate(2) == nil, "two pages of nothing")
    recorder.expect(subject.allocator.allocate(1) == nil, "a page of nothing")
    expect(Geometry.pageCount, "a page was refused: nothing is free", &recorder)
  },
  Check("scavenge index: a cache counts what it takes, and its flush page by page") { recorder in
    guard let subject = makeAllocator(&recorder) else { return }
    let base = 20 * 512
    subject.allocator.grow(20..<21)
    _ = subject.allocator.allocate(10)
    var cache = subject.allocator.allocateBlock()
    recorder.expectEqual(subject.allocator.scavengeIndex.record(20).inUse, 64, "in use")
    recorder.expect(cache.allocate(3) ?? (-1, -1) == (base + 10, 3), "three pages of it")
    subject.allocator.flush(&cache)
    recorder.expectEqual(subject.allocator.scavengeIndex.record(20).inUse, 13, "in use, flushed")
    recorder.expect(subject.allocator.scavengeIndex.record(20).hasFree, "something to give back")
    recorder.expectEqual(subject.allocator.scavengeIndex.highWater, base + 63, "high water")
    recorder.expectEqual(subject.allocator.scavengeIndex.forceCursor.page, base + 63, "cursor")
  },
  Check("detached pages: out of reach, and found again when they come back") { recorder in
    for isTaken in [false, true] {
      guard let subject = makeAllocator(&recorder) else { return }
      let page = 20 * 512 + 5
      subject.allocator.grow(20..<21)
      _ = subject.allocator.allocate(512)
      subject.allocator.free(page, 2)
      let run = subject.allocator.detachCandidate(1 << 20, .force) ?? 0..<0
      recorder.expect(run == page..<(page + 2), "detached \(text(run))")
      recorder.expect(subject.allocator.allocate(1) == nil, "a page while they are away")
      recorder.expectEqual(subject.allocator.searchPage, Geometry.pageCount, "nothing is free")
      subject.allocator.reattach(page..<(page + 2), scavenged: isTaken)
      recorder.expect(subject.allocator.brokenInvariant() == nil, "invariants")
      recorder.expect(
        subject.allocator.allocate(2) ?? (-1, -1) == (page, isTaken ? 2 : 0), "both again")
    }
  },
  Check("detach: a byte more than whole pages is a page more") { recorder in
    for (byteCount, pages): (UInt64, Int) in [(1, 1), (8192, 1), (8193, 2), (16_384, 2)] {
      guard let subject = makeAllocator(&recorder) else { return }
      subject.allocator.grow(3..<4)
      _ = subject.allocator.allocate(512)
      subject.allocator.free(Geometry.firstPage(of: 3), 10)
      let run = subject.allocator.detachCandidate(byteCount, .force)
      recorder.expectEqual(run?.count ?? 0, pages, "pages for \(byteCount) bytes")
    }
  },
  Check("invariants: each lie is found") { recorder in
    expectBroken("a bit set behind the summary", &recorder) {
      $0.chunk(3).allocated.bits.insert(7..<8)
    }
    expectBroken("a bit cleared behind the search address", &recorder) {
      $0.chunk(3).allocated.bits.remove(0..<1)
    }
    expectBroken("a leaf with another summary", &recorder) {
      $0.summaries.update(leaf: 3, .freeChunk)
    }
    expectBroken("a leaf without a chunk", &recorder) {
      $0.summaries.update(leaf: 9, .freeChunk)
    }
    expectBroken("a record that counts too many", &recorder) {
      $0.scavengeIndex.noteAllocated(chunk: 4, pageCount: 1)
    }
    expectBroken("a record without a chunk", &recorder) {
      $0.scavengeIndex.noteAllocated(chunk: 9, pageCount: 1)
    }
    expectBroken("an index that thinks it starts lower", &recorder) {
      $0.scavengeIndex.sysGrow(lowestChunk: 1)
    }
  },
]

/// Breaks a sound allocator, in which chunk 3 has some pages in use and chunk 4 none.
private func expectBroken(
  _ what: StaticString, _ recorder: inout Recorder, _ change: (inout PageAllocator) -> Void
) {
  guard let subject = makeAllocator(&recorder) else { return }
  subject.allocator.grow(3..<5)
  _ = subject.allocator.allocate(6)
  _ = subject.allocator.allocate(1)
  recorder.expect(subject.allocator.brokenInvariant() == nil, "sound before")
  change(&subject.allocator)
  recorder.expect(subject.allocator.brokenInvariant() != nil, what.description)
}
