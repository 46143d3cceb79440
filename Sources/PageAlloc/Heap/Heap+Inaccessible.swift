// Pages of a run that nobody can access, and that nothing backs, are in use and count for nothing.
// Whoever makes a run so, or makes it memory again, says so here; the run's owner remembers which
// it is (RunTraits.uncounted).

extension Heap {
  /// Scavenged pages were taken for a run that is going to be inaccessible.
  mutating func setAside(unbacked pageCount: Int) {
    counts.scavenged &-= pageCount
    setAside(pageCount)
    notePeak()
  }

  /// Pages of a run in use are inaccessible and empty now.
  mutating func setAside(_ pageCount: Int) {
    counts.allocated &-= pageCount
    counts.inaccessible &+= pageCount
  }

  /// Pages that were inaccessible count as any in use, whatever the limits say.
  mutating func countAgain(_ pageCount: Int) {
    counts.inaccessible &-= pageCount
    counts.allocated &+= pageCount
  }

  /// The same for pages that are going to be written to, where the hard limit admits them.
  ///
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
