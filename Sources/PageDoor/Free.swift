import CPageAlloc
import PageAlloc

@c @implementation
package func pa_free(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  if let arena = unsafe arena, let first = unsafe first,
    unsafe PageArena.deallocateHot(
      door(arena).pointee.number, UInt(bitPattern: first), pages: pages)
  {
    return .ok
  }
  return unsafe deallocateSlowly(arena, first, pages)
}

@inline(never)
private func deallocateSlowly(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe withApart(arena, first, PA_NOT_IN_USE) { arena, first throws(PageArenaError) in
    unsafe try arena.deallocate(first, pages: pages)
  } _: {
    unsafe freeApart($0, $1, pages, $2)
  }
}

@c @implementation
package func pa_free_run(_ arena: OpaquePointer?, _ run: UnsafeMutableRawPointer?) -> pa_status {
  unsafe withApart(arena, run, PA_NOT_A_START) { arena, run throws(PageArenaError) in
    unsafe try arena.deallocate(run)
  } _: {
    unsafe freeApartRun($0, $1, $2)
  }
}

@c @implementation
package func pa_free_range(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe withApart(arena, first, PA_NOT_IN_USE) { arena, first throws(PageArenaError) in
    unsafe try arena.deallocateRuns(from: first, pages: pages)
  } _: {
    unsafe freeApartRange($0, $1, pages, $2)
  }
}

@c @implementation
package func pa_free_discarded(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe withApart(arena, first, PA_NOT_IN_USE) { arena, first throws(PageArenaError) in
    unsafe try arena.deallocateDiscarding(first, pages: pages)
  } _: {
    unsafe freeApart($0, $1, pages, $2)
  }
}
