import PageAlloc

/// What a cache may hold, as tables. All in pages.
package let cacheBudgetChecks: [Check] = [
  Check("budget: what a cache may hold, by what is allocated") { recorder in
    // One limit of 1,024 pages (8 MiB) as a rule.
    let rows: [BudgetRow] = [
      // A small heap: the whole limit, for each cache.
      BudgetRow(allocated: 0, caches: 0, short: 1_024, long: 1_024),
      BudgetRow(allocated: 0, caches: 1, short: 1_024, long: 1_024),
      BudgetRow(allocated: 3_072, caches: 1, short: 1_024, long: 1_024),
      BudgetRow(allocated: 30_720, caches: 10, short: 3_072, long: 3_072),
      // Beyond three limits a cache: the 16th of its share, or what is left of the tenth of all.
      BudgetRow(allocated: 3_073, caches: 1, short: 307, long: 1_024),
      BudgetRow(allocated: 3_073, caches: 1, others: 307, short: 192, long: 1_024),
      BudgetRow(allocated: 8_000, caches: 1, others: 700, short: 500, long: 1_024),
      BudgetRow(allocated: 8_000, caches: 2, others: 700, short: 250, long: 1_024),
      // No less than 1 MiB, where the limit is not less; no more than the limit.
      BudgetRow(allocated: 1_000, caches: 1, others: 100, limit: 200, short: 128, long: 200),
      BudgetRow(allocated: 1_000, caches: 1, others: 100, limit: 64, short: 64, long: 64),
      BudgetRow(allocated: 100_000, caches: 1, others: 10_000, short: 1_024, long: 1_024),
      // More than the limit, as long as all have no more than a tenth.
      BudgetRow(allocated: 100_000, caches: 1, short: 10_000, long: 10_000),
      BudgetRow(allocated: 100_000, caches: 4, others: 7_000, short: 3_000, long: 3_000),
      // Others have more than the tenth already.
      BudgetRow(allocated: 100, caches: 1, others: 5_000, short: 1_024, long: 1_024),
      // All pages there are.
      BudgetRow(
        allocated: 524_288, caches: 1, limit: 524_288, short: 524_288, long: 524_288),
    ]
    for (index, row) in rows.enumerated() {
      recorder.context = "row \(index)"
      for own in [0, 50, 2_000] {
        let budget = CacheBudget(
          allocatedPages: row.allocated, cacheCount: row.caches, grantedPages: row.others + own,
          limit: row.limit)
        recorder.expectEqual(budget.mostCapacity(.short, own: own), row.short, "short runs")
        recorder.expectEqual(budget.mostCapacity(.long, own: own), row.long, "long runs")
      }
    }
  },

  Check("budget: a capacity doubles until the pages fit, up to the most") { recorder in
    //          kind, capacity, pages, most, result
    let rows: [(CacheBudget.Kind, Int, Int, Int, Int)] = [
      (.short, 0, 1, 1_024, 128), (.short, 0, 100, 64, 64), (.short, 0, 1, 0, 0),
      (.short, 128, 100, 1_024, 128), (.short, 128, 128, 1_024, 128),
      (.short, 128, 129, 1_024, 256), (.short, 128, 513, 1_024, 1_024),
      (.short, 128, 5_000, 1_024, 1_024), (.short, 128, 300, 300, 300),
      (.short, 512, 10, 300, 300), (.short, 128, 129, 64, 64), (.short, 128, 1, 0, 0),
      (.long, 0, 128, 1_024, 128), (.long, 0, 129, 1_024, 256), (.long, 128, 129, 1_024, 256),
      (.long, 0, 1_024, 1_024, 1_024), (.long, 0, 1_000, 1_000, 1_000),
      // A long run that is more than all that may be: nothing is gained by room for a part of it.
      (.long, 0, 1_025, 1_024, 0), (.long, 256, 1_025, 1_024, 256),
    ]
    for (index, row) in rows.enumerated() {
      recorder.context = "row \(index)"
      recorder.expectEqual(
        CacheBudget.raised(row.1, row.0, toHold: row.2, most: row.3), row.4, "capacity")
    }
  },

  Check("budget: runs are long from 128 pages on, and a quarter goes to the depot") { recorder in
    for pages in 1...127 { recorder.expect(CacheBudget.Kind(pages) == .short, "\(pages) pages") }
    for pages in [128, 129, 524_288] {
      recorder.expect(CacheBudget.Kind(pages) == .long, "\(pages) pages")
    }
    recorder.expectEqual(CacheBudget.magazinePages(1_024), 256, "magazines")
    recorder.expectEqual(CacheBudget.magazinePages(3), 0, "magazines of a small cache")
    recorder.expectEqual(CacheBudget.longRunPages(allocated: 4_099), 1_024, "long runs")
  },
]

/// A case of the table.
private struct BudgetRow {
  let allocated: Int
  let caches: Int
  /// What other caches have beyond the least.
  var others = 0
  var limit = 1_024
  let short: Int
  let long: Int
}
