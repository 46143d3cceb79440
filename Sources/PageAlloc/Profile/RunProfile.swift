import CDiagnosis
import CSysMem
import SysMem

// The profile of an arena
// =======================
//
// Who holds what, found out by samples. Think of points strewn over all bytes that are ever handed
// out, one every `distance` bytes in the mean, independent of each other: a run that is handed out
// is sampled if one of them lies in it. So a run of n bytes is sampled with the probability
//
//   p = 1 - exp(-n / distance)
//
// whoever takes it, and whatever came before; and it stands for 1 / p runs like it. Where the
// points come so fast that their back-traces would take more than a hundredth of the time, the
// distance doubles, and halves again when there is time; each sample remembers the distance by
// which it was made. That the distance depends on what was sampled before does not matter: each
// point is as good as any other.
//
// All of it is one table of words in mapped memory, which threads change without a lock:
//
//   head | a word a page: of the run that starts there | sites: who allocated runs, each once
//
// A run that was sampled has another byte in the run table than others of its length (RunTable), so
// that its free goes by the longer way; a page's word here counts as long as that byte is there.

/// The samples of an arena's runs.
package struct RunProfile: Sendable {
  let words: WordTable
  /// The mean distance of samples in bytes, where there is time for so many.
  package let distance: Int

  /// The limits of the distance: a byte, which samples all runs, and 1 TiB.
  package static var distances: ClosedRange<Int> {
    1...Int(truncatingIfNeeded: min(1 << 40, UInt64(Int.max)))
  }
  /// The most calls of a back-trace.
  static var depth: Int { 32 }
  /// The most sites; what comes besides is counted as one without a back-trace.
  package static var siteCapacity: Int { 8192 }
  /// By how many doublings the distance grows at the most.
  private static var mostDoublings: Int { 20 }

  // The head.
  private static var random: Int { 0 }
  private static var doublings: Int { 1 }
  private static var lastEnd: Int { 2 }
  private static var isFixed: Int { 3 }
  private static var process: Int { 4 }
  private static var pathByteCount: Int { 15 }
  private static var path: Int { 16 }
  private static var bytesPerWord: Int { MemoryLayout<UInt>.size }
  private static var pages: Int { path + 4096 / bytesPerWord }
  /// Where the sites start: the first is for runs that have found no place elsewhere.
  static var sites: Int { pages + Geometry.pageCount }
  // Of each site: what it is made of, how many calls, counts, and the calls.
  private static var state: Int { 0 }
  private static var callCount: Int { 1 }
  static var allocations: Int { 2 }
  static var allocatedBytes: Int { 3 }
  private static var calls: Int { 4 }
  static var wordsPerSite: Int { calls + depth }

  /// Whether runs can be sampled here: there must be back-traces, and words of 64 bits.
  package static var isSupported: Bool {
    #if arch(x86_64)
      true
    #else
      false
    #endif
  }

  /// Maps the table.
  ///
  /// - Parameters:
  ///   - distance: in the limits.
  ///   - file: where the profile is to be written at the end; no text for nowhere.
  ///   - seed: has the same calls have the same samples, and keeps the distance: for a check.
  package static func make(
    distance: Int, file: borrowing SmallText, seed: UInt?, from system: SysMem
  ) throws(SysMemError) -> RunProfile {
    let words = try WordTable(
      count: sites + siteCapacity * wordsPerSite, from: system)
    words.store(random, seed ?? UInt(truncatingIfNeeded: Moment.now.nanoseconds))
    words.store(isFixed, seed == nil ? 0 : 1)
    words.store(process, UInt(csm_process()))
    words.store(pathByteCount, UInt(file.count))
    for index in 0..<file.count {
      let word = path + index / bytesPerWord
      words.store(
        word, words.load(word) | UInt(file[index]) << UInt(index % bytesPerWord * 8))
    }
    // The first trace may have to load what unwinds.
    var some = BoundedArray<UInt, 4>(filler: 0)
    unsafe some.append { unsafe cdg_trace($0.baseAddress, $0.count) }
    return RunProfile(words: words, distance: distance)
  }

  /// Bytes of the table, of which few are written to.
  func byteCount(_ system: SysMem) -> UInt { WordTable.byteCount(words.count, system) }

  /// Gives the memory back.
  package func unmap(from system: SysMem) { words.unmap(from: system) }

  /// Where the profile is to be written at the end; `nil` for nowhere: in a child of a fork, whose
  /// file is its parent's, too.
  func endFile() -> SmallText? {
    let count = Int(words.load(Self.pathByteCount))
    if count == 0 || words.load(Self.process) != UInt(csm_process()) { return nil }
    var text = SmallText()
    for index in 0..<count {
      let word = words.load(Self.path + index / Self.bytesPerWord)
      text.append(
        byte: UInt8(truncatingIfNeeded: word >> UInt(index % Self.bytesPerWord * 8)))
    }
    return text
  }

  private func nextRandom() -> UInt64 {
    Chance.scramble(UInt64(words.add(Self.random, 1)))
  }
}

// MARK: - Chances

extension RunProfile {
  /// How often the distance is doubled now.
  package var doublings: Int { Int(bitPattern: words.load(Self.doublings)) }

  /// Distances that lie in so many pages.
  private func distances(in pages: Int, _ doublings: Int) -> Double {
    Double(pages << Geometry.pageShift) / Double(distance)
      / Double(UInt64(1) << UInt64(doublings))
  }

  /// How likely it is that a run of so many pages is sampled.
  package func chance(of pages: Int, _ doublings: Int) -> Double {
    Chance.ofHit(distances(in: pages, doublings))
  }

  /// How many whole pages lie before the next point.
  func nextGap(_ doublings: Int) -> Int {
    let gap = -Chance.logarithm(Chance.fraction(nextRandom())) / distances(in: 1, doublings)
    return Int(min(gap, 0x1p40))
  }

  /// Notes a run that was handed out by the heap lock, if chance has it sampled.
  @inline(never)
  package func noteTaken(_ page: PageNumber, _ pages: Int, in runs: RunTable) {
    let doublings = self.doublings
    if Chance.fraction(nextRandom()) <= chance(of: pages, doublings) {
      sample(page, pages, doublings, in: runs)
    }
  }
}

// MARK: - Samples

extension RunProfile {
  /// Notes a run of the caller's as a sample.
  ///
  /// - Parameter doublings: how often the distance was doubled when it was decided.
  @inline(never)
  package func sample(_ page: PageNumber, _ pages: Int, _ doublings: Int, in runs: RunTable) {
    let start = Moment.now
    var calls = BoundedArray<UInt, 32>(filler: 0)
    // As many words as are said.
    unsafe calls.append { unsafe cdg_trace($0.baseAddress, $0.count) }
    let site = site(of: calls)
    keep(Sample(site: site, pages: pages, doublings: doublings), page, pages, in: runs)
    let weight = 1 / chance(of: pages, doublings)
    let place = Self.place(of: site)
    words.add(place + Self.allocations, UInt(weight * Self.scale))
    words.add(
      place + Self.allocatedBytes, UInt(weight * Double(pages << Geometry.pageShift)))
    noteTime(from: start)
  }

  /// In what the counts of runs are kept: 1,024ths.
  static var scale: Double { 1024 }

  /// What a run's sample was; `nil` where it was none.
  func sample(at page: PageNumber, in runs: RunTable) -> Sample? {
    guard runs.isSampled(page) else { return nil }
    let word = words.load(Self.pages + page)
    return word == 0 ? nil : Sample(word: word)
  }

  /// Makes what a run, or a part of one, has become a sample as it was before.
  func keep(_ sample: Sample, _ page: PageNumber, _ pages: Int, in runs: RunTable) {
    words.store(Self.pages + page, sample.word)
    runs.setSampled(page, pages)
  }

  /// Calls `body` with each page for which there is, or was, a sample.
  func forEachPage(_ body: (PageNumber) -> Void) {
    for page in 0..<Geometry.pageCount where words.load(Self.pages + page) != 0 { body(page) }
  }

  /// Keeps to a hundredth of the time: sets the distance by what a sample took, and when the last
  /// one was.
  private func noteTime(from start: Moment) {
    if words.load(Self.isFixed) != 0 { return }
    let end = Moment.now
    // Who was preempted has taken no longer than that.
    let cost = min(end.elapsed(since: start), 50_000)
    let last = Moment(nanoseconds: UInt64(words.load(Self.lastEnd)))
    let pause = start.elapsed(since: last)
    words.store(Self.lastEnd, UInt(truncatingIfNeeded: end.nanoseconds))
    let doublings = self.doublings
    if pause < 128 * cost {
      if doublings < Self.mostDoublings { words.store(Self.doublings, UInt(doublings + 1)) }
    } else if pause > 1024 * cost, doublings > 0 {
      words.store(Self.doublings, UInt(doublings - 1))
    }
  }
}

/// What is known of a run that was sampled.
struct Sample {
  /// The number of the site.
  let site: Int
  /// How many pages the run had.
  let pages: Int
  /// How often the distance was doubled.
  let doublings: Int

  init(site: Int, pages: Int, doublings: Int) {
    self.site = site
    self.pages = pages
    self.doublings = doublings
  }

  init(word: UInt) {
    let word = UInt64(word)
    site = Int(word & 0xFFFF)
    pages = Int(word >> 16 & 0xF_FFFF)
    doublings = Int(word >> 40)
  }

  /// Never 0, since a run has pages.
  var word: UInt {
    UInt(
      truncatingIfNeeded: UInt64(site) | UInt64(pages) << 16 | UInt64(doublings) << 40)
  }
}

// MARK: - Sites

extension RunProfile {
  static func place(of site: Int) -> Int { sites + site * wordsPerSite }

  /// The calls of a site, innermost first.
  func calls(of site: Int) -> BoundedArray<UInt, 32> {
    var calls = BoundedArray<UInt, 32>(filler: 0)
    let place = Self.place(of: site)
    for index in 0..<min(Self.depth, Int(words.load(place + Self.callCount))) {
      calls.append(words.load(place + Self.calls + index))
    }
    return calls
  }

  /// Whether there is such a site.
  func isSite(_ site: Int) -> Bool {
    site == 0 || words.load(Self.place(of: site) + Self.state) > 1
  }

  /// The number of the site of a back-trace, which may be new.
  private func site(of calls: BoundedArray<UInt, 32>) -> Int {
    var hash: UInt64 = 0
    for index in 0..<calls.count { hash = Chance.scramble(hash ^ UInt64(calls[index])) }
    // Above the states 0, nobody's, and 1, somebody is about to write it. Two threads may write the
    // same at once: then it is there twice.
    let mark = UInt(truncatingIfNeeded: hash) | 2
    var site = Int(hash >> 32) & (Self.siteCapacity - 1)
    for _ in 0..<64 {
      let place = Self.place(of: site)
      if site != 0 {
        let state = words.load(place + Self.state)
        if state == mark, isSite(at: place, calls) { return site }
        if state == 0, words.claim(place + Self.state, 1) {
          words.store(place + Self.callCount, UInt(calls.count))
          for index in 0..<calls.count { words.store(place + Self.calls + index, calls[index]) }
          words.store(place + Self.state, mark)
          return site
        }
      }
      site = (site + 1) & (Self.siteCapacity - 1)
    }
    return 0
  }

  private func isSite(at place: Int, _ calls: BoundedArray<UInt, 32>) -> Bool {
    guard Int(words.load(place + Self.callCount)) == calls.count else { return false }
    for index in 0..<calls.count where words.load(place + Self.calls + index) != calls[index] {
      return false
    }
    return true
  }
}
