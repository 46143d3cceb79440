import SysMem
import Synchronization

/// The four states of memory, on real memory.
package let sysMemChecks: [Check] = [
  Check("system: each transition changes access and statistics, and nothing else") { recorder in
    let calls = FakeCalls()
    let system = SysMem(calls: calls)
    let size = 64 * UInt(LinuxCalls().physicalPageSize)
    recorder.expectNoError("a life") { recorder throws(SysMemError) in
      recorder.expect(system, reserved: 0, prepared: 0, ready: 0, "at first")
      let address = try system.sysReserve(size)
      guard let memory = ProbedMemory(address) else { return recorder.fail("mapped at 0") }
      recorder.expect(system, reserved: size, prepared: 0, ready: 0, "reserved")
      recorder.expect(!memory.isWritable(), "reserved memory faults")
      recorder.expect(!memory.isWritable(at: size - 1), "reserved memory faults at its end")

      try system.sysMap(address, size)
      recorder.expect(system, reserved: 0, prepared: size, ready: 0, "prepared")
      recorder.expect(memory.isWritable() && memory.isWritable(at: size - 1), "prepared memory")

      system.sysUsed(byteCount: size)
      recorder.expect(system, reserved: 0, prepared: 0, ready: size, "ready")
      memory[0] = 1
      memory[size - 1] = 2

      try system.sysUnused(address, size / 2)
      recorder.expect(system, reserved: 0, prepared: size / 2, ready: size / 2, "unused")
      recorder.expectEqual(memory[0], 0, "contents of the half that went back")
      recorder.expectEqual(memory[size - 1], 2, "contents of the other half")

      try system.sysFault(address, size, readyByteCount: size / 2)
      recorder.expect(system, reserved: size, prepared: 0, ready: 0, "faulting")
      recorder.expect(!memory.isWritable() && !memory.isWritable(at: size - 1), "it faults again")

      try system.sysMap(address, size)
      recorder.expectEqual(memory[size - 1], 0, "contents after a fault")
      try system.sysFree(address, size, preparedByteCount: size)
      recorder.expect(system, reserved: 0, prepared: 0, ready: 0, "freed")
      recorder.expect(!memory.isWritable(), "freed memory faults")
    }
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "bytes left mapped")
    recorder.expectEqual(
      calls.misalignedCount.load(ordering: .relaxed), 0, "calls off the kernelPages")
  },
  Check("system: memory is freed from a mixture of states") { recorder in
    let calls = FakeCalls()
    let system = SysMem(calls: calls)
    let page = UInt(LinuxCalls().physicalPageSize)
    recorder.expectNoError("a mixture") { recorder throws(SysMemError) in
      let address = try system.sysReserve(8 * page)
      try system.sysMap(address + page, 5 * page)
      system.sysUsed(byteCount: 2 * page)
      recorder.expect(system, reserved: 3 * page, prepared: 3 * page, ready: 2 * page, "mixed")
      try system.sysFree(
        address, 8 * page, preparedByteCount: 3 * page, readyByteCount: 2 * page)
      recorder.expect(system, reserved: 0, prepared: 0, ready: 0, "freed")
    }
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "bytes left mapped")
  },
  Check("system: sizes are rounded up to physical pages") { recorder in
    for size in [4096, 16 << 10, 64 << 10, 512 << 10] {
      let system = SysMem(calls: FakeCalls(physicalPageSize: size))
      let unit = UInt(size)
      let rows = [
        (UInt(0), UInt(0)), (1, unit), (unit - 1, unit), (unit, unit), (unit + 1, 2 * unit),
        (10 * unit - 1, 10 * unit),
      ]
      for (byteCount, rounded) in rows {
        recorder.expectEqual(
          system.roundedToPhysicalPages(byteCount), rounded, "\(byteCount) in pages of \(size)")
      }
    }
  },
  Check("system: the kernel is asked for its sizes") { recorder in
    let calls = LinuxCalls()
    let page = calls.physicalPageSize
    recorder.expect(page >= 4096 && page & (page - 1) == 0, "physical page: \(page)")
    let huge = calls.hugePageSize
    recorder.expect(huge == 0 || (huge > page && huge & (huge - 1) == 0), "huge page: \(huge)")
  },
]
