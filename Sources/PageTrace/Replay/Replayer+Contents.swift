import PageAlloc

/// Writing pages, and checking what was written.
extension Replayer {
  /// Writes the pattern into pages of a run.
  mutating func write(_ run: UInt32, _ pages: Range<UInt32>, _ base: UInt) {
    if options.checking == .nothing { return }
    for page in pages {
      let seed = ReplayPattern.seed(run: run, page: page)
      // Invariant: the page is given out to this run, whole and writable.
      let words = unsafe wordsOfPage(page, base)
      switch options.checking {
      case .everyByte: unsafe ReplayPattern.fill(words, seed: seed)
      case .oneWord: unsafe words.pointee = seed
      case .nothing: break
      }
    }
    report.bytesWritten += UInt64(pages.count) * bytesPerPage
  }

  /// Checks that pages of a run hold what was written.
  mutating func check(
    _ run: UInt32, _ pages: Range<UInt32>, _ base: UInt
  ) throws(ReplayError) {
    if options.checking == .nothing { return }
    for page in pages {
      let seed = ReplayPattern.seed(run: run, page: page)
      // Invariant: the page is given out to this run and was written.
      let words = unsafe wordsOfPage(page, base)
      let wrong: Int? =
        switch options.checking {
        case .everyByte: unsafe ReplayPattern.firstDifference(words, seed: seed)
        case .oneWord: unsafe words.pointee == seed ? nil : 0
        case .nothing: nil
        }
      if let wrong {
        let found = unsafe words[wrong]
        throw failure(
          "page \(page) of run \(run) lost its contents: byte \(wrong * 8) and the seven after it "
            + "hold \(hex(found)), \(hex(ReplayPattern.word(wrong, seed: seed))) was written")
      }
    }
    report.bytesChecked += UInt64(pages.count) * bytesPerPage
  }

  /// How much of a page is written and checked.
  private var bytesPerPage: UInt64 {
    options.checking == .everyByte ? PageSpace.byteCount(of: 1) : 8
  }

  @unsafe @inline(__always)
  private func wordsOfPage(_ page: UInt32, _ base: UInt) -> UnsafeMutablePointer<UInt64> {
    // Invariant: `base` is the page-aligned address of a run, never zero.
    unsafe UnsafeMutablePointer(bitPattern: PageSpace(base: base).address(of: Int(page)))!
  }
}

/// 16 hex digits.
private func hex(_ word: UInt64) -> String {
  let digits = String(word, radix: 16)
  return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
