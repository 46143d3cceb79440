// Of the operating system's side, clients see what an error carries, and no more.
@_exported public import struct SysMem.Errno
@_exported public import struct SysMem.SysMemError

/// What an arena or a region cannot do, or was asked wrongly. Whoever gets one finds nothing
/// changed, but where the call says so.
public enum PageArenaError: Error, Equatable, Sendable {
  // MARK: Bad input

  /// `pages` is zero, negative, or more than the arena could ever hold.
  case badPageCount(pages: Int, limit: Int)
  /// `alignment` is no power of two, or larger than the arena.
  case badAlignment(alignment: Int)
  /// `byteCount` is negative, or no size that there can be.
  case badByteCount(byteCount: Int)
  /// `frameByteCount` is not 512, 1,024, 2,048 or 4,096.
  case badFrameByteCount(frameByteCount: Int)
  /// `reservedByteCount` is below the minimum or above 4 GiB.
  case badReservation(reservedByteCount: UInt64, minimum: UInt64)
  /// `scavenging`: a headroom outside 0 ... 16, or a share of the processor not above 0 or above 1.
  case badScavenging
  /// `memoryLimit`: a soft limit above the hard one, or a fraction not above 0 or above 1.
  case badMemoryLimit
  /// `diagnosis`: the quarantine's size is negative.
  case badDiagnosis
  /// `label` has more bytes of UTF-8 than it may, or a control character.
  case badLabel(byteCount: Int, limit: Int)
  /// `recording`: the `byteCount` of its file is not in the limits.
  case badRecording(byteCount: Int, minimum: Int, maximum: Int)
  /// `profile`: the mean distance of samples is not in the limits.
  case badProfile(byteCount: Int, minimum: Int, maximum: Int)
  /// `base` is not the address of a page: it is not a multiple of the page size from the arena's
  /// start; of a slab, not the address of a frame.
  case misaligned(base: UInt)
  /// `base` is not in this arena, or the range leaves what the arena has handed out.
  case foreign(base: UInt)
  /// The first page of the range is not in use: it was freed before, never allocated, or is a
  /// guard.
  case notInUse(base: UInt, pages: Int)
  /// The range goes on past the end of the run that `base` lies in, into another one or into memory
  /// that is not in use.
  case pastEndOfRun(base: UInt, pages: Int)
  /// `base` is not where a run starts that is in use: it lies inside of one, or was freed before.
  case notAStart(base: UInt)
  /// `base` is where a slab has a frame that is not in use: it was freed before, or never
  /// allocated.
  case frameNotInUse(base: UInt)
  /// `offset` is not where a run starts that is in use.
  case notARun(offset: UInt32)
  /// The run is protected, locked, guarded, left out of dumps, or advised about huge pages, so that
  /// it cannot move; in the last case it cannot be leaked, either.
  case notPlain(base: UInt)
  /// Memory that is writable and executable at once was not asked for in the arena's options.
  case writableCode
  /// The run, or a range of a region, does not start and end at pages of the kernel's.
  case partOfPhysicalPage(base: UInt, physicalPageSize: Int)

  /// The call comes from the handler of a signal, while its thread is inside another one.
  case reentered

  /// A range does not lie in 0 ..< `limit`: the pages of a run, or the bytes of a region that the
  /// call is about.
  case outOfBounds(lowerBound: Int, upperBound: Int, limit: Int)
  /// Some of a range is decommitted: of a run, in pages, or a hole of a region's, in bytes.
  case notCommitted(lowerBound: Int, upperBound: Int)
  /// `guardByteCount` is negative, or more than there can be behind what is reserved.
  case badGuardByteCount(guardByteCount: Int)
  /// The `reservedByteCount` of a pool is 0, or above what the host can have.
  case badPoolReservation(reservedByteCount: UInt64, maximum: UInt64)
  /// A region would have more holes than it can.
  case tooManyHoles(limit: Int)

  // MARK: Operating failures

  /// No run of so many pages is free, and there is no address space left to grow into.
  case outOfMemory(pages: Int, largestFreeRun: Int)
  /// `pages` more would take the arena beyond its hard limit on resident memory, whatever is given
  /// back.
  case limitReached(pages: Int, inUseBytes: UInt64, limitBytes: UInt64)
  /// Not even the smallest reservation was granted; of a region, the one that was asked for.
  case noAddressSpace(SysMemError)
  /// The kernel refused the file of a recording.
  case recording(Errno)
  /// The kernel refused the file of a profile; `ENODATA` where the arena has none, `ENOSYS` where
  /// none can be had: it takes x86_64.
  case profile(Errno)
  /// More mappings would be needed than the arena allows itself, so as to leave the process some.
  case tooManyMappings(limit: Int)
  /// The kernel, or the host, cannot do this at all.
  case unsupported(SysMemError.Call)
  /// The kernel refused a call.
  case system(SysMemError)
}

extension PageArenaError: CustomStringConvertible {
  /// One line that names the argument and what was wrong with it.
  public var description: String {
    switch self {
    case .badPageCount(let pages, let limit):
      "pages: \(pages) is not in 1 ... \(limit)"
    case .badAlignment(let alignment):
      "alignment: \(alignment) is not a power of two that the arena can hold"
    case .badByteCount(let byteCount):
      "byteCount: \(byteCount) is no size that can be had"
    case .badFrameByteCount(let byteCount):
      "frameByteCount: \(byteCount) is not 512, 1024, 2048 or 4096"
    case .badReservation(let byteCount, let minimum):
      "reservedByteCount: \(byteCount) is not in \(minimum) ... 4294967296"
    case .badScavenging:
      "scavenging: headroom is not in 0 ... 16, or cpuShare is not above 0 and at most 1"
    case .badMemoryLimit:
      "memoryLimit: soft is above hard, or fraction is not above 0 and at most 1"
    case .badDiagnosis:
      "diagnosis: quarantineByteCount is negative"
    case .badLabel(let byteCount, let limit):
      "label: its \(byteCount) bytes are more than \(limit), or have a control character"
    case .badRecording(let byteCount, let minimum, let maximum):
      "recording: byteCount \(byteCount) is not in \(minimum) ... \(maximum)"
    case .badProfile(let byteCount, let minimum, let maximum):
      "profile: byteCount \(byteCount) is not in \(minimum) ... \(maximum)"
    case .misaligned(let base):
      "base: \(hex(base)) is not the address of a page, or of a slab's frame"
    case .foreign(let base):
      "base: \(hex(base)) is not in memory that this arena handed out"
    case .notInUse(let base, let pages):
      "base: the first of \(pages) pages at \(hex(base)) is not in use (freed before?)"
    case .pastEndOfRun(let base, let pages):
      "pages: \(pages) pages at \(hex(base)) go past the end of the run"
    case .frameNotInUse(let base):
      "base: the frame at \(hex(base)) is not in use (freed before?)"
    case .notARun(let offset):
      "offset: no run that is in use starts at \(hex(UInt(offset)))"
    case .notPlain(let base):
      "the run at \(hex(base)) is not plain memory, which it would have to be"
    case .writableCode:
      "access: writable and executable at once, which the arena's options do not allow"
    case .partOfPhysicalPage(let base, let size):
      "what starts at \(hex(base)) does not consist of whole pages of the kernel's \(size) bytes"
    case .notAStart(let base):
      "base: no run that is in use starts at \(hex(base)) (freed before?)"
    case .notCommitted(let lower, let upper):
      "range: \(lower) ..< \(upper) is not committed"
    case .badGuardByteCount(let guardByteCount):
      "guardByteCount: \(guardByteCount) is no size that can be had"
    case .badPoolReservation(let byteCount, let maximum):
      "reservedByteCount: \(byteCount) is not in 1 ... \(maximum)"
    case .tooManyHoles(let limit):
      "range: the region would have more than \(limit) holes"
    case .outOfBounds(let lower, let upper, let limit):
      "range: \(lower) ..< \(upper) does not lie in 0 ..< \(limit)"
    case .reentered:
      "a signal's handler used an arena while its thread was inside a call of one"
    case .recording(let errno):
      "recording: the file cannot be made: \(errno.description)"
    case .profile(let errno):
      "profile: it cannot be made or written: \(errno.description)"
    case .tooManyMappings(let limit):
      "more than \(limit) mappings would be needed"
    case .unsupported(let call):
      "this host cannot do it: \(call.description)"
    case .outOfMemory(let pages, let largest):
      "out of memory: no \(pages) pages in a row; the largest free run has \(largest)"
    case .limitReached(let pages, let inUse, let limit):
      "limit reached: \(pages) pages more than the \(inUse) bytes in use go beyond \(limit) bytes"
    case .noAddressSpace(let error):
      "no address space: \(error.description)"
    case .system(let error):
      error.description
    }
  }

  /// The case's name.
  fileprivate var name: StaticString {
    switch self {
    case .badPageCount: "badPageCount"
    case .badAlignment: "badAlignment"
    case .badByteCount: "badByteCount"
    case .badFrameByteCount: "badFrameByteCount"
    case .badReservation: "badReservation"
    case .badScavenging: "badScavenging"
    case .badMemoryLimit: "badMemoryLimit"
    case .badDiagnosis: "badDiagnosis"
    case .badLabel: "badLabel"
    case .badRecording: "badRecording"
    case .badProfile: "badProfile"
    case .misaligned: "misaligned"
    case .foreign: "foreign"
    case .notInUse: "notInUse"
    case .pastEndOfRun: "pastEndOfRun"
    case .frameNotInUse: "frameNotInUse"
    case .notARun: "notARun"
    case .notPlain: "notPlain"
    case .writableCode: "writableCode"
    case .partOfPhysicalPage: "partOfPhysicalPage"
    case .reentered: "reentered"
    case .notAStart: "notAStart"
    case .notCommitted: "notCommitted"
    case .badGuardByteCount: "badGuardByteCount"
    case .badPoolReservation: "badPoolReservation"
    case .tooManyHoles: "tooManyHoles"
    case .outOfBounds: "outOfBounds"
    case .outOfMemory: "outOfMemory"
    case .limitReached: "limitReached"
    case .noAddressSpace: "noAddressSpace"
    case .tooManyMappings: "tooManyMappings"
    case .recording: "recording"
    case .profile: "profile"
    case .unsupported: "unsupported"
    case .system: "system"
    }
  }

  private func hex(_ address: UInt) -> String { "0x\(String(address, radix: 16))" }
}

extension PageArenaError: CustomDebugStringConvertible {
  /// The type and the case, then the description: what an error shows that nobody catches.
  public var debugDescription: String { "PageArenaError.\(name.description): \(description)" }
}
