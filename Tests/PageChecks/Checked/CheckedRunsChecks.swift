import PageAlloc
import SysMem

/// The notes of the checked mode, without an arena.
package let checkedRunsChecks: [Check] = [
  Check("notes: random runs come and go, as an array of flags has them") { recorder in
    for seed in 1...5 {
      withNotes(&recorder) { notes, recorder in
        var model = NotesModel(notes, seed: seed)
        model.run(steps: 3000, &recorder)
      }
    }
  },

  Check("notes: oldest out of the quarantine first, and no more than is asked for") { recorder in
    withNotes(&recorder) { notes, recorder in
      var numbers: [UInt32] = []
      for index in 0..<10 {
        let run = Range(start: index * 100, count: index + 1)
        recorder.expect(notes.noteAllocation(run, trace(1)), "noted")
        let number = notes.noteFree(run, trace(2))
        recorder.expect(notes[number].state == .leaving, "on its way")
        notes.enqueue(number, behind: index % 2 == 0 ? .markers : .access, isZero: index == 3)
        numbers.append(number)
      }
      recorder.expectEqual(notes.figures.quarantinedPages, 55, "pages in quarantine")
      recorder.expectEqual(notes.figures.withheldPages, 55, "pages withheld")
      recorder.expect(notes.dequeue(beyond: 55) == nil, "all may stay")
      for index in 0..<10 {
        let note = notes.dequeue(beyond: index == 9 ? 0 : 54 - index * (index + 1) / 2)
        guard let note else { return recorder.fail("run \(index) was to go") }
        recorder.expectEqual(note.pages.lowerBound, index * 100, "the oldest")
        recorder.expectEqual(note.pages.count, index + 1, "its pages")
        recorder.expect(note.state == .free, "free to be handed out")
        recorder.expect(note.fence == (index % 2 == 0 ? .markers : .access), "its fence")
        recorder.expect(note.isZero == (index == 3), "whether it is zero")
        recorder.expectEqual(notes.number(of: index * 100), numbers[index], "it is remembered")
      }
      recorder.expectEqual(notes.figures.quarantinedPages, 0, "pages in quarantine at the end")
      recorder.expect(notes.dequeue(beyond: 0) == nil, "nothing is left")
    }
  },

  Check("notes: a part that is freed is told apart, with who allocated the whole") { recorder in
    withNotes(&recorder) { notes, recorder in
      recorder.expect(notes.noteAllocation(100..<200, trace(1)), "noted")
      let number = notes.noteFree(120..<130, trace(2))
      for (page, state, allocator) in [
        (100, RunNote.State.inUse, 1), (119, .inUse, 1), (120, .leaving, 1), (129, .leaving, 1),
        (130, .inUse, 1), (199, .inUse, 1),
      ] {
        let note = notes[notes.number(of: page)]
        recorder.expect(note.state == state, "state of page \(page)")
        recorder.expectEqual(note.allocation.thread, UInt32(allocator), "who allocated \(page)")
      }
      for page in [99, 200] { recorder.expectEqual(notes.number(of: page), 0, "note of \(page)") }
      recorder.expectEqual(notes[number].end.thread, 2, "who freed it")
      recorder.expectEqual(notes.figures.livePages, 90, "pages in use")
      // The whole goes: its note is used again at once.
      let used = notes.figures.usedNotes
      notes.forget(100..<200)
      recorder.expectEqual(notes.figures.livePages, 0, "pages in use at the end")
      recorder.expect(notes.noteAllocation(500..<501, trace(3)), "noted")
      recorder.expectEqual(notes.figures.usedNotes, used, "notes that were ever used")
      recorder.expectEqual(notes.number(of: 120), number, "what was freed is still known")
    }
  },

  Check("notes: when all are taken, those of runs that are free give way, the oldest first") {
    recorder in
    withNotes(&recorder) { notes, recorder in
      let capacity = CheckedRuns.noteCapacity
      if !takeAll(notes, &recorder) { return }
      recorder.expect(!notes.noteAllocation(capacity..<(capacity + 1), trace(1)), "none is left")
      recorder.expectEqual(notes.figures.livePages, capacity, "nothing has changed")
      recorder.expectEqual(notes.number(of: capacity), 0, "nothing is known of it")
      // Two go into the quarantine, by the notes that they had.
      for page in [7, 5] {
        notes.enqueue(notes.noteFree(page..<(page + 1), trace(2)), behind: .none, isZero: false)
      }
      recorder.expect(!notes.noteAllocation(capacity..<(capacity + 1), trace(1)), "in quarantine")
      recorder.expect(notes.dequeue(beyond: 1)?.firstPage == 7, "out of it")
      recorder.expect(notes.noteAllocation(capacity..<(capacity + 1), trace(1)), "a note came free")
      recorder.expectEqual(notes.number(of: 7), 0, "the oldest is forgotten")
      recorder.expect(notes.number(of: 5) != 0, "the other is not")
      recorder.expect(notes.dequeue(beyond: 0)?.firstPage == 5, "and still in its place")
      recorder.expect(notes.noteAllocation(7..<8, trace(1)), "its note, too")
      recorder.expect(!notes.noteAllocation(5..<6, trace(1)), "and no more")
    }
  },

  Check("notes: the oldest is used again for the pages that it told of, which count once") {
    recorder in
    withNotes(&recorder) { notes, recorder in
      let capacity = CheckedRuns.noteCapacity
      if !takeAll(notes, &recorder) { return }
      let number = notes.noteFree(9..<10, trace(2))
      notes.enqueue(number, behind: .none, isZero: false)
      recorder.expect(notes.dequeue(beyond: 0)?.firstPage == 9, "out of the quarantine")
      recorder.expect(notes.noteAllocation(9..<10, trace(3)), "noted again")
      recorder.expectEqual(notes.number(of: 9), number, "by the same note")
      recorder.expectEqual(notes[number].livePages, 1, "pages that it tells of")
      recorder.expectEqual(notes.figures.livePages, capacity, "pages in use")
      notes.forget(0..<capacity)
      recorder.expectEqual(notes.figures.livePages, 0, "pages in use at the end")
    }
  },

  Check("notes: all tables go at the end") { recorder in
    let calls = FakeCalls()
    let system = SysMem(calls: calls)
    recorder.expectNoError("notes") { _ throws(SysMemError) in
      try CheckedRuns.sysInit(system, isPermanent: false).unmap(system)
    }
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped")
  },
]

/// A trace of a thread, without calls.
private func trace(_ thread: UInt32) -> Trace {
  unsafe Trace(thread: thread, UnsafeBufferPointer(start: nil, count: 0))
}

/// Takes all notes, each for a run of one page.
private func takeAll(_ notes: CheckedRuns, _ recorder: inout Recorder) -> Bool {
  for page in 0..<CheckedRuns.noteCapacity
  where !notes.noteAllocation(page..<(page + 1), trace(1)) {
    recorder.fail("no note for run \(page)")
    return false
  }
  return true
}

private func withNotes(
  _ recorder: inout Recorder, _ body: (CheckedRuns, inout Recorder) -> Void
) {
  let system = SysMem(calls: LinuxCalls())
  recorder.expectNoError("notes") { recorder throws(SysMemError) in
    let notes = try CheckedRuns.sysInit(system, isPermanent: false)
    body(notes, &recorder)
    notes.unmap(system)
  }
}

/// Random runs beside what a page is: 0 for unknown, 1 in use, 2 freed.
private struct NotesModel {
  private let notes: CheckedRuns
  private let name: String
  private var random: SplitMix64
  private var pages = [UInt8](repeating: 0, count: 2000)
  private var quarantine: [Range<Int>] = []

  init(_ notes: CheckedRuns, seed: Int) {
    self.notes = notes
    name = "seed \(seed)"
    random = SplitMix64(seed: UInt64(seed))
  }

  mutating func run(steps: Int, _ recorder: inout Recorder) {
    for number in 0..<steps where recorder.isGood {
      recorder.context = "\(name), step \(number)"
      let run = Range(start: random.below(1900), count: random.logarithmic(6))
      switch random.below(4) {
      case 0, 1:
        guard !pages[run].contains(1), !quarantine.contains(where: { $0.overlaps(run) }) else {
          continue
        }
        recorder.expect(notes.noteAllocation(run, trace(1)), "noted")
        for page in run { pages[page] = 1 }
      case 2:
        guard pages[run].allSatisfy({ $0 == 1 }) else { continue }
        notes.enqueue(notes.noteFree(run, trace(2)), behind: .none, isZero: false)
        quarantine.append(run)
        for page in run { pages[page] = 2 }
      default:
        let most = random.below(300)
        let isDue = quarantine.reduce(0) { $0 + $1.count } > most
        let note = notes.dequeue(beyond: most)
        recorder.expect(note?.pages == (isDue ? quarantine.first : nil), "what leaves")
        guard let note else { continue }
        quarantine.removeFirst()
        notes.figures.withheldPages -= note.pages.count
      }
      compare(&recorder)
    }
  }

  private func compare(_ recorder: inout Recorder) {
    recorder.expectEqual(notes.figures.livePages, pages.count { $0 == 1 }, "pages in use")
    let held = quarantine.reduce(0) { $0 + $1.count }
    recorder.expectEqual(notes.figures.quarantinedPages, held, "pages in quarantine")
    recorder.expectEqual(notes.figures.withheldPages, held, "pages withheld")
    for page in 0..<pages.count {
      let number = notes.number(of: page)
      let state = number == 0 ? RunNote.State.none : notes[number].state
      let isRight =
        switch pages[page] {
        case 0: state == .none
        case 1: state == .inUse
        default: state == .free || state == .quarantined
        }
      if !isRight { return recorder.fail("page \(page) is \(pages[page])") }
    }
    for run in quarantine where notes[notes.number(of: run.lowerBound)].state != .quarantined {
      recorder.fail("\(run) is in quarantine")
    }
  }
}
