import PageAlloc

/// Frames with an owner.
package let frameChecks: [Check] = [
  Check("frame: it frees itself, holds its slab, and is read and written as bytes") { recorder in
    let calls = FakeCalls()
    do {
      guard let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20),
        let slab = makeSlab(1024, in: arena, &recorder)
      else { return }
      guard var frame = try? slab.allocateFrame(), let other = try? slab.allocateFrame() else {
        return recorder.fail("no frame")
      }
      recorder.expectEqual(slab.statistics.framesInUse, 2, "in use")
      recorder.expectEqual(frame.byteCount, 1024, "bytes")
      recorder.expectEqual(frame.bytes.byteCount, 1024, "bytes in the span")
      recorder.expectEqual(frame.address % 1024, 0, "alignment")
      recorder.expectEqual(unsafe UInt(bitPattern: frame.baseAddress), frame.address, "its base")
      recorder.expect(frame.slab === slab, "its slab")
      var bytes = frame.mutableBytes
      bytes.storeBytes(of: 77, toByteOffset: 1016, as: UInt64.self)
      let last = unsafe frame.bytes.unsafeLoad(fromByteOffset: 1016, as: UInt64.self)
      recorder.expectEqual(last, 77, "what was written")
      other.deallocate()
      recorder.expectEqual(slab.statistics.framesInUse, 1, "one went")
      _ = consume frame
      recorder.expectEqual(slab.statistics.framesInUse, 0, "both went")
    }
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  },

  Check("frame: its slab and its arena stay for it") { recorder in
    let calls = FakeCalls()
    do {
      var last: PageFrame?
      do {
        guard let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20),
          let slab = makeSlab(4096, in: arena, &recorder)
        else { return }
        last = try? slab.allocateFrame()
      }
      guard var frame = last.take() else { return recorder.fail("no frame") }
      var bytes = frame.mutableBytes
      bytes.storeBytes(of: 5, as: UInt8.self)
      recorder.expect(calls.mappedByteCount.load(ordering: .relaxed) > 0, "still there")
    }
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  },

  Check("frame: one that is leaked is the caller's, and can be adopted") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20),
      let slab = makeSlab(512, in: arena, &recorder),
      let owned = try? slab.allocateFrame()
    else { return }
    let raw = unsafe Frame(owned.leak())
    recorder.expectEqual(slab.statistics.framesInUse, 1, "it stays")
    let inside = raw.address + 8
    recorder.throwsError(.misaligned(base: inside)) { () throws(PageArenaError) in
      _ = unsafe try slab.adopt(raw.pointer + 8)
    }
    recorder.succeeds("adopted") { () throws(PageArenaError) in
      let frame = unsafe try slab.adopt(raw.pointer)
      frame.deallocate()
    }
    recorder.expectEqual(slab.statistics.framesInUse, 0, "freed by its owner")
    recorder.throwsError(.frameNotInUse(base: raw.address)) { () throws(PageArenaError) in
      _ = unsafe try slab.adopt(raw.pointer)
    }
  },

  Check("frame: one that was freed behind its owner's back traps") { recorder in
    if leavesOutFork(&recorder) { return }
    guard let arena = makeArena(&recorder, byteCount: 64 << 20),
      let slab = makeSlab(512, in: arena, &recorder)
    else {
      return
    }
    let end = inHeardChild(&recorder) {
      guard let frame = try? slab.allocateFrame() else { return }
      if unsafe (try? slab.deallocate(frame.baseAddress)) == nil { return }
      frame.deallocate()
    }
    recorder.expect(end.isTrap, "status \(end.status)")
    end.expect("behind its owner's back", &recorder)
  },
]
