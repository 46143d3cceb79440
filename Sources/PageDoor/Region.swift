import CPageAlloc
import PageAlloc

// The handle is the address of the value. Whoever has it is its one owner.
private typealias Handle = UnsafeMutablePointer<PageRegion>

@c @implementation
package func pa_region_create(
  _ reserve_bytes: Int, _ guard_bytes: Int, _ flags: UInt32,
  _ region: UnsafeMutablePointer<OpaquePointer?>?
) -> pa_status {
  guard let region = unsafe region else { return .badArgument }
  unsafe region.pointee = nil
  if flags & ~UInt32(PA_WRITABLE_CODE_ALLOWED) != 0 { return .badArgument }
  guard pai_make_room() == 0 else { return .noMemory }
  defer { pai_end_room() }
  do throws(PageArenaError) {
    let made = try PageRegion(
      reserving: reserve_bytes, guardByteCount: guard_bytes, allowsWritableCode: flags != 0)
    let handle = Handle.allocate(capacity: 1)
    unsafe handle.initialize(to: made)
    unsafe region.pointee = OpaquePointer(handle)
    return .ok
  } catch { return pa_status(error) }
}

@c @implementation
package func pa_region_destroy(_ region: OpaquePointer?) {
  guard let region = unsafe region else { return }
  let handle = unsafe Handle(region)
  unsafe handle.deinitialize(count: 1)
  unsafe handle.deallocate()
}

@c @implementation
package func pa_region_start(_ region: OpaquePointer?) -> UnsafeMutableRawPointer? {
  guard let region = unsafe region else { return nil }
  return unsafe Handle(region).pointee.baseAddress
}

@c @implementation
package func pa_region_size(_ region: OpaquePointer?) -> Int {
  guard let region = unsafe region else { return 0 }
  return unsafe Handle(region).pointee.byteCount
}

@c @implementation
package func pa_region_committed(_ region: OpaquePointer?) -> Int {
  guard let region = unsafe region else { return 0 }
  return unsafe Handle(region).pointee.committedByteCount
}

@c @implementation
package func pa_region_grow(_ region: OpaquePointer?, _ bytes: Int) -> pa_status {
  unsafe change(region) { (region: inout PageRegion) throws(PageArenaError) in
    try region.grow(to: bytes)
  }
}

@c @implementation
package func pa_region_shrink(_ region: OpaquePointer?, _ bytes: Int) -> pa_status {
  unsafe change(region) { (region: inout PageRegion) throws(PageArenaError) in
    try region.shrink(to: bytes)
  }
}

@c @implementation
package func pa_region_commit(_ region: OpaquePointer?, _ offset: Int, _ bytes: Int) -> pa_status {
  unsafe change(region) { (region: inout PageRegion) throws(PageArenaError) in
    try region.commit(in: range(offset, bytes, region.byteCount))
  }
}

@c @implementation
package func pa_region_decommit(
  _ region: OpaquePointer?, _ offset: Int, _ bytes: Int
) -> pa_status {
  unsafe change(region) { (region: inout PageRegion) throws(PageArenaError) in
    try region.decommit(in: range(offset, bytes, region.byteCount))
  }
}

@c @implementation
package func pa_region_discard(_ region: OpaquePointer?, _ offset: Int, _ bytes: Int) -> pa_status {
  unsafe change(region) { (region: inout PageRegion) throws(PageArenaError) in
    try region.discard(in: range(offset, bytes, region.byteCount))
  }
}

@c @implementation
package func pa_region_protect(
  _ region: OpaquePointer?, _ offset: Int, _ bytes: Int, _ access: UInt32
) -> pa_status {
  guard let access = PageAccess(access) else { return .badArgument }
  return unsafe change(region) { (region: inout PageRegion) throws(PageArenaError) in
    try region.protect(access, in: range(offset, bytes, region.byteCount))
  }
}

@c @implementation
package func pa_region_reset(_ region: OpaquePointer?) -> pa_status {
  unsafe change(region) { (region: inout PageRegion) throws(PageArenaError) in
    try region.reset()
  }
}

/// Changes the region of a handle, and tells what that throws.
private func change(
  _ region: OpaquePointer?, _ body: (inout PageRegion) throws(PageArenaError) -> Void
) -> pa_status {
  guard let region = unsafe region else { return .badArgument }
  do throws(PageArenaError) {
    unsafe try body(&Handle(region).pointee)
    return .ok
  } catch { return pa_status(error) }
}

/// A range of bytes, of figures that may be anything: what does not fit a number is out of bounds.
private func range(
  _ offset: Int, _ bytes: Int, _ limit: Int
) throws(PageArenaError) -> Range<Int> {
  let (end, overflow) = offset.addingReportingOverflow(bytes)
  guard offset >= 0, bytes >= 0, !overflow else {
    throw .outOfBounds(lowerBound: offset, upperBound: overflow ? .max : end, limit: limit)
  }
  return offset..<end
}

extension PageAccess {
  /// One of C's numbers.
  init?(_ number: UInt32) {
    switch Int(clamping: number) {
    case PA_ACCESS_NONE: self = .none
    case PA_ACCESS_READ: self = .readOnly
    case PA_ACCESS_READ_WRITE: self = .readWrite
    case PA_ACCESS_READ_EXECUTE: self = .readExecute
    case PA_ACCESS_READ_WRITE_EXECUTE: self = .readWriteExecute
    default: return nil
    }
  }
}
