import PageAlloc
import SysMem

/// The chunks' maps, in tables without an allocator.
package let chunkMapChecks: [Check] = [
  Check("chunk map: each chunk has two maps of its own, from the first to the last") { recorder in
    recorder.expectNoError("tables") { recorder throws(SysMemError) in
      let owner = try StandaloneTables(system: SysMem(calls: LinuxCalls()), headByteCount: 0)
      owner.tables.mapChunks(0..<Geometry.chunkCount)
      let chunks = owner.tables.chunks
      for chunk in 0..<Geometry.chunkCount {
        let maps = chunks.data(chunk)
        for index in 0..<Geometry.wordsPerChunk {
          recorder.expectEqual(maps.allocated.bits.word(index), 0, "zero at first")
          maps.allocated.bits.setWord(index, UInt64(chunk) << 8 | UInt64(index))
          maps.scavenged.setWord(index, ~(UInt64(chunk) << 8 | UInt64(index)))
        }
      }
      for chunk in 0..<Geometry.chunkCount where recorder.isGood {
        recorder.context = "chunk \(chunk)"
        let maps = chunks.data(chunk)
        for index in 0..<Geometry.wordsPerChunk {
          let word = UInt64(chunk) << 8 | UInt64(index)
          recorder.expectEqual(maps.allocated.bits.word(index), word, "in use, word \(index)")
          recorder.expectEqual(maps.scavenged.word(index), ~word, "scavenged, word \(index)")
        }
      }
      // What the tables clear of some chunks, they clear of no other.
      owner.tables.clear(chunks: 5..<7)
      for (chunk, isClear) in [(4, false), (5, true), (6, true), (7, false)] {
        let word = chunks.data(chunk).scavenged.word(7)
        recorder.expect((word == 0) == isClear, "chunk \(chunk) after some were cleared")
      }
    }
  }
]
