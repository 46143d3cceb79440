import Synchronization

// Aligned runs at hand
// ====================
//
// Runs in a cache lie where they happen to lie. Who asks for a multiple of an alignment gets one
// that lies right: the hot run, or one of its own size, of which the newest are looked at; or one
// that is cut out of the smallest longer run that has one wherever it starts:
//
//   | before |  the run  | after |
//            ^ a multiple of the alignment
//
// So whoever takes and frees aligned runs gets the same ones again and again, without a lock.

extension CacheReference {
  /// Takes a run of just so many pages at a multiple of an alignment, and notes it as handed out.
  ///
  /// - Parameters:
  ///   - pages: any number.
  ///   - alignment: in bytes, any number.
  /// - Returns: `nil` where there is none, whatever was asked for, or where somebody wants all.
  @inline(__always)
  package func allocate(_ pages: Int, alignment: Int, as kind: RunKind) -> CachedRun? {
    // The cache is the caller's, and so is its memory as long.
    guard Geometry.isAlignment(alignment), front.enter() || front.enterByFence() else {
      return nil
    }
    let mask = UInt(bitPattern: alignment &- 1)
    let run = front.handOutHot(pages, mask, as: kind)
    if run == 0 { return allocateInside(pages, mask, as: kind) }
    return CachedRun(page: front.page(at: run), isZero: false)
  }

  /// The same from inside, where the hot run does not help; leaves.
  ///
  /// - Parameter mask: the bits that the address must not have.
  @inline(never)
  package func allocateInside(_ pages: Int, _ mask: UInt, as kind: RunKind) -> CachedRun? {
    // The cache is the caller's, and so is its memory as long.
    contents.allocateMore(pages, mask, as: kind)
  }
}

// MARK: - Inside. The mask has the bits of an address that must be 0.

extension RunCache {
  /// How many runs of a stack are looked at: as many as there are long runs of a level.
  private static var looks: Int { 8 }

  @inline(__always)
  fileprivate mutating func allocateMore(
    _ pages: Int, _ mask: UInt, as kind: RunKind
  ) -> CachedRun? {
    countComing(kind)
    guard let run = takeAnywhere(pages, mask) else {
      countAgain(kind)
      front.leave()
      return nil
    }
    if isToldTooMuch { tell() }
    count(coldTakes: 1)
    front.runs.setFirstByte(run.page, pages)
    let isDue = isSampleDue(pages)
    front.leave()
    if isDue { sample(run.page, pages) }
    return run
  }

  @inline(__always)
  private mutating func takeAnywhere(_ pages: Int, _ mask: UInt) -> CachedRun? {
    if UInt(bitPattern: pages &- 1) < UInt(Self.longestStacked) {
      return takeStacked(pages, mask) ?? cut(pages, mask)
    }
    if pages <= 0 { return nil }
    let base = front.base
    let page = takeLong(pages) { Geometry.address(of: $0, from: base) & mask == 0 }
    return page.map { CachedRun(page: $0, isZero: false) }
  }

  /// Takes the newest run of just so many pages that lies right; the newest of all takes its place.
  ///
  /// - Parameter pages: 1 ... 127.
  @inline(__always)
  private mutating func takeStacked(_ pages: Int, _ mask: UInt) -> CachedRun? {
    let count = count(of: pages)
    var index = Int(count)
    let oldest = max(0, index &- Self.looks)
    while index > oldest {
      index &-= 1
      // In range: a stack is 32 runs long, and the count at most that.
      let run = unsafe CachedRun(packed: runs[unchecked: pages &* Self.depth &+ index])
      if front.address(of: run.page) & mask == 0 {
        let newest = pop(pages, count)
        unsafe runs[unchecked: pages &* Self.depth &+ index] = newest
        return run
      }
    }
    return nil
  }

  /// Cuts a run that lies right out of the smallest longer one that is sure to have it.
  @inline(never)
  private mutating func cut(_ pages: Int, _ mask: UInt) -> CachedRun? {
    // The most that may come before it.
    let most = Int(bitPattern: mask >> UInt(Geometry.pageShift))
    if most == 0 { return cut(pages) }
    let longer = smallestFilled(from: pages &+ most)
    if longer == 0 { return nil }
    let count = count(of: longer)
    let run = CachedRun(packed: pop(longer, count))
    let bytesBefore = (0 &- front.address(of: run.page)) & mask
    let before = Int(bitPattern: bytesBefore >> UInt(Geometry.pageShift))
    let after = longer &- before &- pages
    guard hasRoom(before), hasRoom(after, besides: before == after ? 1 : 0) else {
      // No room for the rest: the whole run stays, and the request goes to the allocator.
      push(run, longer, count &- 1)
      charge(longer)
      return nil
    }
    let page = run.page &+ before
    if before > 0 {
      push(run, before, self.count(of: before))
      cuts.add(before)
    }
    if after > 0 {
      cuts.add(after)
      push(CachedRun(page: page &+ pages, isZero: run.isZero), after, self.count(of: after))
    }
    charge(before &+ after)
    cuts.remove(longer)
    cuts.add(pages)
    hasCut = true
    return CachedRun(page: page, isZero: run.isZero)
  }

  /// Whether the stack of a size takes a run more, besides others. That of no pages is empty.
  private func hasRoom(_ pages: Int, besides others: UInt8 = 0) -> Bool {
    count(of: pages) &+ others < Self.depth
  }
}
