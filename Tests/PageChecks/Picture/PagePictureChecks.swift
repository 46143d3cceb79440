import PageAlloc
import PageTrace

/// Pictures of heaps: their cells and their figures.
package let pagePictureChecks: [Check] = [
  Check("picture: each page of an arena has its cell, and the figures are the statistics'") {
    recorder in
    guard let arena = makeArena(&recorder, caching: false),
      let long = arena.take(900, &recorder), let guarded = arena.own(2, guarded: true, &recorder)
    else { return }
    arena.give(long.part(100, 50), &recorder)
    arena.give(long.part(300, 7), &recorder)
    let snapshot = arena.snapshot()
    let statistics = arena.statistics
    let picture = PagePicture(snapshot, title: "an arena")
    recorder.expectEqual(picture.pageCount, snapshot.pageCount, "pages")
    recorder.expectEqual(picture.address, UInt64(snapshot.address), "the address")
    let cells = picture.cells(of: 1)
    recorder.expectEqual(cells.count, snapshot.pageCount, "cells")
    for page in cells.indices {
      recorder.expect(cells[page] == snapshot[page], "page \(page) is shown as \(cells[page].name)")
    }
    let counts = picture.counts
    func bytes(_ state: PageState) -> UInt64 { picture.byteCount(counts[Int(state.rawValue)]) }
    recorder.expectEqual(bytes(.inUse) + bytes(.guardPage), statistics.inUseBytes, "in use")
    recorder.expectEqual(bytes(.guardPage), 2 * 8192, "guards")
    recorder.expectEqual(
      bytes(.free) + bytes(.atHand), statistics.freeMaybeResidentBytes, "free, and maybe resident")
    recorder.expectEqual(bytes(.empty), statistics.scavengedBytes, "given back")
    recorder.expectEqual(
      picture.byteCount(picture.pageCount) - bytes(.neverUsed), statistics.readyBytes, "ready")
    recorder.expectEqual(picture.longestFreeRun, snapshot.longestFreeRun, "the longest free run")
    recorder.expect(picture.fragmentation == snapshot.fragmentation, "fragmentation")
    recorder.expectEqual(guarded.pages, 2, "the guarded run lives")
  },

  Check("picture: a cell shows what most of its pages are, as by a slow count") { recorder in
    var random = SplitMix64(seed: 16)
    for round in 0..<200 {
      recorder.context = "round \(round)"
      var states: [PageState] = []
      var stretches: [(Int, PageState)] = []
      for _ in 0..<random.below(40) {
        let state = PageState.allCases[random.below(6)]
        let count = 1 + random.below(30)
        stretches.append((count, state))
        for _ in 0..<count { states.append(state) }
      }
      guard let picture = makePicture(stretches, &recorder) else { return }
      let size = 1 << random.below(7)
      let cells = picture.cells(of: size)
      recorder.expectEqual(cells.count, (states.count + size - 1) / size, "cells")
      for cell in cells.indices {
        let group = states[cell * size..<min(states.count, (cell + 1) * size)]
        // A later state must have more pages, an earlier one need only have as many.
        var isBefore = true
        for state in PageState.inLegendOrder {
          if state == cells[cell] {
            isBefore = false
            continue
          }
          let (count, shown) = (group.count { $0 == state }, group.count { $0 == cells[cell] })
          recorder.expect(isBefore ? count < shown : count <= shown, "cell \(cell) of \(size)")
        }
      }
      var (longest, length) = (0, 0)
      for state in states {
        length = state == .free || state == .empty ? length + 1 : 0
        longest = max(longest, length)
      }
      recorder.expectEqual(picture.longestFreeRun, longest, "the longest free run")
    }
  },

  Check("picture: cells are as small as the rows allow") { recorder in
    for (pages, width, height, expected) in [
      (0, 64, 64, 1), (1, 64, 64, 1), (4096, 64, 64, 1), (4097, 64, 64, 2), (524_288, 64, 64, 128),
      (65_536, 512, 128, 1), (65_537, 512, 128, 2), (524_288, 512, 128, 8),
    ] {
      let stretches: [(Int, PageState)] = pages == 0 ? [] : [(pages, .inUse)]
      guard let picture = makePicture(stretches, &recorder) else { return }
      recorder.expectEqual(
        picture.pagesPerCell(width: width, height: height), expected, "\(pages) pages")
    }
  },
]

/// A picture of a snapshot's file, with an address of 64 MiB.
func makePicture(
  _ stretches: [(Int, PageState)], title: String = "a heap", _ recorder: inout Recorder,
  line: UInt = #line
) -> PagePicture? {
  var pages = 0
  var lines = ""
  for (count, state) in stretches {
    pages += count
    lines += "\(count) \(state.name)\n"
  }
  let head = "pagealloc-snapshot 1 pages \(pages) page-size 8192 base 0x4000000\n"
  guard let file = try? SnapshotFile(Array((head + lines).utf8)) else {
    recorder.fail("no snapshot", line: line)
    return nil
  }
  return PagePicture(file, title: title)
}
