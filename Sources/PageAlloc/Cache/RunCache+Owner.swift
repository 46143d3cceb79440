import CThreadSlots

// What the owner does where the hot run does not help.

// MARK: - Whole calls, from outside

extension CacheReference {
  /// Takes a run of just so many pages, and notes it as handed out.
  ///
  /// - Parameter pages: any number.
  /// - Returns: its address; 0 where there is none, whatever was asked for, or where somebody wants
  ///   all.
  package func allocate(_ pages: Int, as kind: RunKind) -> UInt {
    // The cache is the caller's, and so is its memory as long.
    guard front.enter() || front.enterByFence() else { return 0 }
    let run = front.handOutHot(pages, as: kind)
    if run != 0 { return run }
    let other = handOut(pages, as: kind)
    return other != 0 ? other : handOutOrCut(pages, as: kind)
  }

  /// Takes a whole run back, as it was handed out.
  ///
  /// - Parameters:
  ///   - address: any.
  ///   - pages: any number.
  /// - Returns: `false`, with nothing changed, where it is no such run, there is no room, or
  ///   somebody wants all.
  package func deallocate(_ address: UInt, _ pages: Int, as kind: RunKind) -> Bool {
    // As above, by the front alone until inside. A length of 0 stands in the table, too.
    guard pages > 0, let page = front.page(ofAny: address), front.runs.length(page) == pages,
      front.enter() || front.enterByFence()
    else { return false }
    return putBack(page, pages, as: kind) || tellAndPutBack(page, pages, as: kind)
  }

  /// Takes a whole run of more than 127 pages back.
  ///
  /// - Parameters:
  ///   - address: any.
  ///   - pages: any number.
  /// - Returns: `false`, with nothing changed, where it is no such run, there is no room, or the
  ///   caller does not get in without more ado.
  @inline(__always)
  package func putBackLong(_ address: UInt, _ pages: Int, as kind: RunKind) -> Bool {
    // As above, by the front alone until inside.
    guard let page = front.page(ofAny: address), front.runs.isLongRun(page, pages), front.enter()
    else { return false }
    if contents.putLongBack(page, pages, as: kind) { return true }
    front.leave()
    return false
  }
}

// MARK: - From inside

// What is commonest does not call anything, and so needs no frame: first a function that only looks
// for a run, or a place, and stays inside where there is none; then one that leaves in any case.

extension CacheReference {
  /// Takes a run of just so many pages, notes it as handed out, and leaves.
  ///
  /// - Parameter pages: any number.
  /// - Returns: its address; 0 for none, or where what the cache holds is to be told: the owner is
  ///   still inside.
  @inline(__always)
  package func handOut(_ pages: Int, as kind: RunKind) -> UInt {
    // The cache is the caller's, and so is its memory as long. Two bodies, each for one kind.
    switch kind {
    case .raw: contents.handOut(pages, as: .raw)
    case .owned: contents.handOut(pages, as: .owned)
    }
  }

  /// Takes a run of so many pages, or cuts it from a longer one, tells what the cache holds, notes
  /// the run as handed out, and leaves.
  ///
  /// - Parameter pages: any number.
  /// - Returns: its address; 0 for none.
  @inline(never)
  package func handOutOrCut(_ pages: Int, as kind: RunKind) -> UInt {
    contents.handOutOrCut(pages, as: kind)
  }

  /// Takes a whole run back, and leaves.
  ///
  /// - Parameter pages: what the run table says of the page, or its byte.
  /// - Returns: `false`, with nothing changed, where it is no such run, or there is no room, or
  ///   what the cache holds is to be told first; the owner is still inside.
  @inline(__always)
  package func putBack(_ page: PageNumber, _ pages: Int, as kind: RunKind) -> Bool {
    // As above.
    switch kind {
    case .raw: contents.putBack(page, pages, as: .raw)
    case .owned: contents.putBack(page, pages, as: .owned)
    }
  }

  /// Takes a whole run of up to 127 pages back when all is told, and leaves.
  ///
  /// - Returns: `false`, with nothing changed, where it is no such run, or there is no room.
  @inline(never)
  package func tellAndPutBack(_ page: PageNumber, _ pages: Int, as kind: RunKind) -> Bool {
    contents.tellAndPutBack(page, pages, as: kind)
  }
}

extension RunCache {
  @inline(__always)
  fileprivate mutating func handOut(_ pages: Int, as kind: RunKind) -> UInt {
    if isStacked(pages), isToldTooMuch(without: pages) { return 0 }
    countComing(kind)
    guard let page = isStacked(pages) ? takeStackedUnsampled(pages)?.page : takeLong(pages) else {
      countAgain(kind)
      return 0
    }
    count(coldTakes: 1)
    return noteAndLeave(page, pages)
  }

  fileprivate mutating func handOutOrCut(_ pages: Int, as kind: RunKind) -> UInt {
    countComing(kind)
    guard isStacked(pages), let run = takeStacked(pages) ?? cut(pages) else {
      countAgain(kind)
      front.leave()
      return 0
    }
    if isToldTooMuch { tell() }
    count(coldTakes: 1)
    let isDue = isSampleDue(pages)
    let address = noteAndLeave(run.page, pages)
    if isDue { sample(run.page, pages) }
    return address
  }

  /// Takes a run of more than 127 pages.
  ///
  /// - Parameter pages: any number that is no length of a shorter one.
  @inline(__always)
  private mutating func takeLong(_ pages: Int) -> PageNumber? {
    pages > 0 ? takeLong(pages) { _ in true } : nil
  }

  /// Whether runs of so many pages lie in stacks.
  @inline(__always)
  private func isStacked(_ pages: Int) -> Bool {
    UInt(bitPattern: pages &- 1) < UInt(Self.longestStacked)
  }

  /// Notes a run as handed out, and leaves.
  @inline(__always)
  private mutating func noteAndLeave(_ page: PageNumber, _ pages: Int) -> UInt {
    front.runs.setFirstByte(page, pages)
    front.leave()
    return front.address(of: page)
  }

  @inline(__always)
  fileprivate mutating func putBack(
    _ page: PageNumber, _ pages: Int, as kind: RunKind
  ) -> Bool {
    // What says in the table that a run is longer may look like a length. No pages are no
    // run, though the table says 0 wherever none starts.
    guard isStacked(pages) else {
      return front.runs.isLongRun(page, pages) && putLongBack(page, pages, as: kind)
    }
    guard put(front.address(of: page), pages, as: kind) else { return false }
    front.runs.setByte(page, 0)
    front.leave()
    return true
  }

  /// Takes a run of more than 127 pages back, and leaves; or stays inside.
  @inline(__always)
  fileprivate mutating func putLongBack(
    _ page: PageNumber, _ pages: Int, as kind: RunKind
  ) -> Bool {
    guard putLong(page, pages) else { return false }
    front.runs.setByte(page, 0)
    count(coldFrees: 1)
    front.countFree()
    // Counted last, in the order in which a fork may see it.
    if kind == .owned {
      cts_compiler_barrier()
      count(owners: -1)
    }
    front.leave()
    return true
  }

  fileprivate mutating func tellAndPutBack(
    _ page: PageNumber, _ pages: Int, as kind: RunKind
  ) -> Bool {
    if isStacked(pages) {
      tell()
      if putBack(page, pages, as: kind) { return true }
    }
    front.leave()
    return false
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
}
