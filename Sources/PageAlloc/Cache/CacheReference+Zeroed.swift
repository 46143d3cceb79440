extension CacheReference {
  /// Makes a cache of memory that is zero and for it alone.
  ///
  /// All of an empty cache is zero but for its front, its capacity, and what it samples. So nothing
  /// else is written, and of the five pages of a cache those of the stacks are backed only when
  /// they are used.
  /// - Parameters:
  ///   - address: where the memory is.
  ///   - base, runs, core, tally: as for the cache's own `init`.
  ///   - profile: has what the owner takes sampled.
  init(
    zeroed address: UInt, base: UInt, runs: RunTable, core: UInt, tally: CacheTally,
    profile: RunProfile?
  ) {
    guard let pointer = unsafe UnsafeMutablePointer<RunCache>(bitPattern: address) else {
      corrupted("the kernel mapped a cache at address 0")
    }
    unsafe self.pointer = pointer
    // The front is the last field.
    unsafe (UnsafeMutableRawPointer(pointer) + RunCache.frontOffset)
      .assumingMemoryBound(to: CacheFront.self)
      .initialize(to: CacheFront(base: base, runs: runs, core: core, tally: tally))
    contents.resetCapacity()
    contents.begin(profile)
  }
}
