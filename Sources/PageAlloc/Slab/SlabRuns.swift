// The runs of a slab
// ==================
//
// Each run has a bitmap of one word: 1 for a frame that is free. Runs are in lists by how many that
// are, and a word tells which lists are not empty:
//
//   filled   ... 0 1 0 0 1 0
//                  |     |
//                  |     +-- 2 free: run <-> run
//                  +-------- 5 free: run
//
// Frames are taken from the fullest run that has one, so that others become empty. Runs without a
// free frame are in no list. What threads have at hand counts as taken here.

/// One run, by its place in the arena's space.
private struct SlabRun {
  /// Its free frames.
  var free: UInt64
  /// Its neighbours in the list; 0 for none, since no run lies in the arena's first chunk.
  var previous: UInt32
  var next: UInt32
}

/// Which frames of which runs are free: pure bookkeeping, which the slab's lock guards.
@safe
struct SlabRuns: ~Copyable {
  // Invariant: mapped for all places, as long as the slab lives, and zero at first.
  private let table: UnsafeMutablePointer<SlabRun>
  private let states: FrameStates
  /// The first run of the list of those with 1 ... 64 free frames.
  private var firsts = InlineArray<65, UInt32>(repeating: 0)
  /// Bit n − 1: there are runs with n free frames.
  private var filled: UInt64 = 0
  /// No run was ever beyond this place.
  private var end = 0
  /// The process was forked: only the states of frames are to be believed.
  var isStale = false

  /// How many runs there are.
  private(set) var count = 0
  /// How many of their frames are free.
  private(set) var freeFrames = 0
  /// How many runs have no frame that is taken.
  private(set) var emptyCount = 0

  /// Bytes that the table takes, for so many places.
  static func byteCount(forPlaces count: Int) -> Int { count * MemoryLayout<SlabRun>.stride }

  /// No run yet.
  ///
  /// - Precondition: the table lies at the address, as the invariant says.
  @unsafe
  init(at address: UInt, states: FrameStates) {
    unsafe table = PageSpace.memory(at: address).assumingMemoryBound(to: SlabRun.self)
    self.states = states
  }

  private subscript(run: Int) -> SlabRun {
    // In the table: the run of a frame below the limit.
    unsafeAddress { unsafe UnsafePointer(table + run) }
    nonmutating unsafeMutableAddress { unsafe table + run }
  }
}

// MARK: - Frames

extension SlabRuns {
  /// Takes frames from the fullest runs that have some, until a magazine has a batch.
  mutating func fill(_ magazine: MagazineReference) {
    while magazine.count < FrameMagazine.batch, filled != 0 {
      let run = fullest
      var free = self[run].free
      while free != 0, magazine.count < FrameMagazine.batch {
        let frame = SlabLayout.firstFrame(ofRun: run) + free.trailingZeroBitCount
        if !magazine.push(frame) { break }
        free &= free &- 1
      }
      change(run, to: free)
    }
  }

  /// Takes a frame from the fullest run that has one.
  mutating func take() -> Int? {
    if filled == 0 { return nil }
    let run = fullest
    let free = self[run].free
    change(run, to: free & (free &- 1))
    return SlabLayout.firstFrame(ofRun: run) + free.trailingZeroBitCount
  }

  /// Takes frames back from a magazine, until it has so many left.
  mutating func drain(_ magazine: MagazineReference, to count: Int) {
    while magazine.count > count, let frame = magazine.pop() { put(frame) }
  }

  /// Takes a frame back that is nobody's.
  mutating func put(_ frame: Int) {
    let run = SlabLayout.run(ofFrame: frame)
    let bit: UInt64 = 1 &<< UInt64(SlabLayout.place(ofFrame: frame))
    if self[run].free & bit != 0 { corrupted("a frame was freed by two threads at once") }
    change(run, to: self[run].free | bit)
  }

  private var fullest: Int { Int(firsts[filled.trailingZeroBitCount &+ 1]) }
}

// MARK: - Runs

extension SlabRuns {
  /// Adds a run, all of whose frames are free.
  mutating func add(_ run: Int) {
    // First: a child of a fork looks at all runs below that.
    end = max(end, run + 1)
    mark(run, .free)
    count += 1
    self[run] = SlabRun(free: 0, previous: 0, next: 0)
    change(run, to: ~0)
  }

  /// Takes a run out that is empty, if there are more of them than are to stay.
  mutating func removeEmpty(keeping kept: Int) -> Int? {
    if emptyCount <= kept { return nil }
    let run = Int(firsts[SlabLayout.framesPerRun])
    remove(run)
    return run
  }

  /// Takes a run out, whatever its frames are; `nil` where there is none.
  mutating func removeAny() -> Int? {
    while end > 0 {
      end -= 1
      if states[SlabLayout.firstFrame(ofRun: end)] != .none {
        remove(end)
        return end
      }
    }
    return nil
  }

  private mutating func remove(_ run: Int) {
    change(run, to: 0)
    mark(run, .none)
    count -= 1
  }

  private func mark(_ run: Int, _ state: FrameState) {
    let first = SlabLayout.firstFrame(ofRun: run)
    for frame in first..<(first + SlabLayout.framesPerRun) { states[frame] = state }
  }

  /// Has other frames of a run be free, and puts it into the list where it belongs then.
  private mutating func change(_ run: Int, to free: UInt64) {
    let before = self[run].free
    let (old, new) = (before.nonzeroBitCount, free.nonzeroBitCount)
    self[run].free = free
    freeFrames += new - old
    if old == new { return }
    if old != 0 { unlink(run, old) }
    if new != 0 { link(run, new) }
    let full = SlabLayout.framesPerRun
    emptyCount += (new == full ? 1 : 0) - (old == full ? 1 : 0)
  }

  private mutating func link(_ run: Int, _ list: Int) {
    let next = firsts[list]
    self[run].previous = 0
    self[run].next = next
    if next != 0 { self[Int(next)].previous = UInt32(truncatingIfNeeded: run) }
    firsts[list] = UInt32(truncatingIfNeeded: run)
    filled |= 1 &<< UInt64(list - 1)
  }

  private mutating func unlink(_ run: Int, _ list: Int) {
    let (previous, next) = (self[run].previous, self[run].next)
    if previous == 0 { firsts[list] = next } else { self[Int(previous)].next = next }
    if next != 0 { self[Int(next)].previous = previous }
    if firsts[list] == 0 { filled &= ~(1 &<< UInt64(list - 1)) }
  }
}

// MARK: - fork

extension SlabRuns {
  /// In a child of `fork`, whose threads have nothing at hand: makes all anew from the states of
  /// the frames. What was free, wherever it was, is free again.
  mutating func renew() {
    isStale = false
    firsts = InlineArray(repeating: 0)
    (filled, count, freeFrames, emptyCount) = (0, 0, 0, 0)
    for run in 0..<end {
      let first = SlabLayout.firstFrame(ofRun: run)
      var (free, known) = (UInt64(0), 0)
      for place in 0..<SlabLayout.framesPerRun {
        let state = states[first + place]
        if state == .free { free |= 1 &<< UInt64(place) }
        if state != .none { known += 1 }
      }
      if known == 0 { continue }
      // It was just being added or removed: it may be the arena's already, and is left alone.
      if known < SlabLayout.framesPerRun {
        mark(run, .none)
        continue
      }
      count += 1
      self[run] = SlabRun(free: 0, previous: 0, next: 0)
      change(run, to: free)
    }
  }
}

// MARK: - Checks

extension SlabRuns {
  /// The name of the first invariant that does not hold; `nil` where all do.
  ///
  /// - Complexity: O(places up to the last run).
  func brokenInvariant() -> StaticString? {
    var (listed, free, empty) = (0, 0, 0)
    for list in 1...SlabLayout.framesPerRun {
      if (firsts[list] != 0) != (filled >> UInt64(list - 1) & 1 != 0) { return "filled" }
      var (run, previous) = (Int(firsts[list]), 0)
      while run != 0 {
        if self[run].free.nonzeroBitCount != list { return "the list of a run" }
        if Int(self[run].previous) != previous { return "the links of a list" }
        listed += 1
        free += list
        if list == SlabLayout.framesPerRun { empty += 1 }
        (previous, run) = (run, Int(self[run].next))
      }
    }
    if free != freeFrames { return "the count of free frames" }
    if empty != emptyCount { return "the count of empty runs" }
    var (runs, full) = (0, 0)
    for run in 0..<end {
      let first = SlabLayout.firstFrame(ofRun: run)
      if states[first] == .none { continue }
      runs += 1
      if self[run].free == 0 { full += 1 }
      for place in 0..<SlabLayout.framesPerRun
      where self[run].free >> UInt64(place) & 1 != 0 && states[first + place] != .free {
        return "the state of a free frame"
      }
    }
    if runs != count { return "the count of runs" }
    return listed + full == runs ? nil : "a run in no list"
  }
}
