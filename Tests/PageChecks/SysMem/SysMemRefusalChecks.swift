import SysMem
import Synchronization

/// Each call refused: the error says which, and nothing has changed.
package let sysMemRefusalChecks: [Check] = [
  Check("refusal: mmap for sysReserve") { recorder in
    let calls = FakeCalls()
    let system = SysMem(calls: calls)
    calls.refuse(.mmap)
    let hint: UInt = 0x1000_0000
    let error = SysMemError(call: .mmap, address: hint, byteCount: 8192, errno: .invalidArgument)
    recorder.expectError(error, "sysReserve") { () throws(SysMemError) in
      _ = try system.sysReserve(8192, hint: hint)
    }
    recorder.expect(system, reserved: 0, prepared: 0, ready: 0, "afterwards")
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "bytes mapped")
  },
  Check("refusal: mprotect for sysMap") { recorder in
    withReserved(&recorder) { system, calls, address, size, recorder in
      calls.refuse(.mprotect)
      let error = SysMemError(
        call: .mprotect, address: address, byteCount: size, errno: .invalidArgument)
      recorder.expectError(error, "sysMap") { () throws(SysMemError) in
        try system.sysMap(address, size)
      }
      recorder.expect(system, reserved: size, prepared: 0, ready: 0, "afterwards")
    }
  },
  Check("refusal: madvise for sysUnused and for huge pages") { recorder in
    withReserved(&recorder) { system, calls, address, size, recorder in
      recorder.expectNoError("sysMap") { _ throws(SysMemError) in
        try system.sysMap(address, size)
      }
      system.sysUsed(byteCount: size)
      guard let memory = ProbedMemory(address) else { return recorder.fail("mapped at 0") }
      memory[0] = 7
      calls.refuse(.madvise)
      let error = SysMemError(
        call: .madvise, address: address, byteCount: size, errno: .invalidArgument)
      recorder.expectError(error, "sysUnused") { () throws(SysMemError) in
        try system.sysUnused(address, size)
      }
      recorder.expectEqual(memory[0], 7, "contents after a refusal")
      recorder.expectError(error, "sysHugePage") { () throws(SysMemError) in
        try system.sysHugePage(address, size)
      }
      recorder.expectError(error, "sysNoHugePage") { () throws(SysMemError) in
        try system.sysNoHugePage(address, size)
      }
      recorder.expect(system, reserved: 0, prepared: 0, ready: size, "afterwards")
      calls.refuse(.mmap)
      let fault = SysMemError(
        call: .mmap, address: address, byteCount: size, errno: .invalidArgument)
      recorder.expectError(fault, "sysFault") { () throws(SysMemError) in
        try system.sysFault(address, size, readyByteCount: size)
      }
      recorder.expect(system, reserved: 0, prepared: 0, ready: size, "afterwards")
      recorder.expectEqual(memory[0], 7, "contents after a refusal")
      calls.failNoMore()
      recorder.expectNoError("sysFault") { _ throws(SysMemError) in
        try system.sysFault(address, size, readyByteCount: size)
      }
    }
  },
  Check("refusal: munmap for sysFree") { recorder in
    withReserved(&recorder) { system, calls, address, size, recorder in
      calls.fail(call: 0)
      let error = SysMemError(
        call: .munmap, address: address, byteCount: size, errno: .outOfMemory)
      recorder.expectError(error, "sysFree") { () throws(SysMemError) in
        try system.sysFree(address, size)
      }
      recorder.expect(system, reserved: size, prepared: 0, ready: 0, "afterwards")
    }
  },
  Check("refusal: the real kernel's answer arrives") { recorder in
    let system = SysMem(calls: LinuxCalls())
    // No page starts there: EINVAL from every kernel.
    let error = SysMemError(call: .madvise, address: 1, byteCount: 4096, errno: .invalidArgument)
    recorder.expectError(error, "advice off the kernelPages") { () throws(SysMemError) in
      try system.sysNoHugePage(1, 4096)
    }
    let page = UInt(LinuxCalls().physicalPageSize)
    // More than any address space has.
    let all = 0 &- 2 * page
    let refusal = SysMemError(call: .mmap, address: 0, byteCount: all, errno: .outOfMemory)
    recorder.expectError(refusal, "all addresses") { () throws(SysMemError) in
      _ = try system.sysReserve(all)
    }
    recorder.expect(system, reserved: 0, prepared: 0, ready: 0, "afterwards")
  },
  Check("refusal: an error is one line that names call, range and reason") { recorder in
    let error = SysMemError(
      call: .mprotect, address: 0xabc000, byteCount: 4096, errno: .outOfMemory)
    expect(error, "mprotect of 4096 bytes at 0xabc000: ENOMEM", &recorder)
    let nowhere = SysMemError(
      call: .mmap, address: 0, byteCount: 8192, errno: Errno(rawValue: 12345))
    expect(nowhere, "mmap of 8192 bytes: errno 12345", &recorder)
  },
]

/// Reserves memory, lets a body refuse things, and frees it.
private func withReserved(
  _ recorder: inout Recorder,
  _ body: (SysMem, FakeCalls, UInt, UInt, inout Recorder) -> Void
) {
  let calls = FakeCalls()
  let system = SysMem(calls: calls)
  let size = 4 * UInt(LinuxCalls().physicalPageSize)
  recorder.expectNoError("reserved") { recorder throws(SysMemError) in
    let address = try system.sysReserve(size)
    body(system, calls, address, size, &recorder)
    calls.failNoMore()
    try system.sysFree(address, size)
  }
  recorder.expect(system, reserved: 0, prepared: 0, ready: 0, "freed")
  recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "bytes left mapped")
}

private func expect(_ error: SysMemError, _ line: StaticString, _ recorder: inout Recorder) {
  // A literal's bytes last as long as the program.
  let bytes = unsafe UnsafeBufferPointer(start: line.utf8Start, count: line.utf8CodeUnitCount)
  unsafe recorder.expect(error.description.utf8.elementsEqual(bytes), error.description)
}
