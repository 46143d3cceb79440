import CPageAlloc
import CSysMem
import PageAlloc
import SysMem

// The runs of an arena that are not plain memory
// ==============================================
//
//   a run of C's      | segment         | segment | segment              |
//   its access        | read and write  | none    | read and write       |
//   each segment      a PageRun, set apart, so that the arena gives it to nobody
//
// A run gets here when a part of it is protected, or advised about huge pages, and leaves when all
// of it may be read and written again, or when it is freed; its owners make it plain then. What was
// advised stays here until it is freed. A free by the short way never finds it: to the arena it is
// guards.
//
// All of it is for who has the door's turn. Where a segment starts, a bit says so, and its slot has
// the owner; where a run of C's starts, another bit does, and the slot knows how long it is. So no
// call walks over the segments of a run, of which there may be thousands. Slots lie in address
// space that is backed as far as it is used.

/// A part of a run of C's, all of which may be used for the same, and was advised about huge pages
/// or was not.
struct Segment: ~Copyable {
  var run: PageRun
  /// What it may be used for; `nil` where the kernel refused a change of it half-way.
  var access: PageAccess?
  /// Nothing was done to it that its end must undo.
  var isPlain: Bool
  /// How many pages the run of C's has that starts here; 0 where it goes on from the segment
  /// before.
  var wholePages: Int

  init(
    run: consuming PageRun, _ access: PageAccess? = .readWrite, _ isPlain: Bool = true,
    wholePages: Int
  ) {
    self.run = run
    self.access = access
    self.isPlain = isPlain
    self.wholePages = wholePages
  }
}

/// The segments of an arena, by their first pages.
@safe
struct ApartRuns {
  // Invariant: two bits for each page, then a slot, which is initialized where the first is set.
  private let bits: UnsafeMutablePointer<UInt64>
  private let wholeBits: UnsafeMutablePointer<UInt64>
  private let slots: UnsafeMutablePointer<Segment>
  /// The address of page 0.
  let origin: UInt

  private static var pageCount: Int { 1 << 19 }
  private static var bitBytes: Int { pageCount / 8 }
  private static var byteCount: Int { 2 * bitBytes + pageCount * MemoryLayout<Segment>.stride }

  /// None, of an arena.
  ///
  /// - Throws: the kernel has no room for the table.
  init(_ arena: PageArena) throws(SysMemError) {
    let mapped = csm_mmap(0, UInt(Self.byteCount), PROT_READ | PROT_WRITE, 0, 1)
    guard mapped.error == 0, let memory = unsafe UnsafeMutableRawPointer(bitPattern: mapped.value)
    else {
      throw SysMemError(
        call: .mmap, address: 0, byteCount: UInt(Self.byteCount),
        errno: Errno(rawValue: mapped.error))
    }
    unsafe bits = memory.assumingMemoryBound(to: UInt64.self)
    unsafe wholeBits = (memory + Self.bitBytes).assumingMemoryBound(to: UInt64.self)
    unsafe slots = (memory + 2 * Self.bitBytes).assumingMemoryBound(to: Segment.self)
    origin = arena.origin
  }

  /// Frees all of them.
  func end() {
    var page = 0
    while let next = first(from: page) {
      page = next + free(next)
    }
    _ = csm_munmap(unsafe UInt(bitPattern: bits), UInt(Self.byteCount))
  }

  /// The page that an address lies in; `nil` where it is none of the arena's.
  func page(at address: UInt) -> Int? {
    let page = (address &- origin) >> 13
    return page < UInt(Self.pageCount) ? Int(page) : nil
  }

  /// The address of a page.
  func address(of page: Int) -> UInt { origin &+ UInt(page) << 13 }

  /// The segment that starts at a page.
  func segment(_ page: Int) -> UnsafeMutablePointer<Segment> { unsafe slots + page }

  /// The page at which the segment starts that a page lies in.
  ///
  /// - Complexity: O(pages of the segment / 64).
  func start(of page: Int) -> Int? {
    guard let start = unsafe last(in: bits, upTo: page) else { return nil }
    return unsafe page < start + slots[start].run.pages ? start : nil
  }

  /// The pages of the run of C's that a page lies in.
  ///
  /// - Complexity: O(pages of the run / 64).
  func run(around page: Int) -> Range<Int>? {
    guard start(of: page) != nil, let lower = unsafe last(in: wholeBits, upTo: page) else {
      return nil
    }
    return unsafe lower..<(lower + slots[lower].wholePages)
  }

  /// The last page up to one that has its bit set.
  private func last(in bits: UnsafeMutablePointer<UInt64>, upTo page: Int) -> Int? {
    var word = page >> 6
    var mask = UInt64.max >> UInt64(63 - page & 63)
    while word >= 0 {
      let found = unsafe bits[word] & mask
      if found != 0 { return word << 6 + 63 - found.leadingZeroBitCount }
      word -= 1
      mask = .max
    }
    return nil
  }

  /// Puts a segment where it lies.
  func put(_ segment: consuming Segment) {
    guard let page = page(at: segment.run.address) else { return }
    let wholePages = segment.wholePages
    unsafe (slots + page).initialize(to: segment)
    unsafe bits[page >> 6] |= 1 << UInt64(page & 63)
    if wholePages > 0 { begin(page..<(page + wholePages)) }
  }

  /// A run of C's has these pages from now on; a segment starts where it does.
  func begin(_ run: Range<Int>) {
    let page = run.lowerBound
    unsafe slots[page].wholePages = run.count
    unsafe wholeBits[page >> 6] |= 1 << UInt64(page & 63)
  }

  /// Takes the segment out that starts at a page.
  func take(_ page: Int) -> Segment {
    unsafe bits[page >> 6] &= ~(1 << UInt64(page & 63))
    unsafe wholeBits[page >> 6] &= ~(1 << UInt64(page & 63))
    return unsafe (slots + page).move()
  }

  /// Frees the segment that starts at a page: it is made plain as it goes.
  ///
  /// - Returns: how many pages it had.
  func free(_ page: Int) -> Int {
    let segment = take(page)
    segment.run.rejoin()
    return segment.run.pages
  }

  /// Frees all segments that fill a range. Where one of them is not plain, fresh memory is mapped
  /// over all of them first, so that the kernel refuses all of it or nothing.
  ///
  /// - Throws: ``PageArenaError/system(_:)``; nothing has changed.
  func free(_ part: Range<Int>) throws(PageArenaError) {
    var isPlain = true
    var page = part.lowerBound
    while page < part.upperBound {
      isPlain = unsafe isPlain && slots[page].isPlain
      unsafe page += slots[page].run.pages
    }
    if !isPlain { unsafe try slots[part.lowerBound].run.replace(pages: part.count) }
    page = part.lowerBound
    while page < part.upperBound {
      if isPlain {
        page += free(page)
      } else {
        let segment = take(page)
        page += segment.run.pages
        segment.run.deallocateReplaced()
      }
    }
  }

  /// The first segment from a page on.
  private func first(from page: Int) -> Int? {
    var word = page >> 6
    var mask = UInt64.max << UInt64(page & 63)
    while word < Self.pageCount >> 6 {
      let found = unsafe bits[word] & mask
      if found != 0 { return word << 6 + found.trailingZeroBitCount }
      word += 1
      mask = .max
    }
    return nil
  }
}

// MARK: - Cuts

extension ApartRuns {
  /// Sees to it that a segment starts at a page, which lies in one.
  func cut(at page: Int) throws(PageArenaError) {
    guard let start = start(of: page), start != page else { return }
    let address = address(of: page)
    guard unsafe slots[start].run.canBeCut(at: page - start) else {
      throw .partOfPhysicalPage(base: address, physicalPageSize: Int(csm_page_size()))
    }
    let whole = take(start)
    let (access, isPlain, wholePages) = (whole.access, whole.isPlain, whole.wholePages)
    let run = whole.run
    run.rejoin()
    let halves = run.split(at: page - start)
    // Nobody else frees them: they were the caller's as a whole.
    _ = halves.lower.setApart()
    _ = halves.upper.setApart()
    put(Segment(run: halves.lower, access, isPlain, wholePages: wholePages))
    put(Segment(run: halves.upper, access, isPlain, wholePages: 0))
  }

  /// Joins what can be one segment, and lets go of a run that is plain memory as a whole.
  ///
  /// - Parameters:
  ///   - part: what was changed, in which or at whose ends something can be joined.
  ///   - run: the pages of the run of C's.
  /// - Complexity: O(segments in the part), where the kernel has refused nothing.
  func settle(_ part: Range<Int>, of run: Range<Int>) {
    if run.isEmpty { return }
    guard var page = start(of: part.lowerBound) else { return }
    while page > run.lowerBound, let before = start(of: page - 1), isAlike(before, page) {
      page = before
    }
    makePlain(page)
    while true {
      let next = unsafe page + slots[page].run.pages
      if next >= run.upperBound || (next >= part.upperBound && !isAlike(page, next)) { break }
      makePlain(next)
      if !join(page, next) { page = next }
    }
    page = run.lowerBound
    if unsafe slots[page].run.pages == run.count && slots[page].isPlain {
      let whole = take(page)
      whole.run.rejoin()
      // Nothing is to be undone.
      _ = unsafe try? whole.run.leak()
    }
  }

  /// Whether two segments may be used for the same, and their ends undo the same: they are one, as
  /// a rule.
  private func isAlike(_ page: Int, _ next: Int) -> Bool {
    unsafe slots[page].access == slots[next].access
      && slots[page].run.isAdvised == slots[next].run.isAdvised
  }

  /// Joins two segments, where they are alike.
  private func join(_ page: Int, _ next: Int) -> Bool {
    guard isAlike(page, next) else { return false }
    let other = take(next)
    let (access, isPlain) = (other.access, other.isPlain)
    if let run = unsafe slots[page].run.join(other.run) {
      put(Segment(run: run, access, isPlain, wholePages: 0))
      return false
    }
    _ = unsafe slots[page].run.setApart()
    return true
  }

  /// Undoes what was done to a segment that may be read and written, but for what was advised;
  /// where the kernel refuses, it stays as it is.
  private func makePlain(_ page: Int) {
    guard unsafe slots[page].access == .readWrite && !slots[page].isPlain else { return }
    unsafe slots[page].isPlain = slots[page].run.becomePlain() == nil && !slots[page].run.isAdvised
  }
}
