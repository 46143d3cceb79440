// Calls that change what a range of ready memory is used for, not which state it is in.

extension SysMem {
  /// Makes a call on a range; what the kernel refuses is told with the call's name and the range.
  @inline(__always)
  func attempt<Result>(
    _ call: SysMemError.Call, _ address: UInt, _ byteCount: UInt,
    _ body: () throws(Errno) -> Result
  ) throws(SysMemError) -> Result {
    do throws(Errno) {
      return try body()
    } catch {
      throw SysMemError(call: call, address: address, byteCount: byteCount, errno: error)
    }
  }

  /// Changes the access rights of a range.
  ///
  /// - Throws: `mprotect` was refused, by a limit on mappings as a rule. The kernel changes mapping
  ///   by mapping, so that a part of the range may have changed.
  public func protect(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection
  ) throws(SysMemError) {
    try attempt(.mprotect, address, byteCount) { () throws(Errno) in
      try calls.mprotect(address, byteCount, protection)
    }
  }

  /// Tells the kernel about a range. What is locked in memory goes as well as what is not, where
  /// the kernel can (Linux 5.18).
  ///
  /// - Throws: `madvise` was refused.
  public func advise(
    _ address: UInt, _ byteCount: UInt, _ advice: MemoryAdvice
  ) throws(SysMemError) {
    _ = try adviseTelling(address, byteCount, advice)
  }

  /// The same.
  ///
  /// - Returns: `false` where the range was locked, some of it at least.
  func adviseTelling(
    _ address: UInt, _ byteCount: UInt, _ advice: MemoryAdvice
  ) throws(SysMemError) -> Bool {
    try attempt(.madvise, address, byteCount) { () throws(Errno) in
      do throws(Errno) {
        try calls.madvise(address, byteCount, advice)
        return true
      } catch {
        // So it says of memory that is locked, which has an advice of its own.
        guard advice == .dontNeed, error == .invalidArgument else { throw error }
        try calls.madvise(address, byteCount, .dontNeedLocked)
        return false
      }
    }
  }

  /// Bytes of a range that are in memory now.
  ///
  /// - Throws: the kernel does not say.
  public func residentByteCount(
    _ address: UInt, _ byteCount: UInt
  ) throws(SysMemError) -> UInt {
    try attempt(.mincore, address, byteCount) { () throws(Errno) in
      try calls.residentByteCount(address, byteCount)
    }
  }

  /// Moves pages, contents and all, to another range; the old range is empty afterwards, and still
  /// mapped.
  ///
  /// - Parameter source: in one mapping. Of several, Linux since 6.17 moves the first ones, and may
  ///   refuse those that follow; before, it refuses all.
  /// - Throws: `mremap` was refused; nothing has moved. The target may be mapped no more: Linux
  ///   unmaps it before it looks at the source.
  public func move(
    _ source: UInt, _ byteCount: UInt, to target: UInt
  ) throws(SysMemError) {
    try attempt(.mremap, source, byteCount) { () throws(Errno) in
      try calls.mremap(source, byteCount, to: target)
    }
  }

  /// Replaces a range by fresh memory of the plainest kind, whatever it was: empty, readable,
  /// writable.
  ///
  /// - Throws: `mmap` was refused; the range is as before.
  public func replace(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    try attempt(.mmap, address, byteCount) { () throws(Errno) in
      _ = try calls.mmap(address, byteCount, .readWrite, replacing: true)
    }
    namePages(address, byteCount)
  }

  /// Keeps a range in memory, or no longer.
  ///
  /// - Throws: `mlock` or `munlock` was refused: a limit of the process, as a rule.
  public func setLocked(
    _ address: UInt, _ byteCount: UInt, _ isLocked: Bool
  ) throws(SysMemError) {
    try attempt(isLocked ? .mlock : .munlock, address, byteCount) { () throws(Errno) in
      if isLocked {
        try calls.mlock(address, byteCount)
      } else {
        try calls.munlock(address, byteCount)
      }
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
        // A whole mapping of our own: no kernel has a reason to refuse that. Where it is a part of
        // one, the process may have too many.
      }
    }
    // At least it holds nothing any more.
    try? advise(address, byteCount, .dontNeed)
  }
}
