import PageAlloc

// MARK: - The model

extension Storm {
  func page(_ address: UInt) -> Int {
    Int((address &- origin) / UInt(PageArena.pageSize))
  }

  /// Enters a run that was just taken: none of its pages may be anybody's.
  mutating func claim(
    _ address: UInt, _ pages: Int, _ recorder: inout Recorder
  ) -> UInt32 {
    let first = page(address)
    let owner = nextOwner
    nextOwner &+= 1
    guard first >= 0, first + pages <= owners.count else {
      recorder.fail("a run far from all others")
      return owner
    }
    for index in first..<first + pages {
      if owners[index] != 0 { recorder.fail("a page is handed out twice") }
      owners[index] = owner
    }
    inUse += pages
    return owner
  }

  mutating func release(_ address: UInt, _ pages: Int) {
    let first = page(address)
    for index in first..<first + pages { owners[index] = 0 }
    inUse -= pages
  }

  func isOwned(_ address: UInt, _ pages: Int, by owner: UInt32) -> Bool {
    let first = page(address)
    for index in first..<first + pages where owners[index] != owner { return false }
    return true
  }

  mutating func restamp(_ run: inout PageRun, _ recorder: inout Recorder) {
    let owner = claim(run.address, run.pages, &recorder)
    run.stamp(UInt64(owner) << 20)
  }

  mutating func check(
    _ run: borrowing PageRun, _ owner: UInt32, _ recorder: inout Recorder
  ) {
    recorder.expect(
      run.isStamped(UInt64(owner) << 20, pages: run.pages), "contents of an owned run")
    recorder.expect(isOwned(run.address, run.pages, by: owner), "the model knows the owner")
  }

  /// An allocation failed: rightly, when so little is free that no such run need be.
  func accept(
    _ error: PageArenaError, _ pages: Int, _ alignment: Int, _ recorder: inout Recorder
  ) {
    switch error {
    case .outOfMemory:
      recorder.expect(
        UInt.bitWidth == 32 || longestFreeRun() < pages + (alignment >> 13), error.description)
    default: recorder.fail(error.description)
    }
  }

  /// The longest stretch of nobody's pages between two of somebody's, guards not counted.
  func longestFreeRun() -> Int {
    var longest = 0
    var start = -1
    for index in 0..<owners.count where owners[index] != 0 {
      if start >= 0 { longest = max(longest, index - start - 1) }
      start = index
    }
    // Guards are in use, and not in the model: two a run.
    return longest - 4
  }

  func look(_ recorder: inout Recorder) {
    let bytes = Int(arena.statistics.inUseBytes) / PageArena.pageSize
    // Guards are in use and not in the model.
    recorder.expect(
      bytes >= inUse && bytes <= inUse + 2 * owned.count, "\(bytes) pages in use, not \(inUse)")
  }

  /// Takes an owner's number out, as `RunList` does its run. Takes any of the runs with an owner
  /// out of the model, and looks at it; `nil` where there is none.
  mutating func pick(_ recorder: inout Recorder) -> Picked? {
    if owned.count == 0 { return nil }
    let index = below(owned.count)
    ownedIds.swapAt(index, ownedIds.count - 1)
    let picked = Picked(run: owned.swapRemove(index), owner: ownedIds.removeLast())
    check(picked.run, picked.owner, &recorder)
    return picked
  }

  mutating func put(_ run: consuming PageRun, _ owner: UInt32) {
    owned.append(run)
    ownedIds.append(owner)
  }
}

/// A run, and whose it is in the model.
struct Picked: ~Copyable {
  var run: PageRun
  var owner: UInt32
}
