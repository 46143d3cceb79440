import CPageAlloc
import PageAlloc

@c @implementation
package func pa_discard(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe withApart(arena, first, PA_NOT_IN_USE) { arena, first throws(PageArenaError) in
    unsafe try arena.discard(first, pages: pages)
  } _: {
    unsafe discardApart($0, $1, pages, $2)
  }
}

@c @implementation
package func pa_purge_lazy(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe withApart(arena, first, PA_NOT_IN_USE) { arena, first throws(PageArenaError) in
    unsafe try arena.discardLazily(first, pages: pages)
  } _: {
    unsafe refusePurgeApart($0, $1, pages, $2)
  }
}
