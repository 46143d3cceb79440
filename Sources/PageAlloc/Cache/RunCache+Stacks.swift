// The stacks of a cache: up to 32 runs of each size up to 127 pages. Only for who may touch the
// cache.

extension RunCache {
  /// Runs of a size. A checked access would copy the whole array to read from it.
  @inline(__always)
  package func count(of pages: Int) -> UInt8 {
    assert(pages >= 0 && pages <= Self.longestStacked)
    // In range, by the assertion.
    return unsafe counts[unchecked: pages]
  }

  /// Takes a run of just so many pages off its stack.
  ///
  /// - Parameter pages: 1 ... 127.
  @inline(__always)
  mutating func takeStacked(_ pages: Int) -> CachedRun? {
    let count = count(of: pages)
    return count == 0 ? nil : CachedRun(packed: pop(pages, count))
  }

  /// Puts a run on its stack.
  ///
  /// - Parameters:
  ///   - pages: 1 ... 127.
  ///   - limit: pages that the cache may hold.
  /// - Returns: `false`, with nothing changed, where there is no room.
  package mutating func stack(_ run: CachedRun, _ pages: Int, limit: Int) -> Bool {
    let count = count(of: pages)
    if chargedPages &+ pages > limit || count == Self.depth { return false }
    push(run, pages, count)
    charge(pages)
    return true
  }

  @inline(__always)
  mutating func push(_ run: CachedRun, _ pages: Int, _ count: UInt8) {
    // In range: pages is 1 ... 127 and count 0 ... 31.
    unsafe runs[unchecked: pages &* Self.depth &+ Int(count)] = run.packed
    unsafe counts[unchecked: pages] = count &+ 1
    unsafe filled[unchecked: pages &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: pages)
  }

  @inline(__always)
  mutating func pop(_ pages: Int, _ count: UInt8) -> UInt32 {
    // In range: pages is 1 ... 127 and count 1 ... 32.
    unsafe counts[unchecked: pages] = count &- 1
    charge(0 &- pages)
    return unsafe runs[unchecked: pages &* Self.depth &+ Int(count) &- 1]
  }

  /// Cuts a run off the smallest longer one.
  @inline(never)
  mutating func cut(_ pages: Int) -> CachedRun? {
    var longer = smallestFilled(from: pages &+ 1)
    if longer == 0 {
      if !stackHotRun(.raw) || !stackHotRun(.owned) { return nil }
      // The one, if it is as long as the request; or longer.
      longer = smallestFilled(from: pages)
      if longer <= pages { return longer == 0 ? nil : takeStacked(pages) }
    }
    let run = CachedRun(packed: pop(longer, count(of: longer)))
    let rest = longer &- pages
    let left = CachedRun(page: run.page &+ pages, isZero: run.isZero)
    if !stack(left, rest, limit: .max) {
      // No room for the rest: the whole run stays, and the request goes to the allocator.
      push(run, longer, count(of: longer))
      charge(longer)
      return nil
    }
    cuts.remove(longer)
    cuts.add(pages)
    cuts.add(rest)
    hasCut = true
    return run
  }

  /// The smallest size, `pages` or above, of which there is a run; 0 for none.
  @inline(__always)
  mutating func smallestFilled(from pages: Int) -> Int {
    var index = pages >> 6
    var mask: UInt64 = ~0 &<< UInt64(truncatingIfNeeded: pages & 63)
    while index < 2 {
      // 0 or 1, by the condition.
      var bits = unsafe filled[unchecked: index] & mask
      while bits != 0 {
        let size = index << 6 | bits.trailingZeroBitCount
        if count(of: size) != 0 { return size }
        let lowest = bits & (0 &- bits)
        unsafe filled[unchecked: index] &= ~lowest
        bits &= ~lowest
      }
      mask = ~0
      index += 1
    }
    return 0
  }

  /// The largest size, `pages` or below, of which there is a run; 0 for none.
  ///
  /// - Parameter pages: 0 ... 127.
  @inline(__always)
  private mutating func largestFilled(upTo pages: Int) -> Int {
    var index = pages >> 6
    var mask: UInt64 = ~0 &>> UInt64(truncatingIfNeeded: 63 &- pages & 63)
    while index >= 0 {
      // 1 or 0, by the condition.
      var bits = unsafe filled[unchecked: index] & mask
      while bits != 0 {
        let size = index << 6 | (63 &- bits.leadingZeroBitCount)
        if count(of: size) != 0 { return size }
        let highest: UInt64 = 1 &<< UInt64(truncatingIfNeeded: size)
        unsafe filled[unchecked: index] &= ~highest
        bits &= ~highest
      }
      mask = ~0
      index -= 1
    }
    return 0
  }
}

// MARK: - Many runs at once

extension RunCache {
  /// Takes runs out of the stacks until at most `target` pages of room are taken: half of each
  /// stack, the longest runs first, and again, so that there are some of all sizes left.
  package mutating func drainStacks(
    to target: Int, _ body: (_ page: PageNumber, _ pages: Int) -> Void
  ) {
    var isAny = true
    while isAny, chargedPages > target {
      isAny = false
      var pages = largestFilled(upTo: Self.longestStacked)
      while pages > 0, chargedPages > target {
        drain(stack: pages, to: Int(count(of: pages)) / 2, body)
        isAny = true
        pages = largestFilled(upTo: pages &- 1)
      }
    }
  }

  /// Takes runs of the hot runs' sizes out, so that each finds half of its stack free when it goes
  /// there.
  ///
  /// - Parameter pages: the size of the run that is to come, which goes to its stack at once where
  ///   none is to be the hot one.
  package mutating func halveStacks(
    for pages: Int, _ body: (_ page: PageNumber, _ pages: Int) -> Void
  ) {
    if profile != nil { return drain(stack: pages, to: Self.depth / 2, body) }
    drain(stack: front.hotPages(.raw), to: Self.depth / 2, body)
    drain(stack: front.hotPages(.owned), to: Self.depth / 2, body)
  }

  /// How long the run is that goes to its stack when another one comes.
  ///
  /// - Parameter pages: of the other one.
  package func nextStacked(_ kind: RunKind, for pages: Int) -> Int {
    profile != nil ? (kind == .raw ? pages : 0) : front.hotPages(kind)
  }

  /// Takes runs of one size out until at most `target` runs of it are left.
  ///
  /// - Parameter pages: 1 ... 127.
  private mutating func drain(
    stack pages: Int, to target: Int, _ body: (_ page: PageNumber, _ pages: Int) -> Void
  ) {
    while Int(count(of: pages)) > target {
      body(CachedRun(packed: pop(pages, count(of: pages))).page, pages)
    }
  }
}
