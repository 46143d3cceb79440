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
  guard let arena = unsafe arena, let first = unsafe first else { return .badArgument }
  return unsafe withApart(arena, PA_NOT_IN_USE) {
    unsafe status(arena) { arena throws(PageArenaError) in
      unsafe try arena.deallocate(first, pages: pages)
    }
  } _: {
    unsafe freeApart(arena, first, pages, $0)
  }
}

@c @implementation
package func pa_free_run(_ arena: OpaquePointer?, _ run: UnsafeMutableRawPointer?) -> pa_status {
  guard let arena = unsafe arena, let run = unsafe run else { return .badArgument }
  return unsafe withApart(arena, PA_NOT_A_START) {
    unsafe status(arena) { arena throws(PageArenaError) in
      unsafe try arena.deallocate(run)
    }
  } _: {
    unsafe freeApartRun(arena, run, $0)
  }
}

@c @implementation
package func pa_free_range(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  guard let arena = unsafe arena, let first = unsafe first else { return .badArgument }
  return unsafe withApart(arena, PA_NOT_IN_USE) {
    unsafe status(arena) { arena throws(PageArenaError) in
      unsafe try arena.deallocateRuns(from: first, pages: pages)
    }
  } _: {
    unsafe freeApartRange(arena, first, pages, $0)
  }
}

@c @implementation
package func pa_free_discarded(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  guard let arena = unsafe arena, let first = unsafe first else { return .badArgument }
  return unsafe withApart(arena, PA_NOT_IN_USE) {
    unsafe status(arena) { arena throws(PageArenaError) in
      unsafe try arena.deallocateDiscarding(first, pages: pages)
    }
  } _: {
    unsafe freeApart(arena, first, pages, $0)
  }
}
