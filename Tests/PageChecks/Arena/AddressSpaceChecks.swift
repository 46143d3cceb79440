import CTestSystem
import PageAlloc
import Synchronization

/// An arena leaves address space to the rest of the process.
package let addressSpaceChecks: [Check] = [
  Check("address space: half of what is left stays, down to the least that an arena can be") {
    recorder in
    // Each in MiB: what is left, and what becomes the reservation.
    let cases: [(left: Int, expected: UInt64)] = [
      (1024, 256), (400, 196), (140, 64), (150, 68), (100, 64), (0, 64),
    ]
    for (left, expected) in cases {
      recorder.context = "\(left) MiB left"
      let calls = FakeCalls()
      calls.leftBytes.store(UInt64(left) << 20, ordering: .relaxed)
      guard let arena = makeArena(&recorder, calls: calls, byteCount: 256 << 20) else { return }
      recorder.expectEqual(arena.statistics.reservedBytes >> 20, expected, "MiB reserved")
    }
  },

  Check("address space: a reservation is rounded up to whole chunks") { recorder in
    let sizes: [(asked: UInt64, mebibytes: UInt64)] = [
      (64 << 20, 64), ((64 << 20) + 1, 68), ((68 << 20) - 1, 68), (68 << 20, 68),
    ]
    for (asked, mebibytes) in sizes {
      guard let arena = makeArena(&recorder, byteCount: asked) else { return }
      recorder.expectEqual(
        arena.statistics.reservedBytes >> 20, mebibytes, "MiB, of \(asked) bytes asked for")
    }
  },

  Check("address space: under ulimit -v the process keeps half of what it had") { recorder in
    if isSanitized || isEmulated {
      recorder.leaveOut("a sanitizer, or an emulator, takes more than the limit leaves")
      return
    }
    if leavesOutFork(&recorder) { return }
    for room in [300, 600, 3000] where UInt.bitWidth == 64 || room < 1000 {
      recorder.context = "\(room) MiB of room"
      let status = inChild {
        guard let used = addressSpace() else { return 2 }
        if ctest_limit_address_space(UInt(used) + UInt(room) << 20) != 0 { return 3 }
        // A thread of its own would have malloc reserve 64 MiB more.
        var options = PageArena.Options()
        options.scavenging = .manual
        guard let arena = try? PageArena(options) else { return 4 }
        guard let run = try? arena.run(16), let after = addressSpace() else { return 5 }
        run.stamp(1)
        // The tables, and the cache of this thread, are no reservation.
        return after - used <= UInt64(room / 2 + 4) << 20 ? 0 : 6
      }
      recorder.expectEqual(status, 0, "the child's status")
    }
  },
]
