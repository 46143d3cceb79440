// What a profile of the arena is told, besides what caches tell it.

extension ArenaCore {
  /// Has a run sampled that was handed out by the heap lock, if it is its turn.
  ///
  /// - Parameter cache: the caller's own, who is outside of it, and in which the pages count; `nil`
  ///   for none, where each run has its chance by itself.
  @inline(__always)
  func countTaken(_ page: PageNumber, _ pages: Int, by cache: CacheReference?) {
    guard let profile else { return }
    if let cache {
      if cache.contents.isSampleDue(pages) { cache.contents.sample(page, pages) }
    } else {
      profile.noteTaken(page, pages, in: runs)
    }
  }
}
