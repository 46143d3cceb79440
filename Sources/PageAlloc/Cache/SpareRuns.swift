// Long runs at hand
// =================
//
// What is too long for a thread's cache, the arena keeps whole for whoever asks for just as much next: to
// give 1 GiB back page by page and take it again costs thousands of words of bitmaps and summaries. To
// the allocator such a run is in use; it is nobody's. It counts as free, as what threads keep at hand, and
// goes back with that, and whenever memory would be used instead that nobody has touched yet.

/// The runs of more than 127 pages that were freed last. Guarded by the heap lock.
struct SpareRuns {
  private var runs = InlineArray<16, Spare>(repeating: Spare(page: 0, pageCount: 0))
  /// How many there are; the one freed last comes last.
  private(set) var count = 0
  /// The pages of all.
  private(set) var pageCount = 0

  private struct Spare {
    var page: Int
    var pageCount: Int
  }

  /// The pages of the longest.
  var longest: Int {
    var longest = 0
    for index in 0..<count { longest = unsafe max(longest, runs[unchecked: index].pageCount) }
    return longest
  }

  /// There is no run more to be kept.
  var isFull: Bool { count == 16 }

  /// Takes the run of just so many pages, at a multiple of an alignment, that was freed last.
  mutating func take(_ pages: Int, _ alignment: PageAllocator.Alignment) -> PageNumber? {
    var index = count
    while index > 0 {
      index &-= 1
      // 0 ..< count; so below. A checked access would copy the whole array to read from it.
      let spare = unsafe runs[unchecked: index]
      if spare.pageCount == pages, alignment.roundUp(spare.page) == spare.page {
        return remove(at: index).page
      }
    }
    return nil
  }

  /// Takes the run that was freed first.
  ///
  /// - Precondition: there is one.
  mutating func takeOldest() -> Range<PageNumber> {
    precondition(count > 0, "no run is kept")
    let spare = remove(at: 0)
    return spare.page..<(spare.page &+ spare.pageCount)
  }

  /// Keeps a run.
  ///
  /// - Precondition: not full.
  mutating func put(_ page: PageNumber, _ pages: Int) {
    precondition(!isFull, "too many runs are kept")
    unsafe runs[unchecked: count] = Spare(page: page, pageCount: pages)
    count &+= 1
    pageCount &+= pages
  }

  private mutating func remove(at index: Int) -> Spare {
    let spare = unsafe runs[unchecked: index]
    count &-= 1
    pageCount &-= spare.pageCount
    var place = index
    while place < count {
      unsafe runs[unchecked: place] = runs[unchecked: place &+ 1]
      place &+= 1
    }
    return spare
  }
}

// MARK: - Call with `heap` held

extension ArenaState {
  /// Keeps a whole run that is nobody's; older ones give way to it.
  ///
  /// All together they are a quarter of what is in use at the most, or one run.
  mutating func keepSpare(_ page: PageNumber, _ pages: Int) {
    let bound = (inUsePages &- spares.pageCount) / 4
    while spares.count > 0, spares.isFull || spares.pageCount &+ pages > bound {
      giveBackSpare()
    }
    spares.put(page, pages)
  }

  /// Gives all of them back to the allocator, and what is passed on.
  mutating func giveBackSpares() {
    while spares.count > 0 { giveBackSpare() }
    giveBackAllPassed()
  }

  private mutating func giveBackSpare() {
    let run = spares.takeOldest()
    allocator.free(run.lowerBound, run.count)
    inUsePages &-= run.count
  }
}
