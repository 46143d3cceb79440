import PageAlloc

/// A way to damage an arena's tables, and what the arena says when it meets the damage.
package struct Damage: Sendable {
  /// What is damaged.
  package let name: StaticString
  /// Texts that the dump has, in this order.
  package let dump: [StaticString]
  /// Damages the tables of an arena of its own and uses it. Comes back only where nobody noticed.
  package let body: @Sendable (PageArena) throws(PageArenaError) -> Void

  /// Does it, on an arena without caches, whose first page is the first of chunk 1 on a 64-bit
  /// host.
  package func meet() {
    do throws(PageArenaError) {
      try body(
        try PageArena(reserving: 64 << 20, threadCacheByteCount: 0, scavenging: .manual))
    } catch { print("an error and no trap: \(error.description)") }
  }
}

/// One of each kind of table.
package let damages: [Damage] = [
  Damage(
    name: "a word of a bitmap says that free pages are in use",
    dump: [
      "corrupted: a summary promises a run that its chunk does not have (page ", "in use ",
      "ffffffffffffffff", "scavenged ", "480 pages in use", "level 3 entry ",
      ": 0 free at the start",
      "32 longest, 32 at the end; should be 0, 0, 0", "level 0 entry ", "runs from page ",
      "grown 512",
    ]
  ) { arena throws(PageArenaError) in
    let run = try arena.run(480)
    arena.withTables { $0.chunks.data(arena.chunk(of: run)).allocated.bits.setWord(7, ~0) }
    _ = try arena.run(4)
  },

  Damage(
    name: "the same in a chunk with pages that are decommitted",
    dump: [
      "corrupted: a summary promises a run that its chunk does not have (page ",
      "decommitted from page ", ": 32\n", "decommitted from page ", ": 64\n", "480 pages in use",
    ]
  ) { arena throws(PageArenaError) in
    var owned = try arena.allocateRun(pages: 480)
    try owned.decommit(in: 64..<96)
    try owned.decommit(in: 128..<192)
    let chunk = arena.chunk(at: owned.address)
    arena.withTables { $0.chunks.data(chunk).allocated.bits.setWord(7, ~0) }
    _ = try arena.run(4)
  },

  Damage(
    name: "a summary says that a chunk in use is free",
    dump: [
      "corrupted: a summary promises a run that its chunk does not have (page ", "level 3 entry ",
      "512 free at the start, 512 longest, 512 at the end; should be 0, 0, 0", "search page ",
    ]
  ) { arena throws(PageArenaError) in
    let run = try arena.run(512)
    arena.withTables {
      unsafe $0.summaries[Geometry.firstEntry(Geometry.leafLevel) + arena.chunk(of: run)] =
        PallocSum.freeChunk.packed
    }
    _ = try arena.run(4)
  },

  Damage(
    name: "the root says that nothing is free",
    dump: [
      "corrupted: a summary is not the merge of those below it (page ", "level 0 entry ",
      "; should be ",
    ]
  ) { arena throws(PageArenaError) in
    let first = try arena.run(512)
    while (try? arena.run(512)) != nil {}
    _ = arena.errorOfGiving(first)
    arena.withTables {
      unsafe $0.summaries[0] = 0
      unsafe $0.summaries[1] = 0
    }
    // More than the chunk has that the search starts in.
    _ = try arena.run(513)
  },

  Damage(
    name: "the run table has a run among free pages",
    dump: [
      "corrupted: a run that was handed out starts at a free page (page ", "runs from page ",
      " 03 ",
    ]
  ) { arena throws(PageArenaError) in
    let run = try arena.run(100)
    run.stamp(1)
    _ = arena.errorOfGiving(run)
    arena.withTables {
      $0.runs.setByte(arena.page(of: run) + 50, 3)
    }
    _ = try arena.releaseFreeMemory()
  },

  Damage(
    name: "the run table has a run that is too long",
    dump: ["corrupted: a page that was handed out is free (page ", "3 pages in use", " 0a "]
  ) { arena throws(PageArenaError) in
    let run = try arena.run(3)
    arena.withTables {
      $0.runs.setByte(arena.page(of: run), 10)
    }
    if let error = arena.errorOfGiving(run.part(0, 10)) { throw error }
  },

  Damage(
    name: "a scavenge record says that nothing is in use",
    dump: [
      "corrupted: more pages freed in a chunk than are in use (page ", "record    0 pages in use",
    ]
  ) { arena throws(PageArenaError) in
    let run = try arena.run(3)
    arena.withTables { unsafe $0.scavengeRecords[arena.chunk(of: run)] = 0 }
    if let error = arena.errorOfGiving(run) { throw error }
  },

  Damage(
    name: "a chunk that was never grown has a summary",
    dump: [
      "corrupted: something is known of a chunk that was never grown (page ", "should be 0, 0, 0",
    ]
  ) { arena throws(PageArenaError) in
    let run = try arena.run(512)
    arena.withTables {
      unsafe $0.summaries[Geometry.firstEntry(Geometry.leafLevel) + arena.chunk(of: run) + 1] = 1
    }
    _ = try arena.run(512)
  },
]

extension PageArena {
  /// The number of a run's first page.
  fileprivate func page(of run: Run) -> Int {
    Int((run.address - origin) / UInt(PageArena.pageSize))
  }

  /// The number of its chunk.
  fileprivate func chunk(of run: Run) -> Int { chunk(at: run.address) }

  /// The number of the chunk that an address lies in.
  fileprivate func chunk(at address: UInt) -> Int {
    Int((address - origin) / UInt(PageArena.pageSize)) / Geometry.pagesPerChunk
  }
}
