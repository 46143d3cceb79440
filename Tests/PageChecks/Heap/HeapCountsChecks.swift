import PageAlloc

/// The figures of a heap, without one.
package let heapCountsChecks: [Check] = [
  Check("heap counts: the states at one moment, whatever caches are said to hold") { recorder in
    let rows: [CountsRow] = [
      CountsRow("nothing", 0, 0, 0, told: 0, inUse: 0, cached: 0, free: 0),
      CountsRow("just grown", 512, 0, 512, told: 0, inUse: 0, cached: 0, free: 0),
      CountsRow("all in use", 512, 512, 0, told: 0, inUse: 512, cached: 0, free: 0),
      CountsRow("all in caches", 512, 512, 0, told: 512, inUse: 0, cached: 512, free: 512),
      CountsRow("some of each", 1024, 500, 300, told: 120, inUse: 380, cached: 120, free: 344),
      CountsRow("told too much", 1024, 500, 300, told: 501, inUse: 0, cached: 500, free: 724),
      CountsRow("told far too much", 1024, 500, 300, told: .max, inUse: 0, cached: 500, free: 724),
      CountsRow("told too little", 1024, 500, 300, told: -1, inUse: 500, cached: 0, free: 224),
      CountsRow("told nonsense", 1024, 500, 300, told: .min, inUse: 500, cached: 0, free: 224),
    ]
    for row in rows {
      recorder.context = row.name.description
      let reading = row.counts.reading(cached: row.told)
      recorder.expectEqual(reading.inUse, row.inUse, "in use")
      recorder.expectEqual(reading.cached, row.cached, "cached")
      recorder.expectEqual(reading.freeResident, row.free, "free and resident")
      recorder.expectEqual(reading.scavenged, row.counts.scavenged, "scavenged")
      recorder.expectEqual(reading.ready, row.counts.grown, "ready")
      recorder.expectEqual(
        reading.inUse + reading.freeResident + reading.scavenged, reading.ready, "the sum")
      recorder.expectEqual(
        row.counts.resident, row.counts.grown - row.counts.scavenged, "resident")
      recorder.expectEqual(
        row.counts.freeResident, reading.freeResident - reading.cached, "free outside of caches")
    }
  }
]

/// A case of the table.
private struct CountsRow {
  let name: StaticString
  let counts: HeapCounts
  let told: Int
  let inUse: Int
  let cached: Int
  let free: Int

  init(
    _ name: StaticString, _ grown: Int, _ allocated: Int, _ scavenged: Int, told: Int, inUse: Int,
    cached: Int, free: Int
  ) {
    self.name = name
    var counts = HeapCounts()
    counts.grown = grown
    counts.allocated = allocated
    counts.scavenged = scavenged
    self.counts = counts
    self.told = told
    self.inUse = inUse
    self.cached = cached
    self.free = free
  }
}
