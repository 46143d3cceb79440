import CSysMem
import PageAlloc
import PageTrace
import SysMem

/// The recorded events of a real program, ready to be replayed.
public struct Recording {
  let trace: ProgramTrace

  /// Reads a `#pagetrace 1` file that was unpacked.
  ///
  /// - Returns: `nil` for bytes that are no such file.
  public init?(_ bytes: [UInt8]) {
    guard let trace = try? ProgramTrace(parsing: bytes) else { return nil }
    self.trace = trace
  }

  /// A recording that was read already.
  package init(_ trace: ProgramTrace) { self.trace = trace }

  /// What was recorded.
  public var name: String { trace.header.name }

  /// The most pages of 8 KiB that are live at once.
  public var peakLivePages: Int { trace.header.peakLivePages }

  /// Events, and the frees of what is live at the end.
  public var operationCount: Int { trace.events.count + trace.closingFrees.count }
}

/// Replays a recording, on one thread, with one write to every page of the kernel's that is handed
/// out.
///
/// What no rival can do is done alike for all: a run that changes its size moves, and a purged page
/// is written again. Rivals that cannot free a part of a run keep it until all its parts are freed.
/// The times (`least` and `p50`) are the mean of an event. Call it in a process of its own.
public func measure(
  _ recording: Recording, on rival: Rival, pageFaults: (() -> Int)? = nil
) -> Figures {
  var result = Figures()
  // The tables are written, and so resident, before the memory is first looked at.
  var tables = ReplayTables(recording.trace)
  var planned: PlannedContender?
  if case .floor = rival {
    planned = plan(recording.trace, &tables)
    if planned == nil { return .refused }
  }
  let before = Double(ResidentMemory.exact() ?? 0)
  switch rival {
  case .arena(let hugePages):
    guard let arena = ArenaContender(hugePages: hugePages) else { return .refused }
    replay(recording.trace, arena, &tables, before, pageFaults, &result)
  case .mmap: replay(recording.trace, MmapContender(), &tables, before, pageFaults, &result)
  case .swift: replay(recording.trace, SwiftContender(), &tables, before, pageFaults, &result)
  case .functions(let functions):
    replay(
      recording.trace, FunctionContender(functions: functions), &tables, before, pageFaults,
      &result)
  case .floor:
    if let planned { replay(recording.trace, planned, &tables, before, pageFaults, &result) }
  case .nobody: return .refused
  }
  return result
}

/// Asks ours where it puts the runs of a recording. Nothing is written to them.
private func plan(_ trace: ProgramTrace, _ tables: inout ReplayTables) -> PlannedContender? {
  guard let arena = ArenaContender() else { return nil }
  let planner = Planner(arena)
  var result = Figures()
  for event in trace.events where event.kind != .purge {
    perform(event, planner, &tables, &result)
  }
  for event in trace.closingFrees { perform(event, planner, &tables, &result) }
  return PlannedContender(planner.addresses, byteCounts: planner.byteCounts)
}

/// Ours, with the addresses noted that it gives.
private final class Planner: Contender {
  private let arena: ArenaContender
  private(set) var addresses: [UInt] = []
  private(set) var byteCounts: [UInt] = []

  init(_ arena: ArenaContender) { self.arena = arena }

  func allocate(_ pages: Int) -> UInt {
    let base = arena.allocate(pages)
    if base != 0 {
      addresses.append(base)
      byteCounts.append(PageSpace.byteCount(of: pages))
    }
    return base
  }

  func allocateZeroed(_ pages: Int) -> UInt { 0 }
  func allocate(_ pages: Int, alignment: Int) -> UInt { 0 }
  func free(_ base: UInt, _ pages: Int) { arena.free(base, pages) }
  var freesParts: Bool { true }
  var writes: Bool { false }
}

/// Where the runs are.
private struct ReplayTables {
  /// Address of each run; 0 for one that was refused.
  var bases: [UInt]
  /// Pages of each run.
  var sizes: [UInt32]
  /// Pages that were not freed yet.
  var left: [UInt32]

  init(_ trace: ProgramTrace) {
    bases = [UInt](repeating: 1, count: trace.runCount)
    sizes = [UInt32](repeating: 1, count: trace.runCount)
    left = [UInt32](repeating: 1, count: trace.runCount)
  }
}

private func replay<C: Contender>(
  _ trace: ProgramTrace, _ contender: C, _ tables: inout ReplayTables, _ before: Double,
  _ pageFaults: (() -> Int)?, _ result: inout Figures
) {
  let interval = max(64, trace.events.count / 256)
  var peak = 0.0
  var sampling: UInt64 = 0
  let faults = pageFaults?() ?? 0
  let calls = contender.systemCalls
  let start = Moment.now
  var next = interval
  unsafe trace.events.withUnsafeBufferPointer { events in
    for index in 0..<events.count {
      // Below the count.
      perform(unsafe events[index], contender, &tables, &result)
      let isPeak = index == trace.peakEvent
      if isPeak || index == next {
        if index == next { next += interval }
        let pause = Moment.now
        let now = (isPeak ? ResidentMemory.exact() : ResidentMemory.quick()) ?? 0
        peak = max(peak, Double(now) - before)
        sampling += Moment.now.elapsed(since: pause)
      }
    }
  }
  for event in trace.closingFrees { perform(event, contender, &tables, &result) }
  let spent = Moment.now.elapsed(since: start, without: sampling)
  let operations = trace.events.count + trace.closingFrees.count
  if let pageFaults { result.pageFaults = Double(pageFaults() - faults) }
  if calls >= 0 { result.systemCalls = contender.systemCalls - calls }
  let mean = Double(spent) / Double(max(1, operations))
  result.least = mean
  result.p50 = mean
  result.operations = Double(operations)
  result.liveBytes = Double(trace.header.peakLivePages) * Double(PageArena.pageSize)
  result.residentPeak = peak
  result.residentFreed = Double(ResidentMemory.exact() ?? 0) - before
  contender.release()
  result.residentReleased = Double(ResidentMemory.exact() ?? 0) - before
  result.metadataBytes = contender.metadataBytes
}

@inline(__always)
private func perform<C: Contender>(
  _ event: ProgramTrace.Event, _ contender: C, _ tables: inout ReplayTables,
  _ result: inout Figures
) {
  let run = Int(event.run)
  let pages = Int(event.pageCount)
  switch event.kind {
  case .allocate:
    tables.bases[run] = take(pages, contender, &result)
    tables.sizes[run] = event.pageCount
    tables.left[run] = event.pageCount
  case .free:
    let base = tables.bases[run]
    if base == 0 { return }
    if contender.freesParts {
      contender.free(PageSpace(base: base).address(of: Int(event.offset)), pages)
    } else {
      tables.left[run] -= event.pageCount
      if tables.left[run] == 0 { contender.free(base, Int(tables.sizes[run])) }
    }
  case .purge:
    let base = tables.bases[run]
    if base != 0 { write(PageSpace(base: base).address(of: Int(event.offset)), pages) }
  case .resize:
    let old = tables.bases[run]
    tables.bases[run] = take(pages, contender, &result)
    if old != 0 { contender.free(old, Int(tables.sizes[run])) }
    tables.sizes[run] = event.pageCount
    tables.left[run] = event.pageCount
  }
}

@inline(__always)
private func take<C: Contender>(
  _ pages: Int, _ contender: C, _ result: inout Figures
) -> UInt {
  let base = contender.allocate(pages)
  if base == 0 {
    result.refusals += 1
  } else if contender.writes {
    write(base, pages)
  }
  return base
}

/// What the kernel backs memory by.
private let physicalPageSize = UInt(csm_page_size())

/// Writes a word to each page of the kernel's in a run.
@inline(__always)
private func write(_ base: UInt, _ pages: Int) {
  let step = physicalPageSize
  var address = base
  let end = PageSpace(base: base).address(of: pages)
  while address < end {
    // Inside a run that was handed out.
    unsafe UnsafeMutablePointer<UInt>(bitPattern: address)?.pointee = address
    address &+= step
  }
}
