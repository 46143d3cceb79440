import SysMem

// Guards
// ======
//
// A guard is memory that faults at any access. Where the kernel has markers (MADV_GUARD_INSTALL,
// Linux 6.13) it is entries in the page table and costs no mapping; elsewhere it is access rights,
// which cost a mapping each, of which a process can have only so many. Memory that is locked takes
// no markers, nor does any where a filter of system calls refuses them: such a run has guards of
// access rights, and remembers that (RunTraits).

extension ArenaCore {
  /// Pages in a guard: one, or as many as the kernel's page has.
  var guardPages: Int { max(1, physicalPageSize >> Geometry.pageShift) }

  /// Makes memory a guard by a marker.
  ///
  /// - Returns: `false` where markers cannot be had there; a part of them may be in place.
  /// - Throws: the kernel refused for want of memory.
  func setMarker(_ range: AdvisedRange) throws(SysMemError) -> Bool {
    if !system.calls.canMarkGuards { return false }
    do throws(SysMemError) {
      try system.advise(range.address, range.byteCount, .installGuard)
      return true
    } catch {
      switch error.errno {
      case .invalidArgument, .notPermitted, .noSuchCall: return false
      default: throw error
      }
    }
  }

  /// Makes sure that there may be so many mappings more.
  ///
  /// - Throws: ``PageArenaError/tooManyMappings(limit:)``; nothing has changed.
  func addMappings(_ count: Int) throws(PageArenaError) {
    if count <= 0 || MappingBudget.add(count) { return }
    throw .tooManyMappings(limit: MappingBudget.limit)
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
