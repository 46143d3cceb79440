import PageAlloc

extension PageRun {
  /// The word that a page starts with.
  func firstWord(_ page: Int) -> UInt64 { elements(of: UInt64.self)[page * 1024] }

  /// Whether the kernel can read a page.
  func isReadable(_ page: Int) -> Bool {
    PageChecks.isReadable(address + UInt(page * 8192))
  }

  /// Whether a page is decommitted, as the arena sees it: it is nothing that can be locked.
  mutating func isDecommitted(_ page: Int) -> Bool {
    do throws(PageArenaError) { try prefault(in: page..<(page + 1)) } catch {
      if case .notCommitted = error { return true }
    }
    return false
  }
}

extension PageArena {
  /// What is in use and inaccessible, in pages, and that the figures add up.
  func expectPages(
    inUse: UInt64, inaccessible: UInt64, _ recorder: inout Recorder, line: UInt = #line
  ) {
    let figures = statistics
    recorder.expectEqual(figures.inUseBytes, inUse * 8192, "in use", line: line)
    recorder.expectEqual(
      figures.inaccessibleBytes, inaccessible * 8192, "inaccessible", line: line)
    recorder.expectEqual(
      figures.inUseBytes + figures.freeMaybeResidentBytes + figures.scavengedBytes,
      figures.readyBytes, "the sum", line: line)
    recorder.expect(
      brokenInvariant() == nil, brokenInvariant()?.description ?? "", line: line)
  }
}
