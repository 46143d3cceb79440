import PageAlloc

/// Where a replay gets its pages from: an arena, or in a test something that misbehaves.
package protocol PageSource {
  associatedtype Failure: Error

  /// Gives out a run of `pageCount` pages with any contents.
  func takePages(_ pageCount: Int) throws(Failure) -> UnsafeMutableRawPointer

  /// Takes back `pageCount` pages from `base`, which may be a part of a run.
  func returnPages(_ base: UnsafeMutableRawPointer, _ pageCount: Int) throws(Failure)

  /// Gives the memory of all free pages back to the system, and says how many bytes.
  func releaseFreeMemory() throws(Failure) -> Int

  /// Whether memory goes back to the system by itself and not all has gone yet.
  var isReturning: Bool { get }

  /// How the memory is used now.
  var usage: PageUsage { get }

  /// A failure in words.
  static func describe(_ failure: Failure) -> String
}

/// How a page source uses its memory, all in bytes except for the run.
package struct PageUsage: Equatable {
  /// Memory that was made ready for pages, given out or not.
  package var readyBytes: UInt64
  /// Pages that are given out.
  package var inUseBytes: UInt64
  /// Ready pages that are free, whether they are resident or were given back to the system.
  package var freeBytes: UInt64
  /// The longest run of free ready pages, in pages.
  package var largestFreeRun: Int
  /// Bookkeeping.
  package var metadataBytes: UInt64

  package init(
    readyBytes: UInt64 = 0, inUseBytes: UInt64 = 0, freeBytes: UInt64 = 0,
    largestFreeRun: Int = 0, metadataBytes: UInt64 = 0
  ) {
    self.readyBytes = readyBytes
    self.inUseBytes = inUseBytes
    self.freeBytes = freeBytes
    self.largestFreeRun = largestFreeRun
    self.metadataBytes = metadataBytes
  }
}

extension PageSource {
  /// Nothing goes back by itself.
  package var isReturning: Bool { false }
}

extension PageArena: PageSource {
  package typealias Failure = PageArenaError

  package func takePages(_ pageCount: Int) throws(PageArenaError) -> UnsafeMutableRawPointer {
    unsafe try allocate(pages: pageCount)
  }

  package func returnPages(
    _ base: UnsafeMutableRawPointer, _ pageCount: Int
  ) throws(PageArenaError) {
    unsafe try deallocate(base, pages: pageCount)
  }

  package var isReturning: Bool {
    let thread = scavengerThread
    return thread.exists && !thread.isParked
  }

  package var usage: PageUsage {
    let statistics = statistics
    return PageUsage(
      readyBytes: statistics.readyBytes,
      inUseBytes: statistics.inUseBytes,
      freeBytes: statistics.freeMaybeResidentBytes + statistics.scavengedBytes,
      largestFreeRun: statistics.largestCommittedRun,
      metadataBytes: statistics.metadataBytes)
  }

  package static func describe(_ failure: PageArenaError) -> String { failure.description }
}
