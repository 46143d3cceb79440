import CThreadSlots

// What the owner does where the hot run does not help: functions of their own, so that the code
// around them needs no frame. A caller is inside already.

/// Takes a run of so many pages by way of the stacks, or cuts it from a longer one, and leaves.
///
/// - Parameter pages: any number.
/// - Returns: its address; 0 for none.
@usableFromInline @inline(never)
func allocateMore(
  _ cache: CacheReference, _ pages: Int, as kind: RunKind
) -> UInt {
  // The cache is the caller's, and so is its memory as long. Two bodies, each for one kind.
  switch kind {
  case .raw: cache.contents.allocateMore(pages, as: .raw)
  case .owned: cache.contents.allocateMore(pages, as: .owned)
  }
}

/// Takes a run of so many pages, from outside, where the owner passes a fence.
///
/// - Parameter pages: any number.
/// - Returns: its address; 0 for none, or where somebody wants all.
@usableFromInline @inline(never)
func allocateByFence(_ cache: CacheReference, _ pages: Int, as kind: RunKind) -> UInt {
  // The cache is the caller's, and so is its memory as long.
  guard cache.front.enterByFence() else { return 0 }
  let run = cache.front.takeHot(pages, as: kind)
  if run == 0 { return allocateMore(cache, pages, as: kind) }
  cache.front.runs.setByte(cache.front.page(at: run), UInt8(truncatingIfNeeded: pages))
  cache.front.leave()
  return run
}

/// Takes a whole run back of so many pages, from outside, where the owner passes a fence.
///
/// - Parameter pages: what the run table's byte of the page says, which may be 0.
/// - Returns: `false`, with nothing changed, where it is no such run, there is no room, or somebody
///   wants all.
@usableFromInline @inline(never)
func deallocateByFence(
  _ cache: CacheReference, _ page: Int, _ pages: Int, as kind: RunKind
) -> Bool {
  cache.front.enterByFence() && deallocateMore(cache, page, pages, as: kind)
}

/// Takes a whole run back of so many pages, and leaves.
///
/// - Parameter pages: what the run table's byte of the page says, which may be 0.
/// - Returns: `false`, with nothing changed, where it is no such run, or there is no room.
@usableFromInline @inline(never)
func deallocateMore(
  _ cache: CacheReference, _ page: Int, _ pages: Int, as kind: RunKind
) -> Bool {
  // As above.
  switch kind {
  case .raw: cache.contents.deallocateMore(page, pages, as: .raw)
  case .owned: cache.contents.deallocateMore(page, pages, as: .owned)
  }
}

/// Takes a whole run of more than 127 pages back, from outside.
///
/// - Parameters:
///   - page: the run's first; any page of the space.
///   - pages: any number.
/// - Returns: `false`, with nothing changed, where it is no such run, there is no room, or somebody
///   wants all.
@usableFromInline @inline(never)
func deallocateLong(
  _ cache: CacheReference, _ page: Int, _ pages: Int, as kind: RunKind
) -> Bool {
  // The cache is the caller's, and so is its memory as long; by the front alone, until inside.
  guard pages > RunCache.longestStacked,
    cache.front.runs.isLongRun(page, pages), cache.front.enter() || cache.front.enterByFence()
  else { return false }
  return cache.contents.deallocateLong(page, pages, as: kind)
}

extension RunCache {
  @inline(__always)
  fileprivate mutating func allocateMore(_ pages: Int, as kind: RunKind) -> UInt {
    countComing(kind)
    guard let page = takeAnywhere(pages) else {
      countAgain(kind)
      front.leave()
      return 0
    }
    front.runs.setFirstByte(page, pages)
    let address = front.address(of: page)
    // Nothing is left to do after it, so the common way keeps nothing for it.
    if isToldTooMuch { return tellAndLeave(address) }
    front.leave()
    return address
  }

  @inline(never)
  private mutating func tellAndLeave(_ address: UInt) -> UInt {
    tell()
    front.leave()
    return address
  }

  /// Counts an owner who is about to get a run: first, in the order in which a fork may see it.
  @inline(__always)
  borrowing func countComing(_ kind: RunKind) {
    if kind == .owned {
      count(owners: 1)
      cts_compiler_barrier()
    }
  }

  /// There is no run for the owner after all.
  @inline(__always)
  borrowing func countAgain(_ kind: RunKind) {
    if kind == .owned { count(owners: -1) }
  }

  @inline(__always)
  private mutating func takeAnywhere(_ pages: Int) -> PageNumber? {
    if UInt(bitPattern: pages &- 1) < UInt(Self.longestStacked) {
      return (takeStacked(pages) ?? cut(pages))?.page
    }
    return pages > 0 ? takeLong(pages) { _ in true } : nil
  }

  @inline(__always)
  fileprivate mutating func deallocateMore(
    _ page: PageNumber, _ pages: Int, as kind: RunKind
  ) -> Bool {
    // What says in the table that a run is longer may look like a length. No pages are no
    // run, though the table says 0 wherever none starts.
    guard UInt(bitPattern: pages &- 1) < UInt(Self.longestStacked) else {
      if pages > 0, front.runs.isLongRun(page, pages) {
        return deallocateLong(page, pages, as: kind)
      }
      front.leave()
      return false
    }
    // As above.
    guard put(front.address(of: page), pages, as: kind) else {
      return tellAndPut(page, pages, as: kind)
    }
    front.runs.setByte(page, 0)
    front.leave()
    return true
  }

  /// Tries again when all is told, and leaves.
  @inline(never)
  private mutating func tellAndPut(_ page: PageNumber, _ pages: Int, as kind: RunKind) -> Bool {
    defer { front.leave() }
    tell()
    guard put(front.address(of: page), pages, as: kind) else { return false }
    front.runs.setByte(page, 0)
    return true
  }

  /// The run is one of so many pages, more than 127.
  @inline(__always)
  fileprivate mutating func deallocateLong(_ page: PageNumber, _ pages: Int, as kind: RunKind)
    -> Bool
  {
    defer { front.leave() }
    guard putLong(page, pages) else { return false }
    front.runs.setByte(page, 0)
    // Counted last, in the order in which a fork may see it.
    if kind == .owned {
      cts_compiler_barrier()
      count(owners: -1)
    }
    return true
  }
}
