import CPageAlloc
import PageAlloc

@c @implementation
package func pa_discard(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  guard let arena = unsafe arena, let first = unsafe first else { return .badArgument }
  let answer = unsafe status(arena) { arena throws(PageArenaError) in
    unsafe try arena.discard(first, pages: pages)
  }
  return answer == .ok ? .ok : unsafe discardApart(arena, first, pages, answer)
}

@c @implementation
package func pa_purge_lazy(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  guard let arena = unsafe arena, let first = unsafe first else { return .badArgument }
  let answer = unsafe status(arena) { arena throws(PageArenaError) in
    unsafe try arena.discardLazily(first, pages: pages)
  }
  return answer == .ok ? .ok : unsafe refuseApart(arena, first, answer)
}
