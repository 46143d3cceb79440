import SysMem

/// How long somebody waits for others.
package let patienceChecks: [Check] = [
  Check("patience: long enough for who lost the processor, and it ends") { recorder in
    let start = Moment.now
    var patience = Patience()
    var looks = 0
    while looks < 10_000, patience.waits() { looks += 1 }
    let waited = Moment.now.elapsed(since: start)
    recorder.tell("\(looks) looks in \(waited / 1_000_000) ms")
    // 64 where a busy machine took so long for them.
    recorder.expect(looks >= 64 && looks <= 4096, "\(looks) looks")
    recorder.expect(waited >= 100_000_000, "\(waited) ns")
    recorder.expect(!patience.waits(), "it does not begin again")
  }
]
