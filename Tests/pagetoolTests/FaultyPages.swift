import PageTrace

/// Pages from a small block, first come, first served and never used again, with one fault.
@safe final class FaultyPages: PageSource {
  enum Fault {
    case none
    /// The second run gets the last page of the first one too.
    case givesAPageTwice
    /// With the third run this byte of the block changes.
    case changesByte(Int)
    case misaligns
    case refusesThirdRun
    case refusesFrees
    case refusesRelease
    case forgetsAFree
  }

  struct Failure: Error {
    let words: String
  }

  static let pageCount = 64

  private let fault: Fault
  private let block: UnsafeMutableRawPointer
  private var nextPage = 0
  private var runs = 0
  private var inUse = 0
  private(set) var released = false

  init(_ fault: Fault = .none) {
    self.fault = fault
    unsafe block = .allocate(byteCount: Self.pageCount * 8192, alignment: 8192)
  }

  deinit { unsafe block.deallocate() }

  func takePages(_ pageCount: Int) throws(Failure) -> UnsafeMutableRawPointer {
    runs += 1
    inUse += pageCount
    var page = nextPage
    nextPage += pageCount
    precondition(nextPage <= Self.pageCount)
    switch fault {
    case .refusesThirdRun where runs == 3: throw Failure(words: "no third run")
    case .givesAPageTwice where runs == 2: page -= 1
    case .misaligns: return unsafe block + 4096
    case .changesByte(let place) where runs == 3:
      let byte = unsafe block.load(fromByteOffset: place, as: UInt8.self)
      unsafe block.storeBytes(of: ~byte, toByteOffset: place, as: UInt8.self)
    default: break
    }
    return unsafe block + page * 8192
  }

  func returnPages(_ base: UnsafeMutableRawPointer, _ pageCount: Int) throws(Failure) {
    if case .refusesFrees = fault { throw Failure(words: "not today") }
    if case .forgetsAFree = fault, inUse == pageCount { return }
    inUse -= pageCount
    // Whatever reads the pages now finds something else than the pattern.
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0xdd, count: pageCount * 8192)
  }

  func releaseFreeMemory() throws(Failure) -> Int {
    if case .refusesRelease = fault { throw Failure(words: "kept") }
    released = true
    return nextPage * 8192
  }

  var usage: PageUsage {
    PageUsage(
      readyBytes: UInt64(nextPage) * 8192, inUseBytes: UInt64(inUse) * 8192,
      freeBytes: UInt64(nextPage - inUse) * 8192, largestFreeRun: 1, metadataBytes: 77)
  }

  static func describe(_ failure: Failure) -> String { failure.words }
}
