import PageAlloc

// The calls of PointerSweepChecks, of an arena and of a pool, and what comes of each: the letters
// are told there.

/// What is to be had of a bare address.
enum PointerCall: CaseIterable {
  case free, freeDiscarding, freeWhole, freeRuns, takeAt, takeAtZeroed
  case discard, discardLazily, resize, resizeZeroed, extend, extendZeroed

  /// Whether a count is a part of it.
  var hasCount: Bool { self != .freeWhole }

  /// Whether the run, or a part of it, has gone then.
  var frees: Bool {
    switch self {
    case .free, .freeDiscarding, .freeWhole, .freeRuns: true
    default: false
    }
  }

  /// What comes of it at a place, by the columns of counts.
  func letters(_ kind: PlaceKind, _ row: FreeRow) -> String {
    switch self {
    case .free, .freeDiscarding: row.frees
    case .freeWhole:
      switch kind {
      case .start: "---------"
      case .inside, .free, .kept, .last: "AAAAAAAAA"
      case .foreign: "FFFFFFFFF"
      case .misaligned: "MMMMMMMMM"
      }
    case .freeRuns, .discard, .discardLazily:
      switch kind {
      case .start, .inside: "CCC--?ECC"
      case .free, .kept, .last: "CCCnnEECC"
      case .foreign: "CCCFFFFCC"
      case .misaligned: "CCCMMMMCC"
      }
    case .takeAt, .takeAtZeroed:
      switch kind {
      case .start, .inside, .kept: "CCCxxxFCC"
      case .free: "CCCttxFCC"
      case .last: "CCCttFFCC"
      case .foreign: "CCCFFFFCC"
      case .misaligned: "CCCMMMMCC"
      }
    case .resize, .resizeZeroed:
      switch kind {
      case .start: "CCC--?OCC"
      case .inside, .free, .kept, .last: "AAAAAAAAA"
      case .foreign: "FFFFFFFFF"
      case .misaligned: "MMMMMMMMM"
      }
    case .extend, .extendZeroed:
      switch kind {
      case .start: "=====?xxx"
      case .inside, .free, .kept, .last: "AAAAAAAAA"
      case .foreign: "FFFFFFFFF"
      case .misaligned: "MMMMMMMMM"
      }
    }
  }
}

/// What there is at a place.
enum PlaceKind {
  /// A run starts there; or it is inside of one.
  case start, inside
  /// Free pages, before one in use; free ones, before what was not grown; a guard.
  case free, last, kept
  case foreign, misaligned

  init(_ row: FreeRow) {
    switch (letter(row.frees, 3), letter(row.frees, 5)) {
    case ("-", _): self = row.isStart ? .start : .inside
    case ("M", _): self = .misaligned
    case ("F", _): self = .foreign
    case (_, "F"): self = .last
    default: self = row.name.description.utf8.starts(with: "the guard".utf8) ? .kept : .free
    }
  }
}

extension PageMemory {
  /// Makes a call: whether it is done.
  func make(_ call: PointerCall, _ run: Run) throws(PageArenaError) -> Bool {
    switch call {
    case .free: unsafe try deallocate(run.pointer, pages: run.pages)
    case .freeDiscarding: unsafe try deallocateDiscarding(run.pointer, pages: run.pages)
    case .freeWhole: unsafe try deallocate(run.pointer)
    case .freeRuns: unsafe try deallocateRuns(from: run.pointer, pages: run.pages)
    case .takeAt, .takeAtZeroed:
      return unsafe try allocate(
        at: run.pointer, pages: run.pages, zeroed: call == .takeAtZeroed)
    case .discard: unsafe try discard(run.pointer, pages: run.pages)
    case .discardLazily: unsafe try discardLazily(run.pointer, pages: run.pages)
    case .resize, .resizeZeroed:
      _ = unsafe try resize(run.pointer, to: run.pages, zeroed: call == .resizeZeroed)
    case .extend, .extendZeroed:
      return unsafe try extend(run.pointer, to: run.pages, zeroed: call == .extendZeroed)
    }
    return true
  }

  func own(_ run: Run) throws(PageArenaError) -> PageRun {
    unsafe try adopt(run.pointer, pages: run.pages)
  }
}
