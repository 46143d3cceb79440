import CPageAlloc
import PageAlloc

@c @implementation
package func pa_alloc(
  _ arena: OpaquePointer?, _ pages: Int, _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  guard let arena = unsafe arena,
    // Where there is one, it is the address of pages that were just taken for the caller.
    let run = unsafe UnsafeMutableRawPointer(
      bitPattern: PageArena.allocateHot(door(arena).pointee.number, pages: pages))
  else { return unsafe allocateSlowly(arena, pages, status) }
  unsafe status?.pointee = .ok
  return unsafe run
}

@inline(never)
private func allocateSlowly(
  _ arena: OpaquePointer?, _ pages: Int, _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  unsafe withArena(arena, or: unsafe refuse(.badArgument, status)) { arena in
    unsafe address(status) { () throws(PageArenaError) in
      unsafe try arena.allocate(pages: pages)
    }
  }
}

@c @implementation
package func pa_alloc_zeroed(
  _ arena: OpaquePointer?, _ pages: Int, _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  unsafe withArena(arena, or: unsafe refuse(.badArgument, status)) { arena in
    unsafe address(status) { () throws(PageArenaError) in
      unsafe try arena.allocate(pages: pages, zeroed: true)
    }
  }
}

@c @implementation
package func pa_alloc_aligned(
  _ arena: OpaquePointer?, _ pages: Int, _ alignment: Int,
  _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  unsafe withArena(arena, or: unsafe refuse(.badArgument, status)) { arena in
    unsafe address(status) { () throws(PageArenaError) in
      unsafe try arena.allocate(pages: pages, alignment: alignment)
    }
  }
}

@c @implementation
package func pa_alloc_with(
  _ arena: OpaquePointer?, _ pages: Int, _ alignment: Int, _ flags: UInt32,
  _ is_zero: UnsafeMutablePointer<Bool>?, _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  guard let zeroed = isZeroed(flags) else { return unsafe refuse(.badArgument, status) }
  return unsafe withArena(arena, or: unsafe refuse(.badArgument, status)) { arena in
    unsafe address(status) { () throws(PageArenaError) in
      var isZero = false
      let run = unsafe try arena.allocate(
        pages: pages, alignment: alignment, zeroed: zeroed, isZero: &isZero)
      unsafe is_zero?.pointee = isZero
      return unsafe run
    }
  }
}

@c @implementation
package func pa_alloc_at(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int, _ flags: UInt32
) -> pa_status {
  guard let first = unsafe first, let zeroed = isZeroed(flags) else { return .badArgument }
  var isTaken = false
  let answer = unsafe status(arena) { arena throws(PageArenaError) in
    isTaken = unsafe try arena.allocate(at: first, pages: pages, zeroed: zeroed)
  }
  return answer == .ok && !isTaken ? pa_status(PA_NOT_FREE) : answer
}

@c @implementation
package func pa_extend(
  _ arena: OpaquePointer?, _ run: UnsafeMutableRawPointer?, _ pages: Int, _ flags: UInt32
) -> pa_status {
  guard let arena = unsafe arena, let run = unsafe run, let zeroed = isZeroed(flags) else {
    return .badArgument
  }
  var hasGrown = false
  let answer = unsafe status(arena) { arena throws(PageArenaError) in
    hasGrown = unsafe try arena.extend(run, to: wantedPages(pages), zeroed: zeroed)
  }
  if answer == .ok { return hasGrown ? .ok : pa_status(PA_NOT_FREE) }
  return unsafe refuseApart(arena, run, answer)
}

@c @implementation
package func pa_resize(
  _ arena: OpaquePointer?, _ run: UnsafeMutableRawPointer?, _ pages: Int, _ flags: UInt32,
  _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  guard let arena = unsafe arena, let run = unsafe run, let zeroed = isZeroed(flags) else {
    return unsafe refuse(.badArgument, status)
  }
  var refusal = pa_status.ok
  let moved = unsafe withArena(arena, or: nil) { arena in
    unsafe address(&refusal) { () throws(PageArenaError) in
      unsafe try arena.resize(run, to: pages, zeroed: zeroed)
    }
  }
  let answer = refusal == .ok ? .ok : unsafe refuseApart(arena, run, refusal)
  unsafe status?.pointee = answer
  return unsafe moved
}

/// What the flags of an allocation say; `nil` where one of them means nothing.
func isZeroed(_ flags: UInt32) -> Bool? {
  flags & ~UInt32(PA_ZEROED) == 0 ? flags != 0 : nil
}

/// So many pages as a run is to have at least. What a `size_t` has beyond an `Int` is more than
/// there can be, not fewer than the run has.
func wantedPages(_ pages: Int) -> Int { pages < 0 ? .max : pages }
