import Synchronization

// Who got what
// ============
//
// One byte a page says how long the run is that starts there:
//
//   0           no run that belongs to anybody starts here
//   1 ... 127   a run of so many pages
//   128         a longer one: its length stands in the next four bytes, six bits in each
//   129 ... 148 a guard, of 1, 2, 4 ... pages: an owner's, but nobody can free it by itself
//   149 ... 152 a run that the profile has a sample of: of one page; of up to 63, or up to 127,
//               whose low six bits stand in the next byte; a longer one, as 128 tells it
//   153 ... 172 a guard, as 129 and what follows, of a run that was set apart and is sampled
//   192 ... 255 one of those four, or what is left of a run that is nobody's any more
//
// The table is what a free is checked against. The bytes of a run are written by the thread that
// hands it out or frees it, which is the only one entitled to, so a check by the run's rightful
// owner needs no lock; every access is an atomic one of relaxed ordering, which costs nothing and
// lets others look. Runs in a cache are nobody's: their bytes are 0, and a second free is noticed.
//
// Behind the bytes stands where long runs start (LongStarts), so that the run that any page lies in
// is found at once, and which pages are decommitted. Only these parts are the heap lock's.

/// The length of every run that was handed out, by its first page.
@usableFromInline
@safe
package struct RunTable {
  // Invariant: readable and writable for all pages of the space, and for what follows.
  @usableFromInline let bytes: UnsafeMutableRawPointer

  /// Bytes of the whole table.
  package static let byteCount =
    Geometry.pageCount + LongStarts.byteCount + DecommittedPages.byteCount
  /// Bytes a chunk.
  static let bytesPerChunk = Geometry.pagesPerChunk

  /// Where the bits of long runs' starts lie behind a table, and where their places and the bits of
  /// decommitted pages begin.
  static func longStartBits(from table: UInt) -> Range<UInt> {
    let start = table + UInt(Geometry.pageCount)
    return start..<(start + UInt(LongStarts.bitsByteCount))
  }
  static func longStartPlaces(from table: UInt) -> UInt { longStartBits(from: table).upperBound }
  static func decommittedBits(from table: UInt) -> UInt {
    table + UInt(Geometry.pageCount + LongStarts.byteCount)
  }
  /// The longest run that one byte can tell.
  package static var longestShort: Int { 127 }

  private static var long: UInt8 { 128 }
  private static var guards: UInt8 { 129 }
  private static var sampledPage: UInt8 { 149 }
  private static var sampledShort: UInt8 { 150 }
  private static var sampledLong: UInt8 { 152 }
  private static var sampledGuards: UInt8 { 153 }
  private static var digit: UInt8 { 192 }

  /// A table in `storage`, zero at first.
  package init(storage: UnsafeMutableRawPointer) { unsafe bytes = storage }

  /// The byte of a page: a run of up to 127 pages is told by its length.
  @inlinable @inline(__always)
  package func byte(_ page: Int) -> UInt8 {
    // In the table: callers have a page number below the number of pages.
    cell(page).value
  }

  /// Whether a run that belongs to somebody starts at a page, or a guard.
  package func isStart(_ page: PageNumber) -> Bool { byte(page) &- 1 < Self.digit &- 1 }

  /// Notes a run of at most 127 pages; 0 for none.
  @inlinable @inline(__always)
  package func setByte(_ page: Int, _ value: UInt8) {
    // In the table, and writable, since the page is grown.
    cell(page).set(value)
  }

  /// The length of the run that starts at a page; 0 for none.
  @inline(__always)
  package func length(_ page: PageNumber) -> Int {
    let short = byte(page)
    if short < Self.long { return Int(short) }
    return short == Self.long ? longLength(page) : sampledLength(page, short)
  }

  /// Whether a run of so many pages, more than 127, starts at a page.
  @inline(__always)
  func isLongRun(_ page: PageNumber, _ pageCount: Int) -> Bool {
    byte(page) == Self.long && digits(page) == pageCount
  }

  /// Notes that a run starts at a page. Under the heap lock, as is all that may end a long run.
  @inline(__always)
  package func setLength(_ page: PageNumber, _ pageCount: Int) {
    if pageCount <= Self.longestShort {
      setByte(page, UInt8(truncatingIfNeeded: pageCount))
    } else {
      setLongLength(page, pageCount)
    }
  }

  /// The length of the run or the guard that starts at a page; 0 for none.
  package func extent(_ page: PageNumber) -> Int { extentAndKind(page).pages }

  /// The same, and whether it is a guard, at one look: owners change the byte without a lock.
  package func extentAndKind(_ page: PageNumber) -> (pages: Int, isGuard: Bool) {
    let first = byte(page)
    if first < Self.long { return (Int(first), false) }
    if first == Self.long { return (longLength(page), false) }
    if first >= Self.digit { return (0, false) }
    if first >= Self.sampledGuards { return (1 &<< Int(first &- Self.sampledGuards), true) }
    if Self.isSampled(first) { return (sampledLength(page, first), false) }
    return (1 &<< Int(first &- Self.guards), true)
  }

  /// Notes that a guard starts at a page, in place of a run.
  ///
  /// - Parameter pageCount: a power of two.
  package func setGuard(_ page: PageNumber, _ pageCount: Int) {
    setByte(page, Self.guards &+ UInt8(truncatingIfNeeded: pageCount.trailingZeroBitCount))
  }

  /// Notes that a run starts at a page that was the start of one as long before: if that was a long
  /// one, what tells its length is still there.
  @inline(__always)
  package func setFirstByte(_ page: PageNumber, _ pageCount: Int) {
    setByte(page, UInt8(truncatingIfNeeded: min(pageCount, Int(Self.long))))
  }

  /// Notes that the run at a page is nobody's any more.
  @inline(__always)
  package func clear(_ page: PageNumber) {
    let first = byte(page)
    if first == Self.long || first == Self.sampledLong {
      clearLong(page)
    } else if first > Self.sampledPage, first < Self.sampledLong {
      setByte(page &+ 1, 0)
    }
    setByte(page, 0)
  }

  /// Notes that a run which was nobody's already, since a cache or the depot had it, is free.
  @inline(__always)
  package func forget(_ page: PageNumber, _ pageCount: Int) {
    if pageCount > Self.longestShort { longStarts.remove(page) }
  }

  /// The run that a page belongs to; `nil` where it belongs to none.
  ///
  /// - Parameter lowest: no run starts below this page.
  /// - Complexity: O(1), a look at 127 bytes at the most; long runs that caches hold right below
  ///   the page are walked over.
  package func run(around page: PageNumber, lowest: PageNumber) -> Range<PageNumber>? {
    if let run = longRun(around: page) { return run.lowerBound < lowest ? nil : run }
    var start = page
    let last = max(lowest, page &- Self.longestShort &+ 1)
    while start >= last {
      let count = length(start)
      if count != 0 { return page < start &+ count ? start..<(start &+ count) : nil }
      start &-= 1
    }
    return nil
  }

  /// The run of more than 127 pages that a page belongs to.
  private func longRun(around page: PageNumber) -> Range<PageNumber>? {
    var position = page
    while let start = longStarts.last(upTo: position) {
      // What is nobody's now lies in a cache; or else it is the nearest one, and decides.
      let first = byte(start)
      if first == Self.long || first == Self.sampledLong {
        let end = start &+ longLength(start)
        return page < end ? start..<end : nil
      }
      position = start &- 1
    }
    return nil
  }

  /// Whether the run that starts at a page is one that the profile has a sample of.
  @inline(__always)
  package func isSampled(_ page: PageNumber) -> Bool { Self.isSampled(byte(page)) }

  @inline(__always)
  private static func isSampled(_ first: UInt8) -> Bool {
    first &- sampledPage < sampledGuards &- guards
  }

  /// Notes that there is a sample of the run at a page, or of that of which a guard there is a
  /// part. For its owner, or under the heap lock.
  ///
  /// - Parameter pageCount: its length, which the table has.
  package func setSampled(_ page: PageNumber, _ pageCount: Int) {
    let power = byte(page) &- Self.guards
    if power < Self.sampledPage &- Self.guards { return setByte(page, Self.sampledGuards &+ power) }
    if pageCount > Self.longestShort { return setByte(page, Self.sampledLong) }
    if pageCount == 1 { return setByte(page, Self.sampledPage) }
    let length = UInt8(truncatingIfNeeded: pageCount)
    setByte(page &+ 1, Self.digit | (length & 63))
    setByte(page, Self.sampledShort &+ length &>> 6)
  }

  @inline(never)
  private func sampledLength(_ page: PageNumber, _ first: UInt8) -> Int {
    switch first {
    case Self.sampledPage: 1
    case Self.sampledLong: digits(page)
    case Self.sampledShort, Self.sampledShort &+ 1:
      Int(first &- Self.sampledShort) &<< 6 | Int(byte(page &+ 1) & 63)
    default: 0
    }
  }

  private var longStarts: LongStarts {
    // Behind the bytes of all pages; their number is a multiple of a word.
    unsafe LongStarts(at: Self.longStartBits(from: UInt(bitPattern: bytes)).lowerBound)
  }

  @inline(never)
  private func longLength(_ page: PageNumber) -> Int { digits(page) }

  @inline(__always)
  private func digits(_ page: PageNumber) -> Int {
    var length = 0
    for index in 1...4 { length = length &<< 6 | Int(byte(page &+ index) & 63) }
    return length
  }

  @inline(never)
  private func setLongLength(_ page: PageNumber, _ pageCount: Int) {
    for index in 1...4 {
      let bits = UInt8(truncatingIfNeeded: pageCount &>> (24 &- 6 &* index)) & 63
      setByte(page &+ index, Self.digit | bits)
    }
    setByte(page, Self.long)
    longStarts.insert(page)
  }

  @inline(never)
  private func clearLong(_ page: PageNumber) {
    for index in 1...4 { setByte(page &+ index, 0) }
    longStarts.remove(page)
  }

  /// The pages in use that nobody can access, since nothing backs them. Under the heap lock.
  package var decommitted: DecommittedPages {
    // Behind that, which is a multiple of a word, too.
    unsafe DecommittedPages(at: Self.decommittedBits(from: UInt(bitPattern: bytes)))
  }

  /// Where the byte of a page lies.
  @inlinable @inline(__always)
  func cell(_ page: Int) -> RunCell {
    assert(page >= 0 && page < Geometry.pageCount)
    // In the table, by the assertion.
    return unsafe RunCell(bytes + page)
  }

  /// The table of a space that starts at an address, by addresses.
  func cells(from base: UInt) -> RunCells {
    RunCells(origin: unsafe UInt(bitPattern: bytes) &- PageSpace.pageFromZero(at: base))
  }
}

/// The byte of a page. The table it is in lives as long as its arena.
@usableFromInline
@safe
struct RunCell {
  // Invariant: in the table, whose bytes are accessed as atomic ones only.
  @usableFromInline let byte: UnsafeMutablePointer<Atomic<UInt8>>

  @inlinable @inline(__always)
  init(_ byte: UnsafeMutableRawPointer) {
    unsafe self.byte = byte.assumingMemoryBound(to: Atomic<UInt8>.self)
  }

  @inlinable @inline(__always)
  var value: UInt8 { unsafe byte.pointee.load(ordering: .relaxed) }

  @inlinable @inline(__always)
  func set(_ value: UInt8) { unsafe byte.pointee.store(value, ordering: .relaxed) }
}

/// The bytes of a table by addresses: one step fewer than by pages.
@usableFromInline
struct RunCells {
  /// Where the byte of the page at address 0 would lie.
  @usableFromInline let origin: UInt

  init(origin: UInt) { self.origin = origin }

  /// The byte of the page at an address of the arena's.
  @inlinable @inline(__always)
  subscript(address: UInt) -> RunCell {
    let byte = origin &+ PageSpace.pageFromZero(at: address)
    // In the table, since the address is the arena's.
    return unsafe RunCell(UnsafeMutableRawPointer(bitPattern: byte).unsafelyUnwrapped)
  }
}
