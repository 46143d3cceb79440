import CPageAlloc
import PageAlloc

// Runs of a pool: as those of an arena, Allocate.swift and Free.swift.

@c @implementation
package func pa_pool_alloc(
  _ pool: OpaquePointer?, _ pages: Int, _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  let hot: UInt = unsafe withPool(pool, or: 0) { $0.allocateHot(pages: pages) }
  // Where there is one, it is the address of pages that were just taken for the caller.
  guard let run = unsafe UnsafeMutableRawPointer(bitPattern: hot) else {
    return unsafe allocateSlowly(pool, pages, status)
  }
  unsafe status?.pointee = .ok
  return unsafe run
}

@inline(never)
private func allocateSlowly(
  _ pool: OpaquePointer?, _ pages: Int, _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  unsafe withPool(pool, or: unsafe refuse(.badArgument, status)) { pool in
    unsafe address(status) { () throws(PageArenaError) in
      unsafe try pool.allocate(pages: pages)
    }
  }
}

@c @implementation
package func pa_pool_alloc_with(
  _ pool: OpaquePointer?, _ pages: Int, _ alignment: Int, _ flags: UInt32,
  _ is_zero: UnsafeMutablePointer<Bool>?, _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  guard let zeroed = isZeroed(flags) else { return unsafe refuse(.badArgument, status) }
  return unsafe withPool(pool, or: unsafe refuse(.badArgument, status)) { pool in
    unsafe address(status) { () throws(PageArenaError) in
      var isZero = false
      let run = unsafe try pool.allocate(
        pages: pages, alignment: alignment, zeroed: zeroed, isZero: &isZero)
      unsafe is_zero?.pointee = isZero
      return unsafe run
    }
  }
}

@c @implementation
package func pa_pool_alloc_at(
  _ pool: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int, _ flags: UInt32
) -> pa_status {
  guard let zeroed = isZeroed(flags) else { return .badArgument }
  var isTaken = false
  let answer = unsafe poolStatus(pool, first) { pool, first throws(PageArenaError) in
    isTaken = unsafe try pool.allocate(at: first, pages: pages, zeroed: zeroed)
  }
  return answer == .ok && !isTaken ? pa_status(PA_NOT_FREE) : answer
}

@c @implementation
package func pa_pool_free(
  _ pool: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  let isDone = unsafe withPool(pool, or: false) {
    $0.deallocateHot(UInt(bitPattern: first), pages: pages)
  }
  return unsafe isDone ? .ok : deallocateSlowly(pool, first, pages)
}

@inline(never)
private func deallocateSlowly(
  _ pool: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe poolStatus(pool, first) { pool, first throws(PageArenaError) in
    unsafe try pool.deallocate(first, pages: pages)
  }
}

@c @implementation
package func pa_pool_free_run(
  _ pool: OpaquePointer?, _ run: UnsafeMutableRawPointer?
) -> pa_status {
  unsafe poolStatus(pool, run) { pool, run throws(PageArenaError) in
    unsafe try pool.deallocate(run)
  }
}

@c @implementation
package func pa_pool_free_range(
  _ pool: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe poolStatus(pool, first) { pool, first throws(PageArenaError) in
    unsafe try pool.deallocateRuns(from: first, pages: pages)
  }
}

@c @implementation
package func pa_pool_free_discarded(
  _ pool: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe poolStatus(pool, first) { pool, first throws(PageArenaError) in
    unsafe try pool.deallocateDiscarding(first, pages: pages)
  }
}

@c @implementation
package func pa_pool_extend(
  _ pool: OpaquePointer?, _ run: UnsafeMutableRawPointer?, _ pages: Int, _ flags: UInt32
) -> pa_status {
  guard let zeroed = isZeroed(flags) else { return .badArgument }
  var hasGrown = false
  let answer = unsafe poolStatus(pool, run) { pool, run throws(PageArenaError) in
    hasGrown = unsafe try pool.extend(run, to: wantedPages(pages), zeroed: zeroed)
  }
  return answer == .ok && !hasGrown ? pa_status(PA_NOT_FREE) : answer
}

@c @implementation
package func pa_pool_resize(
  _ pool: OpaquePointer?, _ run: UnsafeMutableRawPointer?, _ pages: Int, _ flags: UInt32,
  _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  guard let run = unsafe run, let zeroed = isZeroed(flags) else {
    return unsafe refuse(.badArgument, status)
  }
  return unsafe withPool(pool, or: unsafe refuse(.badArgument, status)) { pool in
    unsafe address(status) { () throws(PageArenaError) in
      unsafe try pool.resize(run, to: pages, zeroed: zeroed)
    }
  }
}

@c @implementation
package func pa_pool_find(
  _ pool: OpaquePointer?, _ address: UnsafeRawPointer?, _ run: UnsafeMutablePointer<pa_run>?
) -> pa_status {
  guard let run = unsafe run else { return .badArgument }
  return unsafe lookingAtPool(pool) { pool in
    guard let address = unsafe address, let found = unsafe pool.run(containing: address) else {
      return pa_status(PA_NOT_IN_USE)
    }
    var result = unsafe pa_run()
    unsafe result.start = UnsafeMutableRawPointer(bitPattern: found.address)
    unsafe result.pages = found.pages
    let size = unsafe Int(clamping: run.pointee.size)
    return unsafe writeStruct(result, to: run, size) ? .ok : pa_status(PA_BAD_SIZE)
  }
}

@c @implementation
package func pa_pool_discard(
  _ pool: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe poolStatus(pool, first) { pool, first throws(PageArenaError) in
    unsafe try pool.discard(first, pages: pages)
  }
}

@c @implementation
package func pa_pool_purge_lazy(
  _ pool: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  unsafe poolStatus(pool, first) { pool, first throws(PageArenaError) in
    unsafe try pool.discardLazily(first, pages: pages)
  }
}
