import CPageAlloc
import PageAlloc

// What the arena refuses, since the run was set apart: it finds no run there. In the checked mode
// it would also tell of a mistake: there it is asked second.

/// Makes a call of the arena's, which refuses it where the run is set apart.
///
/// - Parameters:
///   - first: the address that the call is about.
///   - refusal: what the arena says then.
///   - call: of the arena's.
///   - apart: is given a refusal, and returns it where it is about no run that is set apart.
@inline(__always)
func withApart(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ refusal: Int,
  _ call: (PageArena, UnsafeMutableRawPointer) throws(PageArenaError) -> Void,
  _ apart: (OpaquePointer, UnsafeMutableRawPointer, pa_status) -> pa_status
) -> pa_status {
  guard let arena = unsafe arena, let first = unsafe first else { return .badArgument }
  if unsafe door(arena).pointee.apart != nil, unsafe withArena(arena, or: false, { $0.isChecked }) {
    let answer = unsafe apart(arena, first, pa_status(refusal))
    if Int(answer) != refusal { return answer }
  }
  let answer = unsafe status(arena) { arena throws(PageArenaError) in
    unsafe try call(arena, first)
  }
  return unsafe answer == .ok ? .ok : apart(arena, first, answer)
}

/// Frees pages of a run that is set apart, after it was refused.
///
/// - Returns: the refusal, where the pages are of none such.
@inline(never)
func freeApart(
  _ arena: OpaquePointer, _ first: UnsafeMutableRawPointer, _ pages: Int, _ refusal: pa_status
) -> pa_status {
  guard Int(refusal) == PA_NOT_IN_USE || Int(refusal) == PA_PAST_END_OF_RUN else {
    return refusal
  }
  return unsafe otherwise(arena, refusal) { library, apart throws(PageArenaError) in
    let range = try apart.range(UInt(bitPattern: first), pages)
    guard let run = apart.run(around: range.lowerBound) else { return false }
    guard range.upperBound <= run.upperBound else {
      throw .pastEndOfRun(base: UInt(bitPattern: first), pages: pages)
    }
    try apart.free(range, of: run)
    return true
  }
}

/// Frees the run that is set apart and starts at an address, after it was refused.
func freeApartRun(
  _ arena: OpaquePointer, _ first: UnsafeMutableRawPointer, _ refusal: pa_status
) -> pa_status {
  guard Int(refusal) == PA_NOT_A_START else { return refusal }
  return unsafe otherwise(arena, refusal) { library, apart throws(PageArenaError) in
    let page = try apart.range(UInt(bitPattern: first), 1).lowerBound
    guard let run = apart.run(around: page), run.lowerBound == page else { return false }
    try apart.free(run, of: run)
    return true
  }
}

/// Frees all runs in a range, of which some are set apart, after it was refused.
func freeApartRange(
  _ arena: OpaquePointer, _ first: UnsafeMutableRawPointer, _ pages: Int, _ refusal: pa_status
) -> pa_status {
  guard Int(refusal) == PA_NOT_IN_USE else { return refusal }
  return unsafe otherwise(arena, refusal) { library, apart throws(PageArenaError) in
    let range = try apart.range(UInt(bitPattern: first), pages)
    guard try apart.hasAny(in: range, library) else { return false }
    try apart.forEachRun(in: range, library) { part, run throws(PageArenaError) in
      if let run { return try apart.free(part, of: run) }
      guard let base = unsafe apart.pointer(to: part.lowerBound) else { return }
      unsafe try library.deallocate(base, pages: part.count)
    }
    return true
  }
}

/// Gives the contents of a range back, of which some is set apart, after it was refused.
func discardApart(
  _ arena: OpaquePointer, _ first: UnsafeMutableRawPointer, _ pages: Int, _ refusal: pa_status
) -> pa_status {
  guard Int(refusal) == PA_NOT_IN_USE else { return refusal }
  return unsafe otherwise(arena, refusal) { library, apart throws(PageArenaError) in
    let range = try apart.range(UInt(bitPattern: first), pages)
    guard try apart.hasAny(in: range, library) else { return false }
    try apart.forEachRun(in: range, library) { part, run throws(PageArenaError) in
      guard let run else {
        guard let base = unsafe apart.pointer(to: part.lowerBound) else { return }
        return unsafe try library.discard(base, pages: part.count)
      }
      defer { apart.settle(part, of: run) }
      try apart.forEachSegment(in: part) { segment throws(PageArenaError) in
        try segment.discard()
      }
    }
    return true
  }
}

/// A call was refused that a run which is set apart cannot have: it says so.
func refuseApart(
  _ arena: OpaquePointer, _ address: UnsafeMutableRawPointer, _ refusal: pa_status
) -> pa_status {
  guard Int(refusal) == PA_NOT_A_START || Int(refusal) == PA_NOT_IN_USE else { return refusal }
  return unsafe otherwise(arena, refusal) { _, apart throws(PageArenaError) in
    let page = try apart.range(UInt(bitPattern: address), 1).lowerBound
    if apart.run(around: page) == nil { return false }
    throw .notPlain(base: UInt(bitPattern: address))
  }
}

/// The contents of a range, of which some is set apart, were to be purged: they cannot.
func refusePurgeApart(
  _ arena: OpaquePointer, _ first: UnsafeMutableRawPointer, _ pages: Int, _ refusal: pa_status
) -> pa_status {
  guard Int(refusal) == PA_NOT_IN_USE else { return refusal }
  return unsafe otherwise(arena, refusal) { library, apart throws(PageArenaError) in
    let address = UInt(bitPattern: first)
    guard try apart.hasAny(in: apart.range(address, pages), library) else { return false }
    throw .notPlain(base: address)
  }
}

/// Does something by the runs that are set apart, where there are any.
///
/// - Parameter body: returns whether it was about one of them.
private func otherwise(
  _ arena: OpaquePointer, _ refusal: pa_status,
  _ body: (PageArena, ApartRuns) throws(PageArenaError) -> Bool
) -> pa_status {
  if unsafe door(arena).pointee.apart == nil { return refusal }
  var isDone = false
  let answer = unsafe withTurn(arena) { library, apart throws(PageArenaError) in
    if let apart { isDone = try body(library, apart) }
  }
  return answer != .ok || isDone ? answer : refusal
}

extension ApartRuns {
  /// The memory of a page.
  fileprivate func pointer(to page: Int) -> UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(bitPattern: address(of: page))
  }

  /// Frees a part of a run, or all of it; what is left are runs of their own.
  fileprivate func free(_ part: Range<Int>, of run: Range<Int>) throws(PageArenaError) {
    try cut(at: part.lowerBound)
    try cut(at: part.upperBound)
    do throws(PageArenaError) { try free(part) } catch {
      settle(part, of: run)
      throw error
    }
    let (before, after) = (run.lowerBound..<part.lowerBound, part.upperBound..<run.upperBound)
    if !before.isEmpty { begin(before) }
    if !after.isEmpty { begin(after) }
    settle(before.suffix(1), of: before)
    settle(after.prefix(1), of: after)
  }

  /// Whether one of the runs in a range is set apart.
  ///
  /// - Throws: a page of it is not in use.
  fileprivate func hasAny(
    in range: Range<Int>, _ arena: PageArena
  ) throws(PageArenaError) -> Bool {
    var isAny = false
    try forEachRun(in: range, arena) { _, run throws(PageArenaError) in isAny = isAny || run != nil
    }
    return isAny
  }

  /// Calls `body` with what lies in a range of each run, and with the run where it is set apart.
  ///
  /// - Throws: a page of it is not in use.
  fileprivate func forEachRun(
    in range: Range<Int>, _ arena: PageArena,
    _ body: (Range<Int>, Range<Int>?) throws(PageArenaError) -> Void
  ) throws(PageArenaError) {
    var next = range.lowerBound
    while next < range.upperBound {
      let apart = run(around: next)
      var end = apart?.upperBound
      if end == nil, let base = unsafe pointer(to: next),
        let found = unsafe arena.run(containing: base), let start = page(at: found.address)
      {
        end = start + found.pages
      }
      guard let end else {
        throw .notInUse(base: address(of: next), pages: range.upperBound - next)
      }
      try body(next..<min(end, range.upperBound), apart)
      next = min(end, range.upperBound)
    }
  }
}
