import SysMem

// Guards
// ======
//
// A guard is memory that faults at any access. Where the kernel has markers (MADV_GUARD_INSTALL,
// Linux 6.13) it is entries in the page table and costs no mapping; elsewhere it is access rights,
// which cost a mapping each, of which a process can have only so many.

extension ArenaCore {
  /// Pages in a guard: one, or as many as the kernel's page has.
  var guardPages: Int { max(1, physicalPageSize >> Geometry.pageShift) }

  /// What guards are made of here, as far as is known.
  var guardKind: GuardKind { withHeap { $0.guards.kind } }

  /// Finds out, once an arena, what guards are made of: where markers are promised, one is tried.
  func findGuardKind(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    if guardKind != .unknown { return }
    var kind = GuardKind.mappings
    do throws(SysMemError) {
      try system.advise(address, byteCount, .installGuard)
      // An emulator may say yes and do nothing.
      if system.calls.isReadable(address) == false { kind = .markers }
    } catch {
      // EINVAL is the answer of a kernel without markers; anything else says nothing about it.
      if error.errno != .invalidArgument { throw error }
    }
    withHeap { if $0.guards.kind == .unknown { $0.guards.kind = kind } }
  }

  /// Makes memory a guard.
  func setGuard(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    if guardKind == .markers {
      try system.advise(address, byteCount, .installGuard)
    } else {
      try system.protect(address, byteCount, .none)
    }
  }

  /// Notes that more mappings are needed than before.
  ///
  /// - Throws: ``PageArenaError/tooManyMappings(limit:)``; nothing has changed.
  func addMappings(_ count: Int) throws(PageArenaError) {
    if count == 0 { return }
    let limit = GuardBudget.mappingLimit
    guard withHeap({ $0.guards.add(mappings: count) }) else { throw .tooManyMappings(limit: limit) }
  }

  /// Notes that fewer mappings are needed than before, or, for what has happened already, more.
  func removeMappings(_ count: Int) {
    if count != 0 { withHeap { $0.guards.mappings -= count } }
  }

  /// Does what the system may refuse.
  @inline(__always)
  func attempt(_ body: (SysMem) throws(SysMemError) -> Void) throws(PageArenaError) {
    let refusal = withSystem { system -> SysMemError? in
      do throws(SysMemError) {
        try body(system)
        return nil
      } catch { return error }
    }
    if let refusal { throw .system(refusal) }
  }
}
