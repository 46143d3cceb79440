import PageTrace
import Testing

@testable import Strace

/// What each call of an strace becomes, in small texts written by hand.
@Suite struct StraceTests {
  static func conversion(_ lines: [String], isMerged: Bool = false) throws -> StraceConversion {
    try StraceConversion(Array((lines.joined(separator: "\n") + "\n").utf8), isMerged: isMerged)
  }

  /// The events of the process with the most memory, or of one by its number.
  static func events(
    _ lines: [String], of process: UInt64? = nil, isMerged: Bool = false
  ) throws -> [String] {
    let conversion = try conversion(lines, isMerged: isMerged)
    let chosen =
      process == nil
      ? conversion.largest : conversion.processes.first { $0.number == process }
    return events(try #require(chosen))
  }

  static func events(_ process: ConvertedProcess) -> [String] {
    let labels = TraceWriter.Labels(
      name: "n", program: process.program, version: "v", command: "c", arch: process.arch, note: "")
    let file = process.writer.file(labels)
    #expect(throws: Never.self) { try ProgramTrace(parsing: file) }
    let lines = String(decoding: file, as: UTF8.self).split(separator: "\n").map(String.init)
    return Array(lines.drop { $0 != "#end" }.dropFirst())
  }

  static let private16K =
    "mmap(NULL, 16384, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)"

  /// `mmap` of so many pages of 4 KiB at an address, in hexadecimal without its `0x`.
  static func map(
    _ address: String, _ pages: Int, _ protection: String = "PROT_READ|PROT_WRITE",
    _ flags: String = "MAP_PRIVATE|MAP_ANONYMOUS"
  ) -> String {
    "mmap(NULL, \(pages * 4096), \(protection), \(flags), -1, 0) = 0x\(address)"
  }

  // MARK: mmap, munmap

  @Test func sizesAreRoundedUp() throws {
    let lines = ["10000", "20000", "30000"].enumerated().map { index, address in
      Self.map(address, index + 1)
    }
    #expect(try Self.events(lines) == ["a 0 1 0", "a 1 1 0", "a 2 2 0"])
    let odd = "mmap(NULL, 8193, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x10000"
    #expect(try Self.events([odd, "munmap(0x10000, 8193) = 0"]) == ["a 0 2 0", "f 0 0 2 0"])
  }

  @Test func pageIsFreedWithItsSecondHalf() throws {
    let lines = [
      Self.map("10000", 5), "munmap(0x11000, 4096) = 0", "munmap(0x10000, 4096) = 0",
      "munmap(0x13000, 8192) = 0", "munmap(0x12000, 4096) = 0",
    ]
    #expect(try Self.events(lines) == ["a 0 3 0", "f 0 0 1 0", "f 0 2 1 0", "f 0 1 1 0"])
  }

  @Test func freeOfPartsAndOfSeveral() throws {
    let lines = [
      Self.map("10000", 4), Self.map("14000", 4), Self.map("18000", 8),
      "munmap(0x12000, 32768) = 0",
    ]
    #expect(
      try Self.events(lines) == [
        "a 0 2 0", "a 1 2 0", "a 2 4 0", "f 0 1 1 0", "f 1 0 2 0", "f 2 0 1 0",
      ])
  }

  @Test func fixedMappingTakesThePlaceOfMemory() throws {
    let fixed = "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS"
    let lines = [
      Self.map("10000", 8), Self.map("12000", 4, "PROT_READ", fixed),
      Self.map("16000", 2, "PROT_NONE", fixed),
      "mmap(0x10000, 4096, PROT_READ, MAP_PRIVATE|MAP_FIXED, 3, 0) = 0x10000",
    ]
    // The file covers half of a page, whose other half stays.
    #expect(try Self.events(lines) == ["a 0 4 0", "f 0 1 2 0", "a 1 2 0", "f 0 3 1 0"])
  }

  @Test func otherMappingsAreCounted() throws {
    let conversion = try Self.conversion([
      Self.map("10000", 1), "mmap(NULL, 9000, PROT_READ, MAP_PRIVATE, 3, 0) = 0x20000",
      Self.map("30000", 4, "PROT_READ|PROT_WRITE", "MAP_SHARED|MAP_ANONYMOUS"),
      Self.map("40000", 4, "PROT_NONE", "MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE"),
      "munmap(0x20000, 9000) = 0", "munmap(0x30000, 16384) = 0", "munmap(0x90000, 4096) = 0",
    ])
    let process = try #require(conversion.largest)
    #expect(Self.events(process) == ["a 0 1 0"])
    #expect(process.leftOut.fileMappings == 1 && process.leftOut.sharedMappings == 1)
    #expect(process.leftOut.reservations == 1 && process.leftOut.callsElsewhere == 1)
  }

  @Test func rawFlagsAreRead() throws {
    let lines = [
      "mmap(NULL, 0x4000, 0x3, 0x22, -1, 0) = 0x10000",
      "mmap(NULL, 16384, 0x3 /* PROT_READ|PROT_WRITE */, 0x22 /* MAP_PRIVATE|MAP_ANONYMOUS */, "
        + "-1, 0) = 0x20000",
      "mmap(NULL, 8192, 0, 0x22, -1, 0) = 0x30000", "mmap2(NULL, 8192, 1, 0x2, 3, 0) = 0x40000",
      "madvise(0x10000, 8192, 0x8 /* MADV_FREE */) = 0",
    ]
    #expect(try Self.events(lines) == ["a 0 2 0", "a 1 2 0", "p 0 0 1 0"])
  }

  // MARK: mprotect

  @Test func reservedSpaceBecomesMemory() throws {
    let lines = [
      Self.map("10000", 16, "PROT_NONE"), "mprotect(0x10000, 8192, PROT_READ|PROT_WRITE) = 0",
      "mprotect(0x16000, 8192, PROT_READ) = 0",
      // Two stretches, and what is memory already stays as it is.
      "mprotect(0x10000, 40960, PROT_READ|PROT_WRITE) = 0", "munmap(0x10000, 65536) = 0",
    ]
    #expect(
      try Self.events(lines) == [
        "a 0 1 0", "a 1 1 0", "a 2 2 0", "a 3 1 0", "f 0 0 1 0", "f 2 0 2 0", "f 1 0 1 0",
        "f 3 0 1 0",
      ])
  }

  @Test func memoryWithoutAccessIsFreed() throws {
    let lines = [
      Self.map("10000", 4), "mprotect(0x12000, 8192, PROT_NONE) = 0",
      "mprotect(0x12000, 8192, PROT_READ) = 0", "munmap(0x10000, 16384) = 0",
    ]
    #expect(
      try Self.events(lines) == ["a 0 2 0", "f 0 1 1 0", "a 1 1 0", "f 0 0 1 0", "f 1 0 1 0"])
  }

  @Test func filesDoNotBecomeMemory() throws {
    let lines = [
      Self.map("50000", 1), "mmap(NULL, 16384, PROT_NONE, MAP_PRIVATE, 3, 0) = 0x10000",
      "mprotect(0x10000, 16384, PROT_READ|PROT_WRITE) = 0",
      "mprotect(0x90000, 16384, PROT_READ|PROT_WRITE) = 0",
    ]
    #expect(try Self.events(lines) == ["a 0 1 0"])
  }

  // MARK: mremap

  @Test func wholeRunIsResized() throws {
    let lines = [
      Self.map("10000", 4), "mremap(0x10000, 16384, 65536, MREMAP_MAYMOVE) = 0x40000",
      "mremap(0x40000, 65536, 61440, 0) = 0x40000", "mremap(0x40000, 61440, 8192, 0) = 0x40000",
      "munmap(0x40000, 8192) = 0",
    ]
    // 60 KiB are eight pages as 64 KiB are.
    #expect(try Self.events(lines) == ["a 0 2 0", "r 0 8 0", "r 0 1 0", "f 0 0 1 0"])
  }

  @Test func partsAreNotResized() throws {
    let lines = [
      Self.map("10000", 8), "mremap(0x10000, 16384, 8192, 0) = 0x10000",
      "mremap(0x14000, 16384, 32768, 0) = 0x14000",
      "mremap(0x14000, 8192, 8192, MREMAP_MAYMOVE|MREMAP_FIXED, 0x80000) = 0x80000",
    ]
    #expect(
      try Self.events(lines) == ["a 0 4 0", "f 0 1 1 0", "a 1 2 0", "f 0 2 1 0", "a 2 1 0"])
  }

  @Test func moveOverMemoryFreesIt() throws {
    let lines = [
      Self.map("10000", 2), Self.map("20000", 2),
      "mremap(0x10000, 8192, 8192, MREMAP_MAYMOVE|MREMAP_FIXED, 0x20000) = 0x20000",
      "munmap(0x20000, 8192) = 0",
    ]
    #expect(try Self.events(lines) == ["a 0 1 0", "a 1 1 0", "f 1 0 1 0", "f 0 0 1 0"])
  }

  @Test func moveThatLeavesTheOldRangeMapped() throws {
    let lines = [
      Self.map("10000", 4),
      "mremap(0x10000, 16384, 16384, MREMAP_MAYMOVE|MREMAP_DONTUNMAP) = 0x40000",
      "munmap(0x10000, 16384) = 0",
    ]
    #expect(try Self.events(lines) == ["a 0 2 0", "p 0 0 2 0", "a 1 2 0", "f 0 0 2 0"])
  }

  @Test func reservationsAndFilesAreMovedAsSuch() throws {
    let lines = [
      Self.map("10000", 4, "PROT_NONE"), "mremap(0x10000, 16384, 32768, 1) = 0x40000",
      "mprotect(0x40000, 32768, PROT_READ) = 0",
      "mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0) = 0x90000",
      "mremap(0x90000, 4096, 8192, 1) = 0xa0000", "mprotect(0xa0000, 8192, PROT_WRITE) = 0",
    ]
    #expect(try Self.events(lines) == ["a 0 4 0"])
  }

  // MARK: madvise, brk

  @Test func purgesCoverWhatIsLeftOfAPage() throws {
    let lines = [
      Self.map("10000", 6), "madvise(0x11000, 12288, MADV_DONTNEED) = 0",
      "munmap(0x10000, 4096) = 0", "madvise(0x11000, 4096, MADV_FREE) = 0",
      "madvise(0x10000, 24576, MADV_HUGEPAGE) = 0",
    ]
    #expect(try Self.events(lines) == ["a 0 3 0", "p 0 1 1 0", "p 0 0 1 0"])
  }

  @Test func heapGrowsAndShrinks() throws {
    let lines = [
      "brk(NULL) = 0x555000", "brk(0x557000) = 0x557000", "brk(0x557100) = 0x557100",
      "brk(0x55b000) = 0x55b000", "brk(0x999000) = 0x55b000", "brk(0x556000) = 0x556000",
    ]
    let conversion = try Self.conversion(lines)
    let process = try #require(conversion.largest)
    #expect(
      Self.events(process) == [
        "a 0 1 0", "a 1 1 0", "a 2 2 0", "f 1 0 1 0", "f 2 0 2 0",
      ])
    #expect(process.leftOut.refusedBreaks == 1)
  }

  // MARK: limits

  @Test func moreThanAnArenaHoldsIsLeftOut() throws {
    let conversion = try Self.conversion([
      Self.map("10000", 3 << 18),
      "mmap(NULL, 1099511627776, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE, "
        + "-1, 0) = 0x7f0000000000",
      Self.map("d0000000", 1 << 18), Self.map("1d0000000", 1), "munmap(0x7f0000000000, 4096) = 0",
      "mremap(0x10000, 3221225472, 3221229568, MREMAP_MAYMOVE) = 0x600000000000",
    ])
    let process = try #require(conversion.largest)
    #expect(Self.events(process) == ["a 0 393216 0", "a 1 131072 0", "f 0 0 393216 0"])
    #expect(process.leftOut.tooLargeMappings == 3)
    #expect(process.leftOut.tooLargeBytes == 1 << 40 + 4096 + 3_221_229_568)
  }
}
