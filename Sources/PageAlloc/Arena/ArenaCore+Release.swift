import SysMem

extension ArenaCore {
  /// Gives free memory back; what threads keep at hand where the rest is not enough.
  ///
  /// - Returns: the bytes given back, `byteCount` at least as long as there is so much.
  /// - Throws: ``PageArenaError/system(_:)`` where the kernel refused some of it.
  func release(_ byteCount: UInt64, _ cause: ReleaseCause) throws(PageArenaError) -> UInt64 {
    let first = Releaser(self).release(byteCount, .force, cause)
    if first.releasedBytes >= byteCount { return first.releasedBytes }
    drainCaches(own: cacheInItsSlot())
    let rest = Releaser(self).release(byteCount - first.releasedBytes, .force, cause)
    if let refusal = first.firstRefusal ?? rest.firstRefusal { throw .system(refusal) }
    return first.releasedBytes + rest.releasedBytes
  }

  func releaseOnce(
    _ byteCount: UInt64, _ cause: ReleaseCause
  ) throws(PageArenaError) -> UInt64 {
    let result = Releaser(self).release(byteCount, .force, cause)
    if let refusal = result.firstRefusal { throw .system(refusal) }
    return result.releasedBytes
  }
}
