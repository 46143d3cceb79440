// Pages of a run that nobody can access, and that nothing backs, are in use and count for nothing.
// Whoever makes pages so, or makes them memory again, says so here: which ones they are stands in
// the run table, and their owner remembers that there may be some (RunTraits.decommitted).

extension Heap {
  /// A run was taken that is going to be inaccessible, all of it.
  ///
  /// - Parameter scavengedPages: how many of its pages nothing backs: the others count until
  ///   ``setAside(_:)``.
  mutating func setAside(_ run: Range<PageNumber>, scavengedPages: Int) {
    _ = runs.decommitted.insert(run)
    counts.scavenged &-= scavengedPages
    setAside(scavengedPages)
    notePeak()
  }

  /// Pages of a run in use are inaccessible and empty now, which the run table knows already.
  mutating func setAside(_ pageCount: Int) {
    counts.allocated &-= pageCount
    counts.inaccessible &+= pageCount
    noteReturned()
  }

  /// Whether what says of some pages that they are decommitted counts as memory of the tables.
  func countsDecommittedTable(of pages: Range<PageNumber>) -> Bool {
    var isCounted = true
    for chunk in Geometry.chunks(of: pages) where !decommittedChunks.contains(chunk) {
      isCounted = false
    }
    return isCounted
  }

  /// Pages of a run in use are inaccessible and empty now, as some of them may have been before.
  mutating func decommit(_ pages: Range<PageNumber>) {
    setAside(runs.decommitted.insert(pages))
  }

  /// Pages of a run that ends count as any in use, whatever the limits say.
  ///
  /// - Parameter pageCount: how many of them were inaccessible.
  mutating func countAgain(_ pageCount: Int, of run: Range<PageNumber>) {
    runs.decommitted.remove(run)
    countAgain(pageCount)
  }

  private mutating func countAgain(_ pageCount: Int) {
    counts.inaccessible &-= pageCount
    counts.allocated &+= pageCount
  }

  /// The same for pages that are going to be written to, where the hard limit admits them.
  ///
  /// The run table knows them as decommitted until they are memory.
  /// - Returns: whether they bring what is resident beyond the soft limit; `nil`, with nothing
  ///   changed, where they are not admitted.
  mutating func countAdmitted(_ pageCount: Int) -> Bool? {
    guard admits(pageCount) else { return nil }
    countAgain(pageCount)
    // Nothing backed them, as if they were scavenged until now.
    counts.scavenged &+= pageCount
    noteUsed(pageCount)
    noteInUse()
    return isBeyondLimit(pageCount)
  }
}
