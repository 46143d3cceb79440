/// Who asks for memory to go back, which decides what may be taken.
package enum ScavengeMode: Sendable {
  /// In the background: dense chunks are left alone.
  case background
  /// On request: whatever is free.
  case force
}

/// What the scavenger knows of one chunk, in one word.
///
/// ```
///   63 ........ 32 | 31 ... 28 | 27 | 26 | 25 ... 16 | 15 ....... 0
///     generation   |     0     | s  | f  |   last    |    in use
/// ```
/// `last` is the number of pages in use when the generation last changed; f says that there may be
/// something to give back, s that there may be something on request, if not in the background. The
/// engine by itself never sets s.
package struct ScavengeRecord: Equatable, Sendable {
  /// The packed form.
  package var packed: UInt64

  // Computed: on 32-bit hosts a stored one is set up on first use, which each use then asks for.
  private static var freeFlag: UInt64 { 1 &<< 26 }
  private static var sparedFlag: UInt64 { 1 &<< 27 }

  /// Takes the packed form as it is.
  @inline(__always)
  package init(packed: UInt64) { self.packed = packed }

  /// Packs the fields.
  ///
  /// - Precondition: `inUse` and `lastInUse` are in 0 ... 512.
  package init(inUse: Int, lastInUse: Int, generation: UInt32, hasFree: Bool) {
    packed =
      UInt64(truncatingIfNeeded: inUse) | UInt64(truncatingIfNeeded: lastInUse) &<< 16
      | (hasFree ? Self.freeFlag : 0) | UInt64(generation) &<< 32
  }

  /// Pages in use.
  @inline(__always)
  package var inUse: Int { Int(truncatingIfNeeded: packed & 0xffff) }

  /// Pages in use when the generation last changed.
  @inline(__always)
  package var lastInUse: Int { Int(truncatingIfNeeded: packed &>> 16 & 0x3ff) }

  /// The generation of the last change.
  @inline(__always)
  package var generation: UInt32 { UInt32(truncatingIfNeeded: packed &>> 32) }

  /// Whether there may be something to give back.
  @inline(__always)
  package var hasFree: Bool {
    get { packed & Self.freeFlag != 0 }
    set { packed = newValue ? packed | Self.freeFlag : packed & ~Self.freeFlag }
  }

  /// Whether there may be something to give back that the background leaves alone.
  @inline(__always)
  package var isSpared: Bool {
    get { packed & Self.sparedFlag != 0 }
    set { packed = newValue ? packed | Self.sparedFlag : packed & ~Self.sparedFlag }
  }

  /// Pages were taken.
  ///
  /// - Returns: `false`, with nothing changed, where the chunk does not have so many.
  @inline(__always)
  package mutating func allocate(_ pageCount: Int, generation current: UInt32) -> Bool {
    guard inUse &+ pageCount <= Geometry.pagesPerChunk else { return false }
    enter(current)
    // No carry leaves the field, by the guard.
    packed &+= UInt64(truncatingIfNeeded: pageCount)
    if inUse == Geometry.pagesPerChunk { hasFree = false }
    return true
  }

  /// Pages came back.
  ///
  /// - Returns: `false`, with nothing changed, where fewer are in use.
  @inline(__always)
  package mutating func free(_ pageCount: Int, generation current: UInt32) -> Bool {
    guard inUse >= pageCount else { return false }
    enter(current)
    // No borrow from the next field, by the guard.
    packed &-= UInt64(truncatingIfNeeded: pageCount)
    hasFree = true
    return true
  }

  /// The first change in a generation remembers how it began.
  @inline(__always)
  private mutating func enter(_ current: UInt32) {
    if generation == current { return }
    let kept = packed & (0xffff | Self.freeFlag | Self.sparedFlag)
    packed = kept | (kept & 0xffff) &<< 16 | UInt64(current) &<< 32
  }

  /// Whether the chunk may be scavenged: not empty-handed and, in the background, not dense now and
  /// not dense when this generation began.
  package func isReady(generation current: UInt32, mode: ScavengeMode) -> Bool {
    switch mode {
    case .force: return hasFree || isSpared
    case .background:
      guard hasFree else { return false }
      guard inUse < Geometry.densePages else { return false }
      return generation != current || lastInUse < Geometry.densePages
    }
  }
}
