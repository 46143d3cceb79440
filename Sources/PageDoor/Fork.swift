import CPageAlloc
import PageAlloc

@c @implementation
package func pa_fork_prepare(_ arena: OpaquePointer?) -> pa_status {
  unsafe status(arena) { arena throws(PageArenaError) in arena.prepareForFork() }
}

@c @implementation
package func pa_fork_parent(_ arena: OpaquePointer?) -> pa_status {
  unsafe status(arena) { arena throws(PageArenaError) in arena.resumeInParentAfterFork() }
}

@c @implementation
package func pa_fork_child(_ arena: OpaquePointer?) -> pa_status {
  unsafe status(arena) { arena throws(PageArenaError) in arena.resumeInChildAfterFork() }
}
