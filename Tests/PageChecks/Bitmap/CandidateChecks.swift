import PageAlloc

/// Which pages of a chunk go back to the kernel.
package let candidateChecks: [Check] = [
  Check("candidate: drawn chunks, by hand") { recorder in
    for row in rows {
      recorder.context = row.picture.description
      let kernelPages = KernelPages(physicalPageSize: 4096, hugePageSize: row.huge << 13)
      withMaps(HeapPicture(row.picture)) { data in
        let found = data.findScavengeCandidate(
          from: row.place, minimum: row.minimum, limit: row.limit, kernelPages: kernelPages)
        recorder.expectEqual(found?.lowerBound ?? -1, row.first, "first page, place \(row.place)")
        recorder.expectEqual(found?.count ?? 0, row.count, "pages, place \(row.place)")
      }
    }
  },
  Check("candidate: drawn chunks agree with the slow search") { recorder in
    for index in 0..<chunkPictures.count {
      recorder.context = chunkPictures[index].description
      for place in [63, 300, 511] {
        check(HeapPicture(chunkPictures[index]), place, limits: [0, 7, 200], &recorder)
      }
    }
  },
  Check("candidate: random chunks agree with the slow search") { recorder in
    for seed in 0..<100 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      let picture = HeapPicture(used: random.bits(512), scavenged: random.bits(512))
      check(picture, random.below(512), limits: [1 + random.below(512)], &recorder)
      let sparse = HeapPicture(used: random.bits(512), scavenged: HeapPicture(".").scavenged)
      check(sparse, 511, limits: [1 + random.below(64)], &recorder)
      if !recorder.isGood { return }
    }
  },
  Check("candidate: what is empty around it in its unit, page by page") { recorder in
    for seed in 0..<300 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      let unit = 64 << random.below(4)
      // Few pages are in use, or hold something: runs of empty ones go across words.
      var used = [Bool](repeating: false, count: 512)
      var scavenged = [Bool](repeating: true, count: 512)
      for _ in 0..<random.below(8) {
        let place = random.below(512)
        scavenged[place] = false
        used[place] = random.below(2) == 0
      }
      withMaps(HeapPicture(used: used, scavenged: scavenged)) { data in
        let start = random.below(512)
        let places = start..<(start + 1 + random.below(512 - start))
        var lower = places.lowerBound
        while lower % unit != 0, scavenged[lower - 1] { lower -= 1 }
        var upper = places.upperBound
        while upper % unit != 0, scavenged[upper] { upper += 1 }
        let found = data.widened(places, unit)
        recorder.expectEqual(found.lowerBound, lower, "first page")
        recorder.expectEqual(found.upperBound, upper, "end")
      }
      if !recorder.isGood { return }
    }
  },
  Check("candidate: the kernelPages follows the kernel's pages") { recorder in
    let rows = [  // physical page, huge page; logical pages in each
      [4096, 0, 1, 0], [4096, 2 << 20, 1, 256], [8192, 8192, 1, 0], [8192, 1 << 20, 1, 128],
      [16384, 32 << 20, 2, 4096], [65536, 65536, 8, 0], [65536, 2 << 20, 8, 256],
      [512 << 10, 0, 64, 0], [512 << 10, 4 << 20, 64, 512], [4096, 8192, 1, 0],
    ]
    for row in rows {
      let kernelPages = KernelPages(physicalPageSize: row[0], hugePageSize: row[1])
      recorder.expectEqual(kernelPages.pagesPerPhysicalPage, row[2], "physical \(row[0])")
      recorder.expectEqual(
        kernelPages.pagesPerHugePage, row[3], "physical \(row[0]) huge \(row[1])")
    }
  },
]

private struct Row: Sendable {
  let picture: StaticString
  let place: Int
  let minimum: Int
  let limit: Int
  /// Logical pages in a huge page.
  let huge: Int
  let first: Int
  let count: Int
}

private let rows: [Row] = [
  Row(picture: ".", place: 511, minimum: 1, limit: 512, huge: 0, first: 0, count: 512),
  Row(picture: ".", place: 511, minimum: 1, limit: 3, huge: 0, first: 509, count: 3),
  Row(picture: ".", place: 511, minimum: 1, limit: 0, huge: 0, first: 511, count: 1),
  Row(picture: "#", place: 511, minimum: 1, limit: 9, huge: 0, first: -1, count: 0),
  Row(picture: "-", place: 511, minimum: 1, limit: 9, huge: 0, first: -1, count: 0),
  // Of two holes the higher; nothing above the word of the place.
  Row(picture: "#9 .4 #80 .3 #", place: 511, minimum: 1, limit: 9, huge: 0, first: 93, count: 3),
  Row(picture: "#9 .4 #80 .3 #", place: 63, minimum: 1, limit: 9, huge: 0, first: 9, count: 4),
  Row(picture: "#64 .64 #", place: 65, minimum: 1, limit: 9, huge: 0, first: 119, count: 9),
  // Across the edge of a word; a scavenged page ends a run as one in use does.
  Row(picture: "#60 .8 #", place: 511, minimum: 1, limit: 9, huge: 0, first: 60, count: 8),
  Row(picture: "#60 .2 -2 .4 #", place: 511, minimum: 1, limit: 9, huge: 0, first: 64, count: 4),
  // Physical pages of 4: groups that are not wholly open count for nothing; sizes are rounded up.
  Row(picture: "#5 .8 #", place: 511, minimum: 4, limit: 9, huge: 0, first: 8, count: 4),
  Row(picture: "#5 .6 #", place: 511, minimum: 4, limit: 9, huge: 0, first: -1, count: 0),
  Row(picture: "#4 .12 #", place: 511, minimum: 4, limit: 5, huge: 0, first: 8, count: 8),
  // Huge pages of 16: one that is all free and would be cut is taken whole.
  Row(picture: ".", place: 511, minimum: 1, limit: 3, huge: 16, first: 496, count: 16),
  Row(picture: "#32 .20 #", place: 511, minimum: 1, limit: 5, huge: 16, first: 32, count: 20),
  Row(picture: "#33 .19 #", place: 511, minimum: 1, limit: 5, huge: 16, first: 47, count: 5),
  Row(picture: "#32 .9 #", place: 511, minimum: 1, limit: 5, huge: 16, first: 36, count: 5),
]

private func check(
  _ picture: HeapPicture, _ place: Int, limits: [Int], _ recorder: inout Recorder
) {
  withMaps(picture) { data in
    for limit in limits {
      for minimum in [1, 2, 8, 64] {
        for huge in [0, 128 << 10, 1 << 20, 2 << 20, 4 << 20] {
          let physical = minimum << 13
          let found = data.findScavengeCandidate(
            from: place, minimum: minimum, limit: limit,
            kernelPages: KernelPages(physicalPageSize: physical, hugePageSize: huge))
          let slow = slowCandidate(
            picture, from: place, minimum: minimum, limit: limit, physicalPageSize: physical,
            hugePageSize: huge)
          recorder.expect(
            found == slow,
            "place \(place) minimum \(minimum) limit \(limit) huge \(huge): "
              + "\(text(found ?? 0..<0)), not \(text(slow ?? 0..<0))")
        }
      }
    }
  }
}
