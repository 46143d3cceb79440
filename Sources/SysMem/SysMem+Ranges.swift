// Calls that change what a range of ready memory is used for, not which state it is in.

extension SysMem {
  /// Changes the access rights of a range.
  ///
  /// - Throws: `mprotect` was refused, by a limit on mappings as a rule. The kernel changes mapping by
  ///   mapping, so that a part of the range may have changed.
  public func protect(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection
  ) throws(SysMemError) {
    do throws(Errno) {
      try calls.mprotect(address, byteCount, protection)
    } catch {
      throw SysMemError(call: .mprotect, address: address, byteCount: byteCount, errno: error)
    }
  }

  /// Tells the kernel about a range.
  ///
  /// - Throws: `madvise` was refused.
  public func advise(
    _ address: UInt, _ byteCount: UInt, _ advice: MemoryAdvice
  ) throws(SysMemError) {
    do throws(Errno) {
      try calls.madvise(address, byteCount, advice)
    } catch {
      throw SysMemError(call: .madvise, address: address, byteCount: byteCount, errno: error)
    }
  }

  /// Moves pages, contents and all, to another range; the old range is empty afterwards.
  ///
  /// - Throws: `mremap` was refused; nothing has moved.
  public func move(
    _ source: UInt, _ byteCount: UInt, to target: UInt
  ) throws(SysMemError) {
    do throws(Errno) {
      try calls.mremap(source, byteCount, to: target)
    } catch {
      throw SysMemError(call: .mremap, address: source, byteCount: byteCount, errno: error)
    }
  }

  /// Replaces a range by fresh memory of the plainest kind, whatever it was: empty, readable, writable.
  ///
  /// - Throws: `mmap` was refused; the range is as before.
  public func replace(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    do throws(Errno) {
      _ = try calls.mmap(address, byteCount, .readWrite, replacing: true)
    } catch {
      throw SysMemError(call: .mmap, address: address, byteCount: byteCount, errno: error)
    }
  }

  /// Keeps a range in memory, or no longer.
  ///
  /// - Throws: `mlock` or `munlock` was refused: a limit of the process, as a rule.
  public func setLocked(
    _ address: UInt, _ byteCount: UInt, _ isLocked: Bool
  ) throws(SysMemError) {
    do throws(Errno) {
      if isLocked {
        try calls.mlock(address, byteCount)
      } else {
        try calls.munlock(address, byteCount)
      }
    } catch {
      throw SysMemError(
        call: isLocked ? .mlock : .munlock, address: address, byteCount: byteCount, errno: error)
    }
  }

  /// Any state → none, where there is nobody left to tell of a refusal: tries some times.
  ///
  /// - Parameters: as for `sysFree`.
  public func sysFreeAtLast(
    _ address: UInt, _ byteCount: UInt, preparedByteCount: UInt = 0, readyByteCount: UInt = 0
  ) {
    for _ in 0..<3 {
      do throws(SysMemError) {
        try sysFree(
          address, byteCount, preparedByteCount: preparedByteCount,
          readyByteCount: readyByteCount)
        return
      } catch {
        // A whole mapping of our own: no kernel has a reason to refuse that.
      }
    }
  }
}
