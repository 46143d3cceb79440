import CPageAlloc
import PageAlloc
import SysMem

// Access rights, and memory that comes and goes in place.

@c @implementation
package func pa_protect(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int, _ access: UInt32
) -> pa_status {
  guard let access = PageAccess(access) else { return .badArgument }
  if access != .none { return unsafe open(arena, first, pages, access) }
  return unsafe changeApart(arena, first, pages) { apart, range, _ throws(PageArenaError) in
    try apart.forEachSegment(in: range) { segment throws(PageArenaError) in
      try segment.protect(.none)
    }
  }
}

@c @implementation
package func pa_commit(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe open(arena, first, pages, .readWrite)
}

@c @implementation
package func pa_decommit(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe changeApart(arena, first, pages) { apart, range, _ throws(PageArenaError) in
    try apart.forEachSegment(in: range) { segment throws(PageArenaError) in
      try segment.protect(.none)
      try segment.discard()
    }
  }
}

extension Segment {
  /// Changes what it may be used for; where it becomes accessible, it counts already.
  fileprivate mutating func protect(_ access: PageAccess) throws(PageArenaError) {
    if access == self.access { return }
    isPlain = false
    // What is refused may have been done in part.
    self.access = nil
    try run.protectCounted(access)
    self.access = access
  }

  mutating func discard() throws(PageArenaError) {
    isPlain = false
    try run.discard()
  }
}

/// Makes pages accessible. What of them does not count yet is admitted as a whole, so that a limit
/// refuses all of it or nothing; before that, with no turn held, the program may give something
/// back.
private func open(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int, _ access: PageAccess
) -> pa_status {
  unsafe changeApart(arena, first, pages) { apart, range, library throws(PageArenaError) in
    try apart.open(range, access, library)
  }
}

/// Changes some pages of one run, which is set apart for that.
///
/// - Parameter body: is given their range.
func changeApart(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int,
  _ body: (ApartRuns, Range<Int>, PageArena) throws(PageArenaError) -> Void
) -> pa_status {
  guard let arena = unsafe arena, let first = unsafe first else { return .badArgument }
  return unsafe withTurn(arena) { library, apart throws(PageArenaError) in
    let apart =
      if let apart { apart } else { unsafe try makeApart(arena, library) }
    let range = try apart.range(UInt(bitPattern: first), pages)
    let run = try unsafe apart.setApart(runAround: first, range, library)
    defer { apart.settle(range.clamped(to: run), of: run) }
    guard range.upperBound <= run.upperBound else {
      throw .pastEndOfRun(base: UInt(bitPattern: first), pages: pages)
    }
    try body(apart, range, library)
  }
}

/// The table of an arena that has had no run set apart until now.
private func makeApart(
  _ arena: OpaquePointer, _ library: PageArena
) throws(PageArenaError) -> ApartRuns {
  let made: ApartRuns
  do throws(SysMemError) { made = try ApartRuns(library) } catch { throw .system(error) }
  unsafe door(arena).pointee.apart = made
  return made
}

/// Calls `body` as the one who has the door's turn, and tells what it throws.
///
/// - Parameter body: is given the runs that are set apart, where there ever were some.
func withTurn(
  _ arena: OpaquePointer,
  _ body: (PageArena, ApartRuns?) throws(PageArenaError) -> Void
) -> pa_status {
  let handle = unsafe door(arena)
  return unsafe status(arena) { library throws(PageArenaError) in
    try library.askingOnce { () throws(PageArenaError) in
      // Here, since what looks for a run cannot throw that.
      if PageArena.isReentered { throw .reentered }
      guard unsafe pai_take_turn(&handle.pointee.turn) == 0 else { throw .reentered }
      defer { unsafe pai_end_turn(&handle.pointee.turn) }
      try body(library, unsafe handle.pointee.apart)
    }
  }
}

extension ApartRuns {
  /// The pages of a call.
  func range(_ address: UInt, _ pages: Int) throws(PageArenaError) -> Range<Int> {
    let limit = 1022 * 512
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    guard let page = page(at: address) else { throw .foreign(base: address) }
    guard (address &- origin) & UInt(PageArena.pageSize - 1) == 0 else {
      throw .misaligned(base: address)
    }
    return page..<(page + pages)
  }

  /// Sets the run apart that a range starts in, unless it is already.
  ///
  /// - Returns: its pages.
  fileprivate func setApart(
    runAround first: UnsafeMutableRawPointer, _ range: Range<Int>, _ arena: PageArena
  ) throws(PageArenaError) -> Range<Int> {
    if let known = run(around: range.lowerBound) { return known }
    let address = UInt(bitPattern: first)
    guard let found = unsafe arena.run(containing: first),
      let base = unsafe UnsafeMutableRawPointer(bitPattern: found.address)
    else {
      guard unsafe arena.contains(first) else { throw .foreign(base: address) }
      throw .notInUse(base: address, pages: range.count)
    }
    let run = unsafe try arena.adopt(base, pages: found.pages)
    guard run.setApart() else {
      // Somebody else has freed it meanwhile.
      _ = unsafe try run.leak()
      throw .notInUse(base: address, pages: range.count)
    }
    put(Segment(run: run, wholePages: found.pages))
    let start = page(at: found.address) ?? range.lowerBound
    return start..<(start + found.pages)
  }

  /// Makes pages of one run accessible: all of them count first.
  fileprivate func open(
    _ range: Range<Int>, _ access: PageAccess, _ library: PageArena
  ) throws(PageArenaError) {
    try cut(at: range.lowerBound)
    try cut(at: range.upperBound)
    try library.countDecommitted(
      at: address(of: range.lowerBound), pages: range.count, for: access)
    var rest = range
    do throws(PageArenaError) {
      try forEachSegment(in: range) { segment throws(PageArenaError) in
        rest = (rest.lowerBound + segment.run.pages)..<rest.upperBound
        try segment.protect(access)
      }
    } catch {
      library.discountDecommitted(at: address(of: rest.lowerBound), pages: rest.count)
      throw error
    }
  }

  /// Cuts segments at the ends of a range, and calls `body` with each that lies in it.
  func forEachSegment(
    in range: Range<Int>, _ body: (inout Segment) throws(PageArenaError) -> Void
  ) throws(PageArenaError) {
    try cut(at: range.lowerBound)
    try cut(at: range.upperBound)
    var page = range.lowerBound
    while page < range.upperBound {
      let next = unsafe page + segment(page).pointee.run.pages
      unsafe try body(&segment(page).pointee)
      page = next
    }
  }
}
