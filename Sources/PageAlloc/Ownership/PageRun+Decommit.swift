import SysMem

// Memory that comes and goes in place: a part of a run is address space alone for a while.

extension PageRun {
  /// Gives the memory of some pages back, with its contents: any access to them faults, and they
  /// count for no limit, until ``commit(in:)``.
  ///
  /// ```swift
  /// try run.decommit(in: 1..<4)
  /// print(run.committedByteCount)
  /// try run.commit(in: 1..<4)  // reads as zero
  /// ```
  ///
  /// The pages stay in use, and the run's: they are its parts when it is split or joined, and when
  /// it ends they become plain memory, before anybody else gets them.
  /// - Parameter range: of pages, from 0 on. What is decommitted already stays that. Where the
  ///   kernel's pages are larger, both the range and the run must consist of whole ones.
  /// - Throws: ``PageArenaError/outOfBounds(lowerBound:upperBound:limit:)``,
  ///   ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)``,
  ///   ``PageArenaError/tooManyMappings(limit:)``: the run is as before;
  ///   ``PageArenaError/system(_:)``: a part of the range may fault, as if it were protected by
  ///   ``PageAccess/none``: it has its contents, and counts.
  /// - Complexity: two calls to the kernel; O(what is present), O(pages / 64).
  public mutating func decommit(in range: Range<Int>) throws(PageArenaError) {
    if range.isEmpty { return try check(range) }
    try becomeSpecial(.protected, in: range) { system, part throws(SysMemError) in
      try system.protect(part.address, part.byteCount, .none)
    }
    if range == 0..<pages { traits.insert(.closed) }
    try core.decommit(numbers(of: range))
    traits.formUnion([.decommitted, .discarded])
  }

  /// Makes memory again of what was decommitted of some pages, or could not be accessed from the
  /// start and does not count: it may be read and written, and reads as zero. What is memory
  /// already stays as it is.
  ///
  /// ```swift
  /// var table = try arena.allocateRun(pages: 4096, access: .none)
  /// try table.commit(in: 0..<16)  // 128 KiB of the 32 MiB count
  /// ```
  ///
  /// - Parameter range: as for ``decommit(in:)``.
  /// - Throws: as that; ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)`` where the
  ///   pages do not fit, with nothing changed. Where the kernel refuses, some of them may be
  ///   memory, and count.
  /// - Complexity: a call to the kernel for each part in a row; O(pages / 64).
  public mutating func commit(in range: Range<Int>) throws(PageArenaError) {
    try check(range)
    try core.requireOutside()
    if range.isEmpty { return }
    try core.checkWholePhysicalPages(memory(of: range))
    if !traits.contains(.decommitted) { return }
    let run = numbers(of: 0..<pages)
    do throws(PageArenaError) {
      try core.commit(numbers(of: range), of: run)
    } catch {
      // Some of it may be memory; what else refuses has changed nothing.
      if case .system = error { traits.remove(.closed) }
      throw error
    }
    // Memory or not, it is no longer all alike.
    traits.remove(.closed)
  }

  /// How many bytes of it are not decommitted: what counts for the limits.
  ///
  /// - Complexity: O(1); of a run that was decommitted in part, O(pages / 64).
  public var committedByteCount: Int {
    if !traits.contains(.decommitted) { return byteCount }
    return byteCount - core.decommittedPages(in: numbers(of: 0..<pages)) << Geometry.pageShift
  }

  /// Makes sure that none of some pages is decommitted.
  func requireCommitted(_ range: Range<Int>) throws(PageArenaError) {
    if !traits.contains(.decommitted) { return }
    try core.requireOutside()
    let start = core.page(of: address)
    if let part = core.firstDecommitted(in: numbers(of: range)) {
      throw .notCommitted(
        lowerBound: part.lowerBound - start, upperBound: part.upperBound - start)
    }
  }

  /// Some of the run's pages, as the arena numbers them.
  func numbers(of range: Range<Int>) -> Range<PageNumber> {
    let start = core.page(of: address)
    return (start + range.lowerBound)..<(start + range.upperBound)
  }
}
