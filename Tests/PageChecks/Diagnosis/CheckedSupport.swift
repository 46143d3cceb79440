import CDiagnosis
import PageAlloc
import SysMem

/// Makes a checked arena that says nothing on standard error, or records why there is none.
func makeCheckedArena(
  _ recorder: inout Recorder, calls: any MemoryCalls = LinuxCalls(),
  quarantineByteCount: Int = 1 << 20, byteCount: UInt64? = nil,
  limit: PageArena.MemoryLimit = .none
) -> PageArena? {
  var options = PageArena.Options(calls: calls)
  if let byteCount { options.reservedByteCount = byteCount }
  options.scavenging = .manual
  options.memoryLimit = limit
  options.diagnosis = .checked(quarantineByteCount: quarantineByteCount)
  options.reportsMistakes = false
  return makeArena(&recorder, options)
}

/// Whether all calls are found on the stack here. Embedded Swift emits no tables to unwind by, and
/// not every function of its keeps a frame pointer: there a trace ends early.
#if hasFeature(Embedded)
  let hasTraces = false
#else
  let hasTraces = true
#endif

/// What the program runs under.
var tools: CInt { cdg_tools() }

/// Whether any access to a byte is an error here, as the kernel sees it, or else a tool.
func isOutOfReach(_ address: UInt) -> Bool {
  // A tool would take the kernel's look for the program's.
  tools == 0 ? !isReadable(address) : cdg_is_forbidden(tools, address) != 0
}

/// Whether the host's addresses have 32 bits.
var is32Bit: Bool { UInt.bitWidth == 32 }

extension Recorder {
  /// Records that an arena's bookkeeping must be in order, and nothing in use.
  mutating func expectEmpty(_ arena: PageArena, line: UInt = #line) {
    let broken = arena.brokenInvariant()
    expect(broken == nil, broken?.description ?? "", line: line)
    expectEqual(arena.statistics.inUseBytes, 0, "bytes in use", line: line)
    expectEqual(arena.leaks.pages, 0, "pages in the report", line: line)
  }
}
