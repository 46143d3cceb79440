import SysMem

// Address space, and what of it has become memory
// ===============================================
//
// 64-bit host: one piece. Its start takes the place of offset 0, so chunk 0 and chunk 1023 stay
// what they are, address space that faults: guards at both ends.
//
//   base                                                            base + 4 GiB
//    | chunk 0 | chunk 1 | chunk 2 | chunk 3 | ...          | chunk 1023 |
//    |  fault  |<------- grown ----->|<--------- fresh ---------->|  fault |
//              |<----- committed, accessible ------>|
//
// 32-bit host: an offset is an address and base is 0. Pieces come as the kernel has room, large
// ones first, and need not touch:
//
//    0 ........[ piece 2 ].....[ piece 1: grown | fresh ]..... code, stacks ..... 2^32

/// The arena's address space: pieces, each with a part that is grown and a part that is fresh.
package struct Reservation {
  /// A piece of address space.
  package struct Piece {
    /// What is mapped, to be given back: the chunks, and what sticks out of them at both ends.
    package var mapping: Range<UInt>
    /// What can be used of it.
    package var chunks: Range<ChunkIndex>
    /// The first chunk that was not grown yet.
    package var fresh: ChunkIndex
    /// The first chunk that is not accessible yet: none of the grown ones.
    package var uncommitted: ChunkIndex

    /// What can still be grown.
    package var freshChunks: Range<ChunkIndex> { fresh..<chunks.upperBound }

    /// Address space of which nothing is accessible yet.
    fileprivate init(mapping: Range<UInt>, chunks: Range<ChunkIndex>) {
      self.mapping = mapping
      self.chunks = chunks
      fresh = chunks.lowerBound
      uncommitted = chunks.lowerBound
    }
  }

  // A 64-bit host has all in one piece.
  #if _pointerBitWidth(_64)
    private typealias Pieces = BoundedArray<Piece, 1>
  #else
    private typealias Pieces = BoundedArray<Piece, 64>
  #endif

  /// The address of offset 0; 0 on a 32-bit host.
  package let base: UInt
  /// Bytes of address space, those that must stay reserved included.
  package private(set) var byteCount: UInt64
  /// The most that there may be.
  private let limit: UInt64
  private var pieces = Pieces(filler: Piece(mapping: 0..<0, chunks: 1..<1))

  /// The least that an arena can reserve.
  package static let minimumByteCount: UInt64 = 64 << 20
  /// All of the 32-bit space.
  package static let maximumByteCount: UInt64 = 1 << 32

  /// How many pieces there are.
  package var pieceCount: Int { pieces.count }

  /// A piece by its number.
  package subscript(index: Int) -> Piece { pieces[index] }

  private init(base: UInt, byteCount: UInt64, limit: UInt64) {
    self.base = base
    self.byteCount = byteCount
    self.limit = limit
  }

  /// Where the chunks of a piece lie that were grown.
  package func grownAddresses(ofPiece index: Int) -> Range<UInt> {
    let piece = pieces[index]
    let grown = UInt(piece.fresh - piece.chunks.lowerBound)
    let start = base + UInt(piece.chunks.lowerBound) << UInt(Geometry.chunkShift)
    return start..<(start + grown << UInt(Geometry.chunkShift))
  }

  /// The most pages in a row that can still be grown.
  package var longestFreshRun: Int {
    var longest = 0
    for index in 0..<pieceCount { longest = max(longest, pieces[index].freshChunks.count) }
    return longest << Geometry.chunkPagesLog
  }

  /// Notes that chunks were grown.
  package mutating func didGrow(piece: Int, to chunk: ChunkIndex) { pieces[piece].fresh = chunk }

  /// Notes that chunks became accessible.
  package mutating func didCommit(piece: Int, to chunk: ChunkIndex) {
    pieces[piece].uncommitted = chunk
  }

  /// Forgets what was grown. On a 64-bit host, which has one piece.
  ///
  /// - Returns: what is accessible.
  package mutating func retreat() -> Range<UInt> {
    let piece = pieces[0]
    let accessible = piece.chunks.lowerBound..<max(piece.uncommitted, piece.fresh)
    pieces[0].fresh = piece.chunks.lowerBound
    let start = base + UInt(accessible.lowerBound) << UInt(Geometry.chunkShift)
    return start..<(start + UInt(accessible.count) << UInt(Geometry.chunkShift))
  }

  /// Notes that nothing is accessible any more.
  package mutating func didFault() { pieces[0].uncommitted = pieces[0].chunks.lowerBound }

  private mutating func add(_ mapping: Range<UInt>, _ chunks: Range<ChunkIndex>) {
    pieces.append(Piece(mapping: mapping, chunks: chunks))
  }
}

// MARK: - From the system and back

extension Reservation {
  /// Whether an offset is an address.
  package static var offsetsAreAddresses: Bool { UInt.bitWidth == 32 }

  /// Reserves up to `byteCount` bytes, by halves down to the minimum where the kernel has less.
  ///
  /// Where the process may have only so much address space, at least half of what is left stays for
  /// others, down to the minimum.
  /// - Parameter byteCount: a multiple of the chunk, from the minimum to 4 GiB.
  /// - Throws: not even the minimum was granted.
  package static func reserve(
    _ byteCount: UInt64, from system: SysMem
  ) throws(SysMemError) -> Reservation {
    let fair = max(minimumByteCount, min(byteCount, fairByteCount(system)))
    if offsetsAreAddresses {
      var reservation = Reservation(base: 0, byteCount: 0, limit: byteCount)
      let first = ChunkIndex(truncatingIfNeeded: min(fair, 512 << 20) >> 22)
      try reservation.extend(wanted: first, least: Int(minimumByteCount >> 22), from: system)
      return reservation
    }
    var size = fair
    while true {
      do throws(SysMemError) {
        let (mapping, start) = try reserveAligned(UInt(truncatingIfNeeded: size), from: system)
        var reservation = Reservation(base: start, byteCount: size, limit: size)
        let chunks = ChunkIndex(truncatingIfNeeded: size >> 22)
        reservation.add(mapping, (0..<chunks).clamped(to: Geometry.growableChunks))
        return reservation
      } catch {
        if size / 2 < minimumByteCount { throw error }
        size = size / 2 & ~UInt64(Geometry.chunkByteCount - 1)
      }
    }
  }

  /// The address space of an arena in a pool: 4 GiB at a multiple of that, which the pool has
  /// reserved.
  ///
  /// - Parameter start: where it starts; on a 64-bit host.
  package init(inPoolAt start: UInt) {
    let size = Self.maximumByteCount
    self.init(base: start, byteCount: size, limit: size)
    add(start..<(start + UInt(truncatingIfNeeded: size)), Geometry.growableChunks)
  }

  /// Has address space count as an arena's that somebody else has reserved for it.
  package func adopt(by system: SysMem) {
    for index in 0..<pieceCount {
      system.sysAdopt(byteCount: UInt(self[index].mapping.count))
    }
  }

  /// What may be taken of the address space that is left to the process: half of it, with a chunk
  /// for the way to an aligned address.
  private static func fairByteCount(_ system: SysMem) -> UInt64 {
    let chunk = UInt64(Geometry.chunkByteCount)
    guard let left = system.calls.addressSpaceLeft else { return maximumByteCount }
    return min(max(left / 2, chunk) - chunk, maximumByteCount) & ~(chunk - 1)
  }

  /// Adds a piece, of `wanted` chunks or by halves fewer, down to `least`.
  ///
  /// Only where offsets are addresses; elsewhere the first piece is all there can be.
  /// - Throws: the kernel has no room, or there are too many pieces; nothing has changed.
  package mutating func extend(
    wanted: Int, least: Int, from system: SysMem
  ) throws(SysMemError) {
    let room = Int(truncatingIfNeeded: (limit - byteCount) >> UInt64(Geometry.chunkShift))
    let fair = Int(
      truncatingIfNeeded: Self.fairByteCount(system) >> UInt64(Geometry.chunkShift))
    var count = min(max(min(wanted, fair), least), room)
    while true {
      let size = UInt(count) << UInt(Geometry.chunkShift)
      do throws(SysMemError) {
        guard Self.offsetsAreAddresses, !pieces.isFull, count >= least else {
          throw SysMemError(call: .mmap, address: 0, byteCount: size, errno: .outOfMemory)
        }
        let (mapping, start) = try Self.reserveAligned(size, from: system)
        let chunk = ChunkIndex(truncatingIfNeeded: start >> UInt(Geometry.chunkShift))
        // The kernel maps nothing at the very ends of the space; were it to, they would stay
        // unused.
        let chunks = (chunk..<(chunk + count)).clamped(to: Geometry.growableChunks)
        add(trimmed(mapping, to: start..<(start + size), system), chunks)
        byteCount += UInt64(size)
        return
      } catch {
        if count / 2 < max(least, 1) { throw error }
        count /= 2
      }
    }
  }

  /// Seals what can never be grown, at both ends of each piece, as far as the kernel can.
  package func seal(by system: SysMem) {
    for index in 0..<pieceCount {
      let piece = pieces[index]
      let start = base + UInt(piece.chunks.lowerBound) << UInt(Geometry.chunkShift)
      let end = base + UInt(piece.chunks.upperBound) << UInt(Geometry.chunkShift)
      let (low, high) = (start - piece.mapping.lowerBound, piece.mapping.upperBound - end)
      if low > 0 { system.sysSeal(piece.mapping.lowerBound, low) }
      if high > 0 { system.sysSeal(end, high) }
    }
  }

  /// Gives all address space back. Nothing of it may be used any more.
  ///
  /// - Parameters:
  ///   - preparedByteCount: how many bytes of it are prepared, for the statistics.
  ///   - readyByteCount: how many bytes of it are ready.
  package func free(to system: SysMem, preparedByteCount: UInt, readyByteCount: UInt) {
    var prepared = preparedByteCount
    var ready = readyByteCount
    for index in 0..<pieceCount {
      let piece = pieces[index]
      let grown = UInt(piece.fresh - piece.chunks.lowerBound) << UInt(Geometry.chunkShift)
      // The split between the two states is known in total only; what is left goes to the next
      // piece.
      let readyHere = min(ready, grown)
      let preparedHere = min(prepared, grown - readyHere)
      let ahead = UInt(max(0, piece.uncommitted - piece.fresh)) << UInt(Geometry.chunkShift)
      ready -= readyHere
      prepared -= preparedHere
      // A whole mapping of our own: nothing is split, so there is nothing to refuse.
      system.sysFreeAtLast(
        piece.mapping.lowerBound, piece.mapping.upperBound - piece.mapping.lowerBound,
        preparedByteCount: preparedHere + ahead,
        readyByteCount: readyHere)
    }
  }

  /// Reserves bytes in which `byteCount` start at a multiple of the chunk.
  ///
  /// - Returns: all that was mapped, and where the aligned bytes start.
  private static func reserveAligned(
    _ byteCount: UInt, from system: SysMem
  ) throws(SysMemError) -> (mapping: Range<UInt>, start: UInt) {
    let chunk = UInt(Geometry.chunkByteCount)
    guard byteCount <= UInt.max - chunk else {
      throw SysMemError(call: .mmap, address: 0, byteCount: byteCount, errno: .outOfMemory)
    }
    let wide = try system.sysReserve(byteCount + chunk)
    return (wide..<(wide + byteCount + chunk), (wide + chunk - 1) & ~(chunk - 1))
  }

  /// Gives back what sticks out of a piece at both ends, for where address space is dear.
  ///
  /// - Returns: what is mapped still: all of it where the kernel refused.
  private func trimmed(
    _ mapping: Range<UInt>, to used: Range<UInt>, _ system: SysMem
  ) -> Range<UInt> {
    var rest = mapping
    if rest.lowerBound < used.lowerBound,
      (try? system.sysFree(rest.lowerBound, used.lowerBound - rest.lowerBound)) != nil
    {
      rest = used.lowerBound..<rest.upperBound
    }
    if used.upperBound < rest.upperBound,
      (try? system.sysFree(used.upperBound, rest.upperBound - used.upperBound)) != nil
    {
      rest = rest.lowerBound..<used.upperBound
    }
    return rest
  }
}
