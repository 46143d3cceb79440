import SysMem

// The checked mode
// ================
//
// What the arena knows of its runs beyond their length, when it is asked to. All of it lies in
// mapped memory of its own, between guard pages, and is guarded by the heap lock:
//
//   guard | counts | pages: a number a page | notes: 65,536 at the most | guard
//                      |                        ^
//                      +------------------------+
//
// A page's number names the note that tells of it last: who allocated it, and once it is freed, who
// did that. So a run may be cut, joined and freed in parts as it likes; what is left is still told
// of. Whether a number is of today is seen from the note: it names the pages that it tells of, and
// a page that another run got has got another number.
//
// Notes of freed runs stand in a list, the oldest first. Those at its end are in quarantine: out of
// the allocator's reach, behind guards. When notes run out the oldest of a freed run goes.
//
//   oldest -> note -> note -> firstQuarantined -> note -> newest

/// The notes on an arena's runs.
@safe
package struct CheckedRuns {
  // Invariant: the address of the mapping in which the three tables lie, at fixed places, and which
  // lives as long as the arena's state; not 0. One word: the arena looks at it on its slow paths,
  // to see that the mode is off.
  private let start: UnsafeRawPointer

  private var counts: MappedTable<Counts> { unsafe table(at: 0, count: 1) }
  private var numbers: MappedTable<UInt32> {
    unsafe table(at: Self.numbersOffset, count: Geometry.pageCount)
  }
  private var notes: MappedTable<RunNote> {
    unsafe table(at: Self.notesOffset, count: Self.noteCapacity)
  }

  /// The table that lies at an offset.
  @unsafe
  private func table<Element>(at offset: Int, count: Int) -> MappedTable<Element> {
    unsafe MappedTable(at: UInt(bitPattern: start) + UInt(offset), count: count)
  }

  /// What is counted, and where the lists start. A note's number is its place + 1; 0 is none.
  package struct Counts: BitwiseCopyable {
    /// Notes that were ever used.
    package var usedNotes = 0
    /// The first of those that are nobody's.
    var unused: UInt32 = 0
    /// The list of freed runs.
    var oldest: UInt32 = 0
    var firstQuarantined: UInt32 = 0
    var newest: UInt32 = 0
    /// Freed pages that the allocator does not have back: in quarantine, or on their way in or out.
    package var withheldPages = 0
    /// Those that are in quarantine.
    package var quarantinedPages = 0
    /// Pages in use that a note tells of.
    package var livePages = 0
  }

  /// The most notes: one for every run in use, and for as many freed ones as there is room.
  package static var noteCapacity: Int { 65_536 }

  private static var numbersOffset: Int { 4096 }
  private static var notesOffset: Int { numbersOffset + Geometry.pageCount * 4 }
  private static var size: UInt {
    UInt(notesOffset + noteCapacity * MemoryLayout<RunNote>.stride)
  }

  /// Maps the tables.
  ///
  /// - Parameter isPermanent: whether they are sealed, and never unmapped.
  /// - Throws: the kernel refused; nothing stays behind.
  package static func sysInit(
    _ system: SysMem, isPermanent: Bool
  ) throws(SysMemError) -> CheckedRuns {
    let address = try system.sysMapGuarded(size, isSealed: isPermanent)
    guard let start = unsafe UnsafeRawPointer(bitPattern: address) else {
      corrupted("the kernel mapped the notes at address 0")
    }
    // Just mapped and zero, which is a value of each: an unused number, a note of nothing.
    return unsafe CheckedRuns(start: start)
  }

  /// Gives the tables back.
  package func unmap(_ system: SysMem) {
    unsafe system.sysFreeGuarded(UInt(bitPattern: start), Self.size)
  }

  /// Bytes of the tables.
  static func byteCount(_ system: SysMem) -> UInt { system.roundedToPhysicalPages(size) }

  /// What is counted.
  package var figures: Counts {
    get { counts[0] }
    nonmutating set { counts[0] = newValue }
  }

  /// A note by its number.
  package subscript(number: UInt32) -> RunNote {
    get { notes[place(of: number)] }
    nonmutating _modify { yield &notes[place(of: number)] }
  }

  private func place(of number: UInt32) -> Int {
    precondition(number > 0 && Int(number) <= figures.usedNotes)
    return Int(number - 1)
  }

  /// The number of the note that tells of a page; 0 where none does.
  package func number(of page: PageNumber) -> UInt32 {
    precondition(page >= 0 && page < Geometry.pageCount)
    let number = numbers[page]
    guard number != 0, self[number].state != .none, self[number].pages.contains(page) else {
      return 0
    }
    return number
  }
}

extension CheckedRuns {
  /// The first note that tells of one of some pages, and is a certain one.
  ///
  /// - Returns: `nil` where there is none.
  /// - Complexity: O(pages), by a word each.
  package func firstNote(of pages: Range<PageNumber>, where isIt: (RunNote) -> Bool) -> RunNote? {
    var next = pages.lowerBound
    while next < pages.upperBound {
      let number = numbers[next]
      let stretch = numbers.equals(from: next, below: pages.upperBound)
      next = stretch.upperBound
      guard number != 0, !stretch.clamped(to: self[number].pages).isEmpty else { continue }
      if self[number].state != .none, isIt(self[number]) { return self[number] }
    }
    return nil
  }
}

// MARK: - What happens to runs

extension CheckedRuns {
  /// Notes that a run was handed out.
  ///
  /// - Returns: `false`, with nothing changed, where there is no note left but of runs in use or
  ///   quarantine.
  /// - Complexity: O(pages).
  package func noteAllocation(_ run: Range<PageNumber>, _ trace: Trace) -> Bool {
    guard let number = obtain() else { return false }
    // Before the note is written: it may be the one that told of these pages until now.
    forget(run)
    write(number, run, state: .inUse, trace, Trace())
    self[number].livePages = UInt32(truncatingIfNeeded: run.count)
    figures.livePages += run.count
    return true
  }

  /// Notes that a part of a run was freed, and is withheld from the allocator.
  ///
  /// - Returns: the number of the note; 0 where there is none left.
  /// - Complexity: O(pages).
  package func noteFree(_ part: Range<PageNumber>, _ trace: Trace) -> UInt32 {
    figures.withheldPages += part.count
    let old = number(of: part.lowerBound)
    let allocation = old == 0 ? Trace() : self[old].allocation
    // The notes of runs that go as a whole come free here, and are used again at once.
    forget(part)
    guard let number = obtain() else { return 0 }
    write(number, part, state: .leaving, allocation, trace)
    return number
  }

  /// Drops what is noted of pages in use, which go without a word.
  ///
  /// - Complexity: O(pages).
  package func forget(_ part: Range<PageNumber>) {
    var next = part.lowerBound
    while next < part.upperBound {
      let number = numbers[next]
      let stretch = numbers.equals(from: next, below: part.upperBound)
      next = stretch.upperBound
      guard number != 0, self[number].state == .inUse else { continue }
      let gone = stretch.clamped(to: self[number].pages)
      numbers.fill(gone, with: 0)
      self[number].livePages &-= UInt32(truncatingIfNeeded: gone.count)
      figures.livePages -= gone.count
      if self[number].livePages == 0 { drop(number) }
    }
  }

  /// Writes a note, and makes it the one that tells of its pages.
  private func write(
    _ number: UInt32, _ run: Range<PageNumber>, state: RunNote.State, _ allocation: Trace,
    _ end: Trace
  ) {
    var note = RunNote()
    note.state = state
    note.firstPage = UInt32(truncatingIfNeeded: run.lowerBound)
    note.pageCount = UInt32(truncatingIfNeeded: run.count)
    note.allocation = allocation
    note.end = end
    self[number] = note
    numbers.fill(run, with: number)
  }

  /// A note that is nobody's, or the oldest of a freed run that has left the quarantine.
  private func obtain() -> UInt32? {
    let unused = figures.unused
    if unused != 0 {
      figures.unused = self[unused].next
      return unused
    }
    if figures.usedNotes < Self.noteCapacity {
      figures.usedNotes += 1
      return UInt32(figures.usedNotes)
    }
    let oldest = figures.oldest
    if oldest == 0 || oldest == figures.firstQuarantined { return nil }
    figures.oldest = self[oldest].next
    if figures.oldest == 0 { figures.newest = 0 }
    return oldest
  }

  private func drop(_ number: UInt32) {
    self[number].state = .none
    self[number].next = figures.unused
    figures.unused = number
  }
}

// MARK: - The quarantine

extension CheckedRuns {
  /// Puts a freed run at the end of the quarantine.
  package func enqueue(_ number: UInt32, behind fence: RunNote.Fence, isZero: Bool) {
    self[number].state = .quarantined
    self[number].fence = fence
    self[number].isZero = isZero
    self[number].next = 0
    if figures.newest == 0 { figures.oldest = number }
    if figures.newest != 0 { self[figures.newest].next = number }
    figures.newest = number
    if figures.firstQuarantined == 0 { figures.firstQuarantined = number }
    figures.quarantinedPages += Int(self[number].pageCount)
  }

  /// Takes the oldest run out of the quarantine, if that holds more than so many pages.
  ///
  /// Its pages stay withheld; its note stays, for as long as there are others.
  package func dequeue(beyond pageLimit: Int) -> RunNote? {
    let number = figures.firstQuarantined
    if number == 0 || figures.quarantinedPages <= pageLimit { return nil }
    self[number].state = .free
    let note = self[number]
    figures.firstQuarantined = note.next
    figures.quarantinedPages -= Int(note.pageCount)
    return note
  }
}
