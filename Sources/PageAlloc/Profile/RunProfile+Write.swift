import SysMem

extension RunProfile {
  // What the samples of each site say of what is held: two words a site.
  private static var wordsPerSum: Int { 2 }

  /// Writes the profile, as ``ProfileWriter`` says. Runs that come or go meanwhile may be in it or
  /// not.
  ///
  /// - Parameter runs: what was handed out.
  /// - Throws: what the kernel refused; a part may have been written.
  package func write(
    to descriptor: Int32, runs: RunTable, _ system: SysMem
  ) throws(Errno) {
    let held: WordTable
    do throws(SysMemError) {
      held = try WordTable(count: Self.siteCapacity * Self.wordsPerSum, from: system)
    } catch { throw .outOfMemory }
    defer { held.unmap(from: system) }
    addUp(held, runs)
    var callCount = 0
    forEachSite { callCount += calls(of: $0).count }
    var writer = ProfileWriter(to: descriptor)
    try writer.begin(callCount: callCount)
    defer { writer.end() }
    forEachSite { site in
      let calls = calls(of: site)
      for index in 0..<calls.count { writer.add(call: calls[index]) }
    }
    try writer.writeHead(distance: distance)
    try forEachSite { site throws(Errno) in
      let values = values(of: site, held)
      if values[0] != 0 { try writer.write(calls: calls(of: site), values) }
    }
    try writer.flush()
  }

  private func values(of site: Int, _ held: WordTable) -> InlineArray<4, UInt> {
    let place = Self.place(of: site)
    let half = UInt(Self.scale) / 2
    return [
      (words.load(place + Self.allocations) &+ half) / UInt(Self.scale),
      words.load(place + Self.allocatedBytes),
      (held.load(site * Self.wordsPerSum) &+ half) / UInt(Self.scale),
      held.load(site * Self.wordsPerSum + 1),
    ]
  }

  /// Adds up what is held.
  private func addUp(_ held: WordTable, _ runs: RunTable) {
    forEachPage { page in
      guard let sample = sample(at: page, in: runs) else { return }
      let weight = 1 / chance(of: sample.pages, sample.doublings)
      let place = sample.site * Self.wordsPerSum
      held.add(place, UInt(weight * Self.scale))
      held.add(place + 1, UInt(weight * Double(runs.extent(page) << Geometry.pageShift)))
    }
  }

  private func forEachSite<Failure: Error>(
    _ body: (Int) throws(Failure) -> Void
  ) throws(Failure) {
    for site in 0..<Self.siteCapacity where isSite(site) { try body(site) }
  }
}
