import PageAlloc
import Synchronization

/// One for the arenas of a pool.
package let poolLimitHandlerChecks: [Check] = [
  Check("limit handler: the arenas of a pool have one, and its limit asks once a request") {
    recorder in
    guard let pool = makePool(&recorder, limit: .bytes(hard: 1000 * 8192)) else { return }
    let spare = SpareRuns { pool.errorOfGiving($0) == nil }
    try? pool.setLimitHandler { spare.giveBack(for: $0) }
    // Out of two arenas, where there are so many.
    let threads = [Counter(), Counter()]
    runThreads(threads) { _ in if let run = try? pool.run(400) { spare.keep(run) } }
    guard let run = pool.take(500, &recorder) else { return }
    recorder.expectEqual(spare.calls.load(ordering: .relaxed), 1, "calls")
    recorder.expect(pool.errorOfTaking(900) != nil, "more than comes back")
    recorder.expectEqual(spare.calls.load(ordering: .relaxed), 2, "calls")
    recorder.expectEqual(pool.statistics.returned.limitRefusals, 1, "refusals")
    recorder.expect(pool.errorOfGiving(run) == nil, "freed")
    try? pool.setLimitHandler(nil)
  }
]
