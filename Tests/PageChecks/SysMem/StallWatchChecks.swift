import CSysMem
import Synchronization
import SysMem

/// A sleep that ends by a signal, by the time, or by stalls, without an arena.
package let stallWatchChecks: [Check] = [
  Check("stall watch: a signal, the time and a stall end a sleep, and say so") { recorder in
    let files = FakeStalls()
    let watch = StallWatch()
    let event = FutexEvent()
    recorder.expect(!watch.isOn, "off at first")
    watch.open(files)
    recorder.expect(watch.isOn, "on")
    recorder.expect(watch.wait(event, files, nanoseconds: 1) == .time, "the time")
    event.signal()
    watch.ring()
    recorder.expect(watch.wait(event, files, nanoseconds: nil) == .signal, "a signal before")
    // The bell was not heard yet: it ends one more sleep, which nobody minds.
    recorder.expect(watch.wait(event, files, nanoseconds: nil) == .signal, "the bell alone")
    recorder.expect(watch.wait(event, files, nanoseconds: 1) == .time, "the time again")
    files.stall()
    recorder.expect(watch.wait(event, files, nanoseconds: nil) == .stall, "a stall")
    recorder.expect(watch.wait(event, files, nanoseconds: 1) == .time, "heard once")
    let file = files.file.load(ordering: .relaxed)
    watch.close()
    recorder.expect(!watch.isOn, "off at the end")
    recorder.expectEqual(csm_hush(file), 0, "the file is closed")
    watch.ring()
    watch.close()
    recorder.expect(!watch.isOn, "closed twice")
  },

  Check("stall watch: a file that tells no more is closed, and signals are still heard") {
    recorder in
    let files = FakeStalls()
    let watch = StallWatch()
    let event = FutexEvent()
    watch.open(files)
    files.isGone.store(true, ordering: .relaxed)
    recorder.expect(
      watch.wait(event, files, nanoseconds: nil) == .signal, "as if it were signalled")
    recorder.expect(!watch.isOn, "off from then on")
    event.signal()
    recorder.expect(watch.wait(event, files, nanoseconds: nil) == .signal, "a signal")
    watch.close()
  },

  Check("stall watch: where the kernel grants no file there is nothing to sleep on") { recorder in
    let watch = StallWatch()
    watch.open(FakeFiles([]))
    recorder.expect(!watch.isOn, "off")
    watch.ring()
    watch.close()
  },

  Check("stall watch: the kernel's count of stalls, read from its file") { recorder in
    let rows: [(name: StaticString, text: StaticString, count: UInt64?)] = [
      (
        "as the kernel writes it",
        "some avg10=0.00 avg60=1.25 avg300=0.10 total=12345\nfull avg10=0.00 total=99\n", 12345
      ),
      ("none", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", 0),
      ("beyond a word", "some total=99999999999999999999999\n", .max),
      ("no total in the first line", "some avg10=0.00\nfull total=99\n", nil),
      ("another first line", "full total=99\n", nil),
      ("a total without a number", "some total=x\n", nil), ("empty", "", nil),
    ]
    for row in rows {
      recorder.context = row.name.description
      let files = FakeFiles([("/proc/pressure/memory", row.text)])
      recorder.expect(stallMicroseconds(files) == row.count, "the count")
    }
    recorder.context = ""
    recorder.expect(stallMicroseconds(FakeFiles([])) == nil, "no file")
  },
]
