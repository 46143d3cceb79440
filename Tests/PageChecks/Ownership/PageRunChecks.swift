import PageAlloc

/// Owners of runs: what they free, when, and what happens when the arena goes first.
package let pageRunChecks: [Check] = [
  Check("run: frees itself, or is freed by deallocate") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    do {
      guard let run = arena.own(3, &recorder) else { return }
      recorder.expectEqual(run.pages, 3, "pages")
      recorder.expectEqual(run.byteCount, 3 * 8192, "bytes")
      recorder.expectEqual(arena.statistics.inUseBytes, 3 * 8192, "in use")
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use after the scope")
    guard let run = arena.own(700, &recorder) else { return }
    run.deallocate()
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use after deallocate")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("run: spans show the memory, as bytes and as elements") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(2, zeroed: true, &recorder) else {
      return
    }
    recorder.expectEqual(run.bytes.byteCount, 16_384, "bytes in the span")
    recorder.expectEqual(run.capacity(for: UInt32.self), 4096, "elements")
    let text = "PageRun(2 pages at 0x\(String(run.address, radix: 16)))"
    recorder.expect(run.description.utf8.elementsEqual(text.utf8), run.description)
    do {
      var words = run.mutableElements(of: UInt32.self)
      for index in 0..<words.count { words[index] = UInt32(index) }
    }
    var total: UInt64 = 0
    do {
      let seen = run.elements(of: UInt32.self)
      for index in 0..<seen.count { total += UInt64(seen[index]) }
    }
    let highest = unsafe run.withUnsafeBytes {
      unsafe $0.load(fromByteOffset: 16_380, as: UInt32.self)
    }
    recorder.expectEqual(highest, 4095, "the last element, as bytes")
    recorder.expectEqual(total, 4095 * 4096 / 2, "sum of the elements")
    do {
      var bytes = run.mutableBytes
      bytes.storeBytes(of: 0x0102_0304 as UInt32, toByteOffset: 8, as: UInt32.self)
    }
    recorder.expectEqual(run.elements(of: UInt32.self)[2], 0x0102_0304, "what was stored")
    let last = unsafe run.withUnsafeMutableBytes { unsafe $0[16_383] }
    recorder.expectEqual(last, 0, "the last byte, the highest of 4095")
    let count = unsafe run.withMemoryBound(to: UInt64.self) { $0.count }
    recorder.expectEqual(count, 2048, "elements of 8 bytes")
  },

  Check("run: bytes are copied in and out, and elements appended, as far as they fit") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(2, zeroed: true, &recorder) else {
      return
    }
    let numbers: [UInt32] = [1, 2, 3, 0xffff_ffff]
    run.copyBytes(from: numbers.span)
    run.copyBytes(from: numbers.span, toByteOffset: 16_384 - 16)
    run.copyBytes(from: numbers.span.extracting(0..<0), toByteOffset: 16_384)
    for start in [0, 4092] {
      for (index, number) in numbers.enumerated() {
        recorder.expectEqual(run.elements(of: UInt32.self)[start + index], number, "copied in")
      }
    }
    recorder.expectEqual(run.elements(of: UInt32.self)[4], 0, "behind what was copied in")
    var read: [UInt32] = [7, 7, 7]
    do {
      var span = read.mutableSpan
      run.copyBytes(fromByteOffset: 16_384 - 12, into: &span)
    }
    recorder.expect(read == [2, 3, 0xffff_ffff], "copied out: \(read)")

    var appended = run.initialize(of: UInt64.self) { output in
      recorder.expectEqual(output.freeCapacity, 2048, "room for elements")
      while !output.isFull { output.append(UInt64(output.count)) }
    }
    recorder.expectEqual(appended, 2048, "elements appended")
    recorder.expectEqual(run.elements(of: UInt64.self)[2047], 2047, "the last of them")
    appended = run.initialize(of: Bool.self) { $0.append(true) }
    recorder.expectEqual(appended, 1, "flags appended")
    // The first one was just written.
    let flag = unsafe run.unsafeElements(of: Bool.self)[0]
    recorder.expect(flag, "the flag")
    do throws(PageArenaError) {
      _ = try run.initialize(of: Int.self) { _ throws(PageArenaError) in throw .badDiagnosis }
      recorder.fail("what the closure throws is lost")
    } catch {
      recorder.expect(error == .badDiagnosis, "thrown by the closure")
    }
  },

  Check("run: any bits are a number, and a vector of numbers") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(1, &recorder) else { return }
    do {
      var words = run.mutableElements(of: UInt64.self)
      for index in 0..<words.count { words[index] = 0x7ff4_0000_0000_0001 }
    }
    recorder.expect(run.elements(of: Double.self)[3].isNaN, "a number that is none")
    recorder.expectEqual(run.elements(of: SIMD4<UInt16>.self)[1][3], 0x7ff4, "of a vector")
    recorder.expectEqual(run.elements(of: Pair.self)[1023].high, 0x7ff4_0000, "of a structure")
  },

  Check("run: halves free themselves, in either order") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    for lowerFirst in [true, false] {
      guard let run = arena.own(600, &recorder) else { return }
      let start = run.address
      let halves = run.split(at: 500)
      recorder.expectEqual(halves.lower.pages, 500, "pages of the lower")
      recorder.expectEqual(halves.upper.pages, 100, "pages of the upper")
      recorder.expectEqual(halves.upper.address, start + 500 * 8192, "start of the upper")
      let (lower, upper) = (halves.lower.offset, halves.upper.offset)
      recorder.expectEqual(upper - lower, 500 * 8192, "offsets")
      var first: PageRun? = halves.lower
      var second: PageRun? = halves.upper
      if lowerFirst { first = nil } else { second = nil }
      recorder.expectEqual(
        arena.statistics.inUseBytes, (lowerFirst ? 100 : 500) * 8192, "in use with one half")
      if lowerFirst { second = nil } else { first = nil }
      recorder.expect(first == nil && second == nil, "both are gone")
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("run: leaked memory is the caller's, and can be adopted") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.own(5, &recorder) else { return }
    guard let memory = unsafe try? run.leak() else {
      recorder.fail("not leaked")
      return
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 5 * 8192, "in use when leaked")
    guard let base = memory.baseAddress else { return }
    recorder.throwsError(.badPageCount(pages: 4, limit: 5)) { () throws(PageArenaError) in
      _ = unsafe try arena.adopt(base, pages: 4)
    }
    recorder.throwsError(.pastEndOfRun(base: UInt(bitPattern: base), pages: 6)) {
      () throws(PageArenaError) in _ = unsafe try arena.adopt(base, pages: 6)
    }
    let second = UInt(bitPattern: base) + 8192
    recorder.throwsError(.notInUse(base: second, pages: 4)) { () throws(PageArenaError) in
      _ = unsafe try arena.adopt(base + 8192, pages: 4)
    }
    recorder.throwsError(.misaligned(base: UInt(bitPattern: base) + 8)) {
      () throws(PageArenaError) in _ = unsafe try arena.adopt(base + 8, pages: 5)
    }
    // Pages that the arena never had.
    recorder.throwsError(.foreign(base: UInt(bitPattern: base))) { () throws(PageArenaError) in
      _ = unsafe try arena.adopt(base, pages: 10_000)
    }
    let beyond = unsafe base + 5000 * 8192
    recorder.throwsError(.foreign(base: UInt(bitPattern: beyond))) { () throws(PageArenaError) in
      _ = unsafe try arena.adopt(beyond, pages: 5)
    }
    recorder.succeeds("adopt") { () throws(PageArenaError) in
      _ = unsafe try arena.adopt(base, pages: 5)
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use after the adopter")
  },

  Check("run: a handle of 32 bits finds the memory of a live run only") { recorder in
    guard let arena = makeArena(&recorder), let first = arena.own(2, &recorder),
      let run = arena.own(520, guarded: true, &recorder)
    else { return }
    let (offset, address) = (run.offset, run.address)
    let memory = unsafe try? arena.bytes(at: offset)
    recorder.expect(unsafe UInt(bitPattern: memory?.baseAddress) == address, "address")
    recorder.expect(unsafe memory?.count == 520 * 8192, "bytes")
    for wrong in [offset + 1, offset + 8192, first.offset + 8192, 0, .max, .max - 8191] {
      recorder.throwsError(.notARun(offset: wrong)) { () throws(PageArenaError) in
        _ = unsafe try arena.bytes(at: wrong)
      }
    }
    run.deallocate()
    recorder.throwsError(.notARun(offset: offset)) { () throws(PageArenaError) in
      _ = unsafe try arena.bytes(at: offset)
    }
    recorder.expectEqual(first.pages, 2, "the first run lives")
  },

  Check("run: the memory stays until the last run of an arena that went has gone") { recorder in
    let calls = FakeCalls()
    var keeper: PageRun?
    do {
      guard let arena = makeArena(&recorder, calls: calls), var run = arena.own(9, &recorder),
        let other = arena.own(600, guarded: true, &recorder), arena.take(3, &recorder) != nil
      else { return }
      run.stamp(77)
      keeper = consume run
      let halves = other.split(at: 100)
      recorder.expectEqual(halves.lower.pages, 100, "a half that lives as long as the arena")
    }
    recorder.expect(calls.mappedByteCount.load(ordering: .relaxed) > 0, "mapped while it lives")
    guard var run = keeper.take() else { return }
    recorder.expect(run.isStamped(77, pages: 9), "contents")
    recorder.expect(run.grow(to: 600), "grows in an arena that went")
    run.stamp(78)
    recorder.succeeds("protect") { () throws(PageArenaError) in try run.protect(.readOnly) }
    let halves = run.split(at: 7)
    recorder.expect(halves.lower.isStamped(78, pages: 7), "contents of a half")
    halves.upper.deallocate()
    recorder.expect(calls.mappedByteCount.load(ordering: .relaxed) > 0, "mapped with one half")
    halves.lower.deallocate()
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  },

  Check("run: bad requests are errors") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    for pages in [0, -1, .min, .max, 1022 * 512 + 1] {
      recorder.throwsError(.badPageCount(pages: pages, limit: 1022 * 512)) {
        () throws(PageArenaError) in _ = try arena.allocateRun(pages: pages)
      }
      recorder.throwsError(.badPageCount(pages: pages, limit: 1022 * 512 - 2)) {
        () throws(PageArenaError) in _ = try arena.allocateGuardedRun(pages: pages)
      }
    }
    for alignment in [0, -8192, 3, .max, .min] {
      recorder.throwsError(.badAlignment(alignment: alignment)) { () throws(PageArenaError) in
        _ = try arena.allocateRun(pages: 1, alignment: alignment)
      }
      recorder.throwsError(.badAlignment(alignment: alignment)) { () throws(PageArenaError) in
        _ = try arena.allocateGuardedRun(pages: 1, alignment: alignment)
      }
    }
    // Each is fine, but there is no room for both.
    let most = 1022 * 512 - 2
    recorder.throwsError(.outOfMemory(pages: most, largestFreeRun: 0)) {
      () throws(PageArenaError) in _ = try arena.allocateGuardedRun(pages: most, alignment: 1 << 16)
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use")
  },
]

private struct Pair: FullyInhabited, BitwiseCopyable {
  var low: UInt32
  var high: UInt32

  static var bitPatterns: BitPatternPromise<Pair> { unsafe BitPatternPromise() }
}
