import SysMem

/// Times that clocks told, in any order.
package let momentChecks: [Check] = [
  Check("moment: what is between two, and nothing where the clock went back") { recorder in
    let rows: [(start: UInt64, end: UInt64, pauses: UInt64, elapsed: UInt64)] = [
      (0, 0, 0, 0), (5, 5, 0, 0), (5, 9, 0, 4), (9, 5, 0, 0), (0, .max, 0, .max), (.max, 0, 0, 0),
      (5, 9, 3, 1), (5, 9, 4, 0), (5, 9, 5, 0), (9, 5, 1, 0), (5, 9, .max, 0),
      (.max - 1, .max, 0, 1),
    ]
    for row in rows {
      recorder.context = "from \(row.start) to \(row.end), \(row.pauses) in pauses"
      let end = Moment(nanoseconds: row.end)
      let elapsed = end.elapsed(since: Moment(nanoseconds: row.start), without: row.pauses)
      recorder.expectEqual(elapsed, row.elapsed, "nanoseconds")
    }
  },

  Check("clock: time goes on while a thread sleeps, and the thread's own does not") { recorder in
    let clock = SystemClock()
    let (start, worked) = (clock.now(), clock.processorTime())
    sleep(milliseconds: 50)
    let time = clock.now().elapsed(since: start)
    let work = clock.processorTime().elapsed(since: worked)
    recorder.expect(time >= 50_000_000, "\(time) ns on the wall")
    recorder.expect(work < 50_000_000, "\(work) ns of work")
    var random = SplitMix64(seed: 1)
    var sum: UInt64 = 0
    while clock.processorTime().elapsed(since: worked) < work + 1_000_000,
      clock.now().elapsed(since: start) < 5_000_000_000
    {
      for _ in 0..<1000 { sum &+= random.next() }
    }
    recorder.expect(sum != 0, "work")
    let more = clock.processorTime().elapsed(since: worked)
    recorder.expect(more >= work + 1_000_000, "\(more) ns of work, after some")
  },
]
