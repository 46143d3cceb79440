import PageAlloc

/// One chunk's scavenge record in one word.
package let scavengeRecordChecks: [Check] = [
  Check("record: four fields are packed and come back") { recorder in
    for inUse in [0, 1, 255, 256, 495, 496, 511, 512] {
      for last in [0, 1, 496, 511, 512] {
        for generation: UInt32 in [0, 1, 0x8000_0000, ~0] {
          for flag in [false, true] {
            let record = ScavengeRecord(
              inUse: inUse, lastInUse: last, generation: generation, hasFree: flag)
            let packed =
              UInt64(inUse) + UInt64(last) << 16 + (flag ? 1 << 26 : 0)
              + UInt64(generation) << 32
            recorder.expectEqual(record.packed, packed, "\(inUse) \(last) \(generation)")
            recorder.expectEqual(record.inUse, inUse, "in use")
            recorder.expectEqual(record.lastInUse, last, "last")
            recorder.expectEqual(record.generation, generation, "generation")
            recorder.expect(record.hasFree == flag, "flag")
          }
        }
      }
    }
  },
  Check("record: dense chunks are left alone in the background only") { recorder in
    // In use, last; ready in the background in the same generation and in another.
    let rows = [
      (495, 495, true, true), (496, 0, false, false), (0, 496, false, true),
      (495, 496, false, true), (0, 0, true, true), (512, 512, false, false),
      (0, 512, false, true), (496, 495, false, false),
    ]
    for (inUse, last, same, other) in rows {
      let full = ScavengeRecord(inUse: inUse, lastInUse: last, generation: 7, hasFree: true)
      let none = ScavengeRecord(inUse: inUse, lastInUse: last, generation: 7, hasFree: false)
      recorder.expect(
        full.isReady(generation: 7, mode: .background) == same, "\(inUse) \(last), same")
      recorder.expect(
        full.isReady(generation: 8, mode: .background) == other, "\(inUse) \(last), other")
      for generation: UInt32 in [7, 8] {
        recorder.expect(full.isReady(generation: generation, mode: .force), "force")
        recorder.expect(!none.isReady(generation: generation, mode: .force), "force, no flag")
        recorder.expect(!none.isReady(generation: generation, mode: .background), "no flag")
      }
    }
  },
  Check("record: a chunk never holds more than 512 pages or fewer than none") { recorder in
    let before = ScavengeRecord(inUse: 500, lastInUse: 3, generation: 1, hasFree: true)
    var record = before
    recorder.expect(!record.allocate(13, generation: 2), "13 more than 500")
    recorder.expect(record == before, "a refusal changes nothing")
    recorder.expect(!record.free(501, generation: 2), "501 of 500")
    recorder.expect(record == before, "a refusal changes nothing")
    recorder.expect(record.allocate(12, generation: 2), "12 more than 500")
    recorder.expect(
      record == ScavengeRecord(inUse: 512, lastInUse: 500, generation: 2, hasFree: false),
      "full: nothing to give back")
    recorder.expect(record.free(512, generation: 2), "all 512")
    recorder.expect(
      record == ScavengeRecord(inUse: 0, lastInUse: 500, generation: 2, hasFree: true), "empty")
  },
]
