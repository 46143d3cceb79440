// Where frames lie
// ================
//
// A run of a slab's has 64 frames, so that one word tells which of them are free, and starts at a
// multiple of its own size. The arena's space is cut into places for such runs, and these into
// frames, so that the number of a frame tells its run, and an address the number:
//
//   address − origin    31 ............ | ....... | ............ 0
//                       number of a run |  6 bits | byte in a frame
//                       number of a frame ....... |

/// The figures of a slab: translates between addresses, frames and runs.
@usableFromInline
struct SlabLayout: Sendable {
  /// log2 of the bytes in a frame: 9 ... 12.
  @usableFromInline let frameShift: UInt
  /// The address of frame 0: the arena's, which starts at a chunk, and so at a run's place.
  @usableFromInline let origin: UInt
  /// Frames that the arena's space has room for: 2^20 ... 2^23.
  @usableFromInline let frameLimit: Int

  /// Frames in a run.
  static var framesPerRun: Int { 64 }
  private static var framesPerRunLog: UInt { 6 }

  /// The layout of frames in an arena's space.
  ///
  /// - Returns: `nil` where there are no frames of that size.
  init?(frameByteCount: Int, origin: UInt) {
    guard frameByteCount >= 512, frameByteCount <= 4096, frameByteCount.nonzeroBitCount == 1
    else { return nil }
    frameShift = UInt(frameByteCount.trailingZeroBitCount)
    frameLimit = 1 << Int(32 - frameShift)
    self.origin = origin
  }

  /// Bytes in a frame.
  var frameByteCount: Int { 1 &<< Int(frameShift) }
  /// Bytes in a run: 32 KiB ... 256 KiB.
  var runByteCount: Int { Self.framesPerRun &<< Int(frameShift) }
  /// Pages in a run.
  var pagesPerRun: Int { runByteCount >> Geometry.pageShift }
  /// Runs that it has room for.
  var runLimit: Int { frameLimit >> Int(Self.framesPerRunLog) }

  /// The frame that starts at an address; for any other address a number that is none.
  @inlinable @inline(__always)
  func frame(startingAt address: UInt) -> UInt {
    // What lies within a frame comes to stand above all numbers of frames. On a 32-bit host it may
    // be the number of one after all, of those at address 0, which are never handed out.
    let offset = address &- origin
    return offset &>> frameShift | offset &<< (UInt(UInt.bitWidth) &- frameShift)
  }

  /// The frame that any address lies in; `nil` where it is not in the arena's space.
  func frame(containing address: UInt) -> Int? {
    let frame = (address &- origin) &>> frameShift
    return frame < UInt(frameLimit) ? Int(bitPattern: frame) : nil
  }

  /// Where a frame starts.
  @inlinable @inline(__always)
  func address(ofFrame frame: Int) -> UInt { origin &+ UInt(bitPattern: frame) &<< frameShift }

  /// The run that a frame belongs to.
  @inline(__always)
  static func run(ofFrame frame: Int) -> Int { frame &>> Int(framesPerRunLog) }

  /// Where in its run a frame lies.
  @inline(__always)
  static func place(ofFrame frame: Int) -> Int { frame & (framesPerRun &- 1) }

  /// The first frame of a run.
  @inline(__always)
  static func firstFrame(ofRun run: Int) -> Int { run &<< Int(framesPerRunLog) }

  /// The run that starts at an address of the arena's.
  func run(at address: UInt) -> Int {
    Self.run(ofFrame: Int(bitPattern: (address &- origin) &>> frameShift))
  }

  /// Where a run lies.
  func extent(ofRun run: Int) -> PageExtent {
    PageExtent(address: address(ofFrame: Self.firstFrame(ofRun: run)), pages: pagesPerRun)
  }
}
