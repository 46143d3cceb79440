import SysMem

// What the owner of a run wants of huge pages, whatever the arena wants of them.
//
// The kernel keeps it as a flag of the mapping, and has no call that takes both flags away: only
// fresh memory has neither. So the run is special until its end, which maps such memory over it.

extension PageRun {
  /// Asks the kernel for huge pages for the run, until it ends, whatever
  /// ``PageArena/Options/hugePages`` says: fewer faults and translations, more memory for what is
  /// touched in part.
  ///
  /// They come where a whole one, 2 MiB as a rule, lies in pages that are advised alike: align the
  /// run to that. What is there already is not gathered; ``PageArena/collapse()`` does that.
  ///
  /// ```swift
  /// var table = try arena.allocateRun(pages: 4096, alignment: 2 << 20)
  /// try table.preferHugePages()
  /// ```
  ///
  /// The kernel forgets such advice only with the memory. So the contents go back to it when the
  /// run ends, which its next owner need not know of; and until then the run can neither move nor
  /// be leaked. A memory limit that is set later may take it back where the arena had asked for
  /// huge pages itself, and then it may be given again.
  /// - Throws: ``PageArenaError/tooManyMappings(limit:)``,
  ///   ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)``: the run is as before;
  ///   ``PageArenaError/system(_:)``: so it is where the kernel does not know the call (`EINVAL`);
  ///   else the advice may hold for a part of it.
  /// - Complexity: a call to the kernel; one more when the run ends.
  public mutating func preferHugePages() throws(PageArenaError) {
    try preferHugePages(in: 0..<pages)
  }

  /// The same for some of its pages.
  ///
  /// - Parameter range: of pages, from 0 on.
  /// - Throws: as ``preferHugePages()``, and
  ///   ``PageArenaError/outOfBounds(lowerBound:upperBound:limit:)``.
  /// - Complexity: as there.
  public mutating func preferHugePages(in range: Range<Int>) throws(PageArenaError) {
    try advise(range, .hugePage)
  }

  /// Has the kernel back the run without huge pages, until it ends, whatever
  /// ``PageArena/Options/hugePages`` says: no more memory than what was touched. A huge page that
  /// is there stays; ``PageArena/collapse()`` gathers no new one.
  ///
  /// ```swift
  /// var sparse = try arena.allocateRun(pages: 4096)
  /// try sparse.avoidHugePages()
  /// ```
  ///
  /// What else ``preferHugePages()`` says of such a run holds here, too.
  /// - Throws: as ``preferHugePages()``.
  /// - Complexity: as there.
  public mutating func avoidHugePages() throws(PageArenaError) {
    try avoidHugePages(in: 0..<pages)
  }

  /// The same for some of its pages.
  ///
  /// - Parameter range: of pages, from 0 on.
  /// - Throws: as ``preferHugePages(in:)``.
  /// - Complexity: as there.
  public mutating func avoidHugePages(in range: Range<Int>) throws(PageArenaError) {
    try advise(range, .noHugePage)
  }

  /// Whether the kernel was told something about huge pages of the run, which it forgets only with
  /// the memory.
  package var isAdvised: Bool { traits.contains(.advised) }

  private mutating func advise(
    _ range: Range<Int>, _ advice: MemoryAdvice
  ) throws(PageArenaError) {
    try core.requireOutside()
    try check(range)
    if range.isEmpty { return }
    let before = traits
    core.noteOwnAdvice(numbers(of: range))
    do throws(PageArenaError) {
      try becomeSpecial(.advised, in: range) { system, part throws(SysMemError) in
        try system.advise(part.address, part.byteCount, advice)
      }
    } catch {
      // A kernel that does not know the call has done nothing.
      if case .system(let refusal) = error, refusal.errno == .invalidArgument { traits = before }
      throw error
    }
  }
}

extension ArenaCore {
  /// An owner decides about huge pages of some pages.
  fileprivate func noteOwnAdvice(_ pages: Range<PageNumber>) {
    withHeap { $0.ownAdviceChunks.insert(Geometry.chunks(of: pages)) }
  }
}
