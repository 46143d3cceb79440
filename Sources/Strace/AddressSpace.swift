import PageTrace

/// The memory of a process, and what each call does to it.
///
/// Memory is what is private, anonymous, and can be accessed. The kernel maps in pages of 4 KiB; a
/// run has pages of 8 KiB, counted from its own start:
///
/// ```
/// mmap(NULL, 20480)      |  4 KiB |  4 KiB |  4 KiB |  4 KiB |  4 KiB |
/// run of 3 pages         |      page 0     |      page 1     |      page 2     |
/// ```
///
/// So a page is freed once nothing of it is mapped, and purged when one call covers all that is.
struct AddressSpace {
  private(set) var map = AddressMap()
  /// The end of the heap that `brk` moves, once it is known.
  private(set) var heapEnd: UInt64?
  let trace: ProcessTrace

  init(_ trace: ProcessTrace) { self.trace = trace }

  /// Whether anything is known to be mapped in a range.
  func isMapped(_ range: Range<UInt64>) -> Bool { !map.parts(in: range).isEmpty }

  /// A copy for a forked child: each of its runs, or what is left of one, is a new run.
  func copy(for trace: ProcessTrace, by task: UInt64) -> AddressSpace {
    var copy = AddressSpace(trace)
    copy.heapEnd = heapEnd
    for segment in map.segments {
      if case .run = segment.use {
        copy.allocate(segment.range, by: task)
      } else {
        copy.map.insert(segment.range, segment.use)
      }
    }
    return copy
  }

  /// Frees all that there is.
  mutating func end(by task: UInt64) {
    guard let first = map.segments.first, let last = map.segments.last else { return }
    unmap(first.range.lowerBound..<last.range.upperBound, by: task)
  }

  mutating func apply(_ call: MemoryCall, by task: UInt64) {
    switch call {
    case .map(let range, let mapping, _, _):
      unmap(range, by: task)
      add(range, mapping, by: task)
    case .unmap(let range):
      if !isMapped(range) { trace.leftOut.callsElsewhere += 1 }
      unmap(range, by: task)
    case .protect(let range, let isAccessible):
      if !isMapped(range) { trace.leftOut.callsElsewhere += 1 }
      if isAccessible { open(range, by: task) } else { close(range, by: task) }
    case .remap(let old, let new, let keepsOld):
      remap(old, new, keepsOld: keepsOld, by: task)
    case .discard(let range):
      if !isMapped(range) { trace.leftOut.callsElsewhere += 1 }
      for part in map.parts(in: range) {
        guard case .run(let run) = part.use else { continue }
        trace.purge(pages(of: part.range, run), of: run, by: task)
      }
    case .setBreak(let wanted, let result): moveHeapEnd(to: result, wanted, by: task)
    case .advise: trace.leftOut.otherAdvice += 1
    }
  }
}

extension AddressSpace {
  private mutating func add(
    _ range: Range<UInt64>, _ mapping: MemoryCall.Mapping, by task: UInt64
  ) {
    switch mapping {
    case .memory: allocate(range, by: task)
    case .reserved:
      trace.leftOut.reservations += 1
      map.insert(range, .reserved)
    case .file:
      trace.leftOut.fileMappings += 1
      map.insert(range, .other)
    case .shared:
      trace.leftOut.sharedMappings += 1
      map.insert(range, .other)
    }
  }

  private mutating func allocate(_ range: Range<UInt64>, by task: UInt64) {
    if range.isEmpty { return }
    map.insert(range, trace.allocate(range, by: task).map { .run($0) } ?? .other)
  }

  private mutating func unmap(_ range: Range<UInt64>, by task: UInt64) {
    free(map.remove(range), by: task)
  }

  /// Frees the runs of parts that are out of the map already.
  private func free(_ parts: [AddressMap.Segment], by task: UInt64) {
    for part in parts {
      guard case .run(let run) = part.use else { continue }
      trace.free(pages(of: part.range, run), of: run, by: task)
    }
  }

  /// The pages of a part of a run, without those of which a half outside of the part is mapped.
  private func pages(of part: Range<UInt64>, _ run: Int) -> Range<Int> {
    let size = ProcessTrace.pageSize
    let base = trace.runs[run].base
    var first = (part.lowerBound - base) / size
    var end = (part.upperBound - base + size - 1) / size
    if (part.lowerBound - base) % size != 0, isMapped(part.lowerBound - 1, of: run) { first += 1 }
    if (part.upperBound - base) % size != 0, isMapped(part.upperBound, of: run) { end -= 1 }
    return Int(first)..<Int(max(first, end))
  }

  private func isMapped(_ address: UInt64, of run: Int) -> Bool {
    map.segment(at: address)?.use == .run(run)
  }

  /// What was reserved becomes memory: a run for each stretch.
  private mutating func open(_ range: Range<UInt64>, by task: UInt64) {
    var stretches: [Range<UInt64>] = []
    for part in map.parts(in: range) where part.use == .reserved {
      if let last = stretches.last, last.upperBound == part.range.lowerBound {
        stretches[stretches.count - 1] = last.lowerBound..<part.range.upperBound
      } else {
        stretches.append(part.range)
      }
    }
    for stretch in stretches {
      map.remove(stretch)
      allocate(stretch, by: task)
    }
  }

  /// Memory that loses all access is freed, and is reserved from then on.
  private mutating func close(_ range: Range<UInt64>, by task: UInt64) {
    for part in map.parts(in: range) {
      guard case .run = part.use else { continue }
      free(map.remove(part.range), by: task)
      map.insert(part.range, .reserved)
    }
  }

  /// A run that is moved or resized as a whole stays the same run. Of anything else the old part is
  /// freed, and what is new is a run of its own.
  private mutating func remap(
    _ old: Range<UInt64>, _ new: Range<UInt64>, keepsOld: Bool, by task: UInt64
  ) {
    guard let first = map.parts(in: old).first else {
      trace.leftOut.callsElsewhere += 1
      return unmap(new, by: task)
    }
    if keepsOld {
      unmap(new, by: task)
      if case .run(let run) = first.use {
        trace.purge(pages(of: first.range, run), of: run, by: task)
        return allocate(new, by: task)
      }
      return map.insert(new, first.use)
    }
    if case .run(let run) = first.use, first.range == old,
      old == trace.runs[run].base..<trace.runs[run].base + trace.runs[run].byteCount
    {
      map.remove(old)
      unmap(new, by: task)
      if trace.move(run, to: new, by: task) { return map.insert(new, first.use) }
      // There is no room for so much.
      trace.free(pages(of: old, run), of: run, by: task)
      return allocate(new, by: task)
    }
    if old.lowerBound == new.lowerBound {
      if new.count < old.count { return unmap(new.upperBound..<old.upperBound, by: task) }
      let added = old.upperBound..<new.upperBound
      unmap(added, by: task)
      return extend(added, as: first.use, by: task)
    }
    unmap(old, by: task)
    unmap(new, by: task)
    extend(new, as: first.use, by: task)
  }

  private mutating func extend(
    _ range: Range<UInt64>, as use: AddressMap.Use, by task: UInt64
  ) {
    if case .run = use { allocate(range, by: task) } else { map.insert(range, use) }
  }

  private mutating func moveHeapEnd(to result: UInt64, _ wanted: UInt64, by task: UInt64) {
    defer { heapEnd = result }
    // A question, the first that is heard of the heap, or a refusal, which tells the old end.
    guard wanted == result, let heapEnd else {
      if wanted != 0, wanted != result { trace.leftOut.refusedBreaks += 1 }
      return
    }
    let size = MemoryCall.granule
    let old = (heapEnd + size - 1) / size * size
    let new = (result + size - 1) / size * size
    if new > old {
      unmap(old..<new, by: task)
      allocate(old..<new, by: task)
    } else {
      unmap(new..<old, by: task)
    }
  }
}
