import PageAlloc
import SysMem
import Synchronization

/// Address space, and where an arena grows in it.
package let reservationChecks: [Check] = [
  Check("reservation: by halves where the kernel refuses, and all of it goes back") { recorder in
    // 256, 128 and 64 MiB; less is not enough.
    for refusals in 0...3 {
      recorder.context = "\(refusals) refused"
      let calls = FakeCalls()
      let system = SysMem(calls: calls)
      if refusals > 0 { calls.failingCall.store(0, ordering: .relaxed) }
      calls.failureCount.store(refusals, ordering: .relaxed)
      do throws(SysMemError) {
        let reservation = try Reservation.reserve(256 << 20, from: system)
        recorder.expect(refusals < 3, "less than the minimum was taken")
        let size = UInt64(256 << 20) >> UInt64(refusals)
        recorder.expectEqual(reservation.byteCount, size, "bytes")
        recorder.expectEqual(reservation.pieceCount, 1, "pieces")
        compare(reservation, reservation[0], size, &recorder)
        recorder.expectEqual(
          calls.mappedByteCount.load(ordering: .relaxed), reservation[0].mapping.count, "mapped")
        reservation.free(to: system, preparedByteCount: 0, readyByteCount: 0)
      } catch {
        recorder.expectEqual(refusals, 3, "refusals")
        recorder.expect(error.call == .mmap, error.description)
      }
      recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
    }
  },

  Check("reservation: more pieces only where offsets are addresses, and no more than allowed") {
    recorder in
    let calls = FakeCalls()
    let system = SysMem(calls: calls)
    recorder.expectNoError("a reservation") { recorder throws(SysMemError) in
      // 64 MiB of 256.
      calls.failingCall.store(0, ordering: .relaxed)
      calls.failureCount.store(2, ordering: .relaxed)
      var reservation = try Reservation.reserve(256 << 20, from: system)
      calls.failingCall.store(-1, ordering: .relaxed)
      let rows: [(wanted: Int, least: Int, chunks: Int)] = [(16, 1, 16), (100, 32, 32), (1, 1, 0)]
      for row in rows {
        recorder.context = "\(row.wanted) chunks, at least \(row.least)"
        let (count, byteCount) = (reservation.pieceCount, reservation.byteCount)
        do throws(SysMemError) {
          try reservation.extend(wanted: row.wanted, least: row.least, from: system)
          recorder.expect(Reservation.offsetsAreAddresses && row.chunks > 0, "extended")
          recorder.expectEqual(reservation.pieceCount, count + 1, "pieces")
          compare(reservation, reservation[count], UInt64(row.chunks) << 22, &recorder)
        } catch {
          recorder.expect(!Reservation.offsetsAreAddresses || row.chunks == 0, error.description)
          recorder.expectEqual(reservation.pieceCount, count, "pieces, as before")
          recorder.expectEqual(reservation.byteCount, byteCount, "bytes, as before")
        }
      }
      reservation.free(to: system, preparedByteCount: 0, readyByteCount: 0)
    }
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  },

  Check("reservation: what was grown is fresh no more") { recorder in
    let system = SysMem(calls: FakeCalls())
    recorder.expectNoError("a reservation") { recorder throws(SysMemError) in
      var reservation = try Reservation.reserve(64 << 20, from: system)
      let all = reservation[0].chunks
      recorder.expect(reservation[0].freshChunks == all, "all is fresh")
      reservation.didGrow(piece: 0, to: all.lowerBound + 3)
      recorder.expect(reservation[0].freshChunks == all.dropFirst(3), "but for three")
      reservation.didGrow(piece: 0, to: all.upperBound)
      recorder.expect(reservation[0].freshChunks.isEmpty, "none")
      recorder.expect(reservation[0].chunks == all, "the piece is as before")
      reservation.free(to: system, preparedByteCount: 0, readyByteCount: 0)
    }
  },

  Check("growth: as far as a run reaches beyond the free pages at the frontier") { recorder in
    //     free at the frontier, pages, aligned to, chunks added, where the run starts (from the
    //     frontier); no chunks: it does not grow
    let rows: [(free: Int, pages: Int, aligned: Int, chunks: Int, start: Int)] = [
      (0, 1, 1, 1, 0), (0, 512, 1, 1, 0), (0, 513, 1, 2, 0), (10, 11, 1, 1, -10),
      (10, 522, 1, 1, -10), (10, 523, 1, 2, -10), (10, 10, 1, 0, 0), (10, 9, 1, 0, 0),
      (512, 513, 1, 1, -512), (10, 11, 8, 1, -8), (10, 8, 8, 0, 0), (10, 9, 8, 1, -8),
      (10, 11, 512, 1, 0), (100, 1, 512, 1, 0), (0, 512 * 14, 1, 14, 0), (0, 512 * 20, 1, 0, 0),
    ]
    for row in rows {
      recorder.context = "\(row.pages) pages, aligned to \(row.aligned), \(row.free) free"
      guard let subject = makeHeap(&recorder), let run = subject.fill(512, &recorder) else {
        return
      }
      if row.free > 0 { subject.give((run.upperBound - row.free)..<run.upperBound, of: run) }
      let place = subject.place(for: row.pages, subject.alignment(row.aligned))
      recorder.expectEqual(place?.chunks.count ?? 0, row.chunks, "chunks")
      guard let place else { continue }
      recorder.expectEqual(place.addedPages, 512 * row.chunks, "pages added")
      recorder.expectEqual(place.firstAdded, run.upperBound, "next to what there is")
      recorder.expectEqual(place.page - run.upperBound, row.start, "the run's first page")
      guard subject.grow(for: row.pages, aligned: row.aligned, &recorder) != nil else { return }
      recorder.expectEqual(
        subject.take(row.pages, aligned: row.aligned)?.page ?? -1, place.page, "the run")
    }
  },
]

/// Compares a piece of a reservation with what it must be: whole chunks of the mapping, but for the
/// ends of the space.
private func compare(
  _ reservation: borrowing Reservation, _ piece: Reservation.Piece, _ byteCount: UInt64,
  _ recorder: inout Recorder
) {
  let chunk = UInt(Geometry.chunkByteCount)
  recorder.expectEqual(reservation.base % chunk, 0, "the base, in a chunk")
  let first = reservation.base + UInt(piece.chunks.lowerBound) * chunk
  let end = reservation.base + UInt(piece.chunks.upperBound) * chunk
  recorder.expect(piece.mapping.lowerBound <= first, "the first chunk is mapped")
  recorder.expect(end <= piece.mapping.upperBound, "and the last")
  let ends = Reservation.offsetsAreAddresses ? 0 : 1
  recorder.expectEqual(piece.chunks.count, Int(byteCount >> 22) - ends, "chunks")
  recorder.expect(
    Geometry.growableChunks.clamped(to: piece.chunks) == piece.chunks, "chunks that can be grown")
  recorder.expectEqual(piece.fresh, piece.chunks.lowerBound, "the first fresh chunk")
}
