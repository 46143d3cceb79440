/// What a range of memory may be used for.
public enum MemoryProtection: UInt8, Equatable, Sendable {
  /// Any access faults.
  case none
  /// Reads only.
  case read
  /// Reads and writes.
  case readWrite
  /// Reads and execution.
  case readExecute
  /// Anything: for code that rewrites itself.
  case readWriteExecute
}

/// What the kernel is told about a range of memory.
public enum MemoryAdvice: UInt8, Equatable, Sendable {
  /// The contents may go; the range reads as zero afterwards.
  case dontNeed
  /// The same, locked in memory or not.
  case dontNeedLocked
  /// The contents may go when the kernel wants the memory; until then they stay.
  case free
  /// Huge pages are welcome.
  case hugePage
  /// No huge pages.
  case noHugePage
  /// Gather what is there into huge pages, now.
  case collapse
  /// Back every page now, writable, as if each were written to.
  case populateWrite
  /// Leave the range out of core dumps.
  case excludeFromDumps
  /// Put it back into core dumps.
  case includeInDumps
  /// In a child of a fork the range reads as zero.
  case wipeOnFork
  /// Any access faults from now on, without a mapping of its own; contents go.
  case installGuard
  /// Takes guards away; the range reads as zero where they were.
  case removeGuard
}
