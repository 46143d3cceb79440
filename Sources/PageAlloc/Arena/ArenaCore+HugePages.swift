import SysMem

extension ArenaCore {
  /// Tells the kernel about chunks that were just made accessible, before anybody can have pages of
  /// theirs. A refusal is counted: huge pages are a wish.
  ///
  func adviseHugePages(
    _ growth: inout Growth, _ chunks: Range<ChunkIndex>, _ place: GrowthPlace
  ) {
    switch hugePages {
    case .system: break
    case .automatic:
      let first = max(chunks.lowerBound, place.firstChunkOfRun)
      askForHugePages(&growth, first..<chunks.upperBound)
    case .prefer: _ = advise(range(ofChunks: chunks), hugePages: true)
    case .avoid: _ = advise(range(ofChunks: chunks), hugePages: false)
    }
  }

  /// Asks for huge pages where that is worth it. Nothing is touched: what the kernel has of them is
  /// learnt from its counters, in the background.
  ///
  /// Only from the run on that the arena grows for: nobody knows what the memory before it will be
  /// used for, where it lies apart to be aligned.
  private func askForHugePages(_ growth: inout Growth, _ chunks: Range<ChunkIndex>) {
    let unit = UInt(system.calls.hugePageSize)
    guard unit > 0, unit <= UInt(Geometry.chunkByteCount), !isLimited,
      growth.hugeGrowth.isDue(
        grownPages: withHeap { $0.counts.grown }, chunkCount: chunks.count),
      advise(range(ofChunks: chunks), hugePages: true)
    else { return }
    growth.hugeGrowth.note(asked: chunks.count)
    withHeap { $0.hugeChunks.insert(chunks) }
    if growth.hugeGrowth.isLookDue, plan.isInBackground { ScavengerThread.wake(self) }
  }

  /// Asks for no more huge pages, where it did: the kernel backs what is touched from now on, and
  /// no more.
  func stopHugePages() {
    withGrowth { _ in
      var next = 0
      while let chunks = withHeap({ $0.hugeChunks.firstRange(from: next) }) {
        next = chunks.upperBound
        _ = advise(range(ofChunks: chunks), hugePages: false)
      }
    }
  }

  func range(ofChunks chunks: Range<ChunkIndex>) -> AdvisedRange {
    AdvisedRange(
      address: address(of: Geometry.firstPage(of: chunks.lowerBound)),
      byteCount: UInt(chunks.count) << UInt(Geometry.chunkShift))
  }
}

// MARK: - Gathering

extension ArenaCore {
  /// Gathers memory in use into huge pages, as ``PageArena/collapse()`` says.
  func collapse() throws(PageArenaError) -> Int {
    let unit = withHeap { $0.allocator.kernelPages.pagesPerHugePage }
    guard unit > 0, unit <= Geometry.pagesPerChunk else { return 0 }
    // Nothing becomes scavenged meanwhile, so that the kernel does not back it again behind our
    // back.
    return try withRelease { () throws(PageArenaError) in
      var gathered = 0
      var refusal: SysMemError?
      var page = 0
      while let next = withHeap({ $0.nextFullUnit(from: page, unit) }) {
        page = next + unit
        let memory = range(of: next..<page)
        guard hasContents(memory) else { continue }
        do throws(SysMemError) {
          try collapse(memory)
          gathered += Int(Self.byteCount(unit))
        } catch {
          // No huge page to be had, or the memory is being looked at: this unit stays as it is. So
          // does one of several mappings: the kernel says of it what it says of a call that it does
          // not know.
          switch error.errno {
          case .tryAgain, .busy, .outOfMemory: break
          case .invalidArgument: refusal = error
          default: throw .system(error)
          }
        }
      }
      if gathered == 0, let refusal { throw .system(refusal) }
      return gathered
    }
  }

  /// Whether a unit holds something that somebody may access. The kernel would back one that was
  /// emptied, all of it, though its pages are inaccessible and count for nothing.
  ///
  /// Where it does not tell, it is asked to gather.
  private func hasContents(_ memory: AdvisedRange) -> Bool {
    let calls = system.calls
    if (try? calls.residentByteCount(memory.address, memory.byteCount)) == 0 { return false }
    // It gathers nothing across mappings, so a byte tells for all. In an empty unit, the look
    // itself would have it back something.
    return calls.isReadable(memory.address) != false
  }

  /// Gathers a unit, also one that the arena advised against, which the kernel refuses as if it
  /// could not; but not where an owner may have advised against it.
  private func collapse(_ memory: AdvisedRange) throws(SysMemError) {
    do throws(SysMemError) {
      return try system.sysCollapse(memory.address, memory.byteCount)
    } catch {
      let wasAdvised = withHeap { $0.hugeChunks.contains(chunk(of: memory)) }
      guard error.errno == .invalidArgument, wasAdvised, !isAdvisedByOwner(memory),
        advise(memory, hugePages: true)
      else {
        throw error
      }
    }
    // What is gathered stays so; where a part of it goes back, it is not filled again. Nor is what
    // could not be gathered. An owner's advice of meanwhile is left alone.
    defer { if !isAdvisedByOwner(memory) { _ = advise(memory, hugePages: false) } }
    try system.sysCollapse(memory.address, memory.byteCount)
  }

  private func isAdvisedByOwner(_ memory: AdvisedRange) -> Bool {
    withHeap { $0.ownAdviceChunks.contains(chunk(of: memory)) }
  }

  private func chunk(of memory: AdvisedRange) -> ChunkIndex {
    Geometry.chunk(of: page(of: memory.address))
  }
}
