import PageAlloc
import PageTrace

/// Films of a heap: which steps they show, and what they keep of each.
package let heapFilmChecks: [Check] = [
  Check("film: its steps are the ends, the peak, and others evenly in between") { recorder in
    func steps(_ range: ClosedRange<Int>, _ count: Int, _ peak: Int?) -> [Int] {
      FilmSteps(in: range, count: count, peak: peak).steps
    }
    for (found, expected) in [
      (steps(0...0, 5, nil), [0]), (steps(0...0, 5, 0), [0]), (steps(7...7, 1, 9), [7]),
      (steps(0...3, 100, 2), [0, 1, 2, 3]), (steps(0...100, 5, nil), [0, 25, 50, 75, 100]),
      (steps(0...100, 5, 26), [0, 25, 26, 50, 75, 100]), (steps(0...100, 2, 100), [0, 100]),
      (steps(10...20, 3, 9), [10, 15, 20]), (steps(0...10, 1, 3), [0, 3, 10]),
    ] {
      recorder.expect(found == expected, "\(found.count) steps, from \(found.first ?? -1)")
    }
    let many = steps(0...1_999_999_999, 1000, nil)
    recorder.expectEqual(many.count, 1000, "steps of many")
    recorder.expectEqual(many.last ?? 0, 1_999_999_999, "the last of many")
    for index in many.indices.dropLast() {
      let gap = many[index + 1] - many[index]
      recorder.expect(gap >= 2_002_001 && gap <= 2_002_003, "a gap of \(gap)")
    }
  },

  Check("film: frames decoded are the cells that were noted") { recorder in
    var random = SplitMix64(seed: 42)
    for round in 0..<100 {
      recorder.context = "round \(round)"
      var film = HeapFilm(peakPages: 1)
      var cells: [PageState] = []
      var shown: [PageState] = []
      for _ in 0..<12 {
        // The heap grows, and some stretches change.
        for _ in 0..<random.below(300) { cells.append(.neverUsed) }
        for _ in 0..<random.below(10) where !cells.isEmpty {
          let start = random.below(cells.count)
          let state = PageState.allCases[random.below(6)]
          for place in start..<min(cells.count, start + random.logarithmic(8)) {
            cells[place] = state
          }
        }
        let start = film.changes.count
        film.note(cells)
        decode(film.changes[start...], into: &shown, &recorder)
        while shown.count < cells.count { shown.append(.neverUsed) }
        recorder.expect(shown == cells, "what is shown is what is there")
        recorder.expectEqual(film.cellCount, cells.count, "cells")
        let end = film.changes.count
        film.note(cells)
        recorder.expectEqual(film.changes.count, end, "where nothing changes nothing is written")
      }
    }
  },

  Check("film: cells are as small as 16,384 of them allow") { recorder in
    for (peak, expected) in [(0, 1), (13_107, 1), (13_108, 2), (100_000, 8), (524_288, 64)] {
      recorder.expectEqual(HeapFilm(peakPages: peak).pagesPerCell, expected, "\(peak) pages")
    }
  },

  Check("film: a frame has an arena's figures") { recorder in
    guard let arena = makeArena(&recorder, caching: false), let run = arena.take(900, &recorder)
    else { return }
    arena.give(run.part(100, 50), &recorder)
    let snapshot = arena.snapshot()
    var film = HeapFilm(peakPages: 900)
    film.append(snapshot, hugePages: [1], step: 7)
    let picture = PagePicture(snapshot, title: "")
    let frame = film.frames[0]
    recorder.expectEqual(frame.step, 7, "the step")
    recorder.expectEqual(frame.pageCount, snapshot.pageCount, "pages")
    recorder.expectEqual(frame.longestFreeRun, snapshot.longestFreeRun, "the longest free run")
    recorder.expectEqual(frame.byteCount, film.changes.count, "bytes")
    recorder.expect(frame.hugePages == [1], "huge pages")
    for state in PageState.allCases {
      recorder.expectEqual(
        frame.counts[Int(state.rawValue)], snapshot.count(of: state), "\(state.name)")
    }
    var shown: [PageState] = []
    decode(film.changes[...], into: &shown, &recorder)
    let cells = picture.cells(of: 1)
    recorder.expect(shown.elementsEqual(cells.prefix(shown.count)), "cells")
    recorder.expect(cells[shown.count...].allSatisfy { $0 == .neverUsed }, "the rest")
  },
]

/// Does what the page of a film does.
private func decode(
  _ changes: ArraySlice<UInt8>, into cells: inout [PageState], _ recorder: inout Recorder
) {
  var index = changes.startIndex
  func number() -> Int {
    var (value, shift) = (0, 0)
    while index < changes.endIndex {
      let byte = changes[index]
      index += 1
      value |= Int(byte & 127) << shift
      if byte < 128 { break }
      shift += 7
    }
    return value
  }
  var place = 0
  while index < changes.endIndex {
    place += number()
    let change = number()
    guard let state = PageState(rawValue: UInt8(change & 7)) else {
      return recorder.fail("no state is \(change & 7)")
    }
    while cells.count < place + change >> 3 { cells.append(.neverUsed) }
    for _ in 0..<change >> 3 {
      recorder.expect(cells[place] != state, "cell \(place) changes")
      cells[place] = state
      place += 1
    }
  }
}
