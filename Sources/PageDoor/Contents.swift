import CPageAlloc
import PageAlloc

@c @implementation
package func pa_discard(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  guard let arena = unsafe arena, let first = unsafe first else { return .badArgument }
  return unsafe withApart(arena, PA_NOT_IN_USE) {
    unsafe status(arena) { arena throws(PageArenaError) in
      unsafe try arena.discard(first, pages: pages)
    }
  } _: {
    unsafe discardApart(arena, first, pages, $0)
  }
}

@c @implementation
package func pa_purge_lazy(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  guard let arena = unsafe arena, let first = unsafe first else { return .badArgument }
  return unsafe withApart(arena, PA_NOT_IN_USE) {
    unsafe status(arena) { arena throws(PageArenaError) in
      unsafe try arena.discardLazily(first, pages: pages)
    }
  } _: {
    unsafe refuseApart(arena, first, $0)
  }
}
