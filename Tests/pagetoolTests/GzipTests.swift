import Testing

@testable import Gzip

/// Unpacking gzip data: members in a row, and every way in which data can be bad.
@Suite struct GzipTests {
  /// Bytes with no pattern that repeats soon.
  static func sample(_ count: Int) -> [UInt8] {
    var state: UInt32 = 1
    return (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24)
    }
  }

  /// What `gunzip` throws, or nil.
  static func failure(_ bytes: [UInt8], limit: Int = 1 << 30) -> GzipError? {
    do {
      _ = try gunzip(bytes, limit: limit)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [0, 1, 1000, 65_535, 65_536, 300_000])
  func oneMember(count: Int) throws {
    let bytes = Self.sample(count)
    #expect(try gunzip(gzipMember(bytes)) == bytes)
  }

  @Test func membersInARow() throws {
    let parts = [Self.sample(70_000), [], Self.sample(3)]
    #expect(try gunzip(parts.flatMap(gzipMember)) == parts.flatMap { $0 })
  }

  @Test func paddingAfterTheLastMember() throws {
    #expect(try gunzip(gzipMember([1, 2, 3]) + [0, 0, 0, 0]) == [1, 2, 3])
  }

  @Test func compressedFile() throws {
    let text = try gunzip(try Repository.bytes(Repository.conformanceFile))
    #expect(text.starts(with: Array("trace ".utf8)) && text.last == UInt8(ascii: "\n"))
  }

  @Test(arguments: [[], [0x1f], [0x1f, 0x8c, 8], Array("plain".utf8)] as [[UInt8]])
  func otherData(bytes: [UInt8]) {
    #expect(!isGzip(bytes))
    #expect(Self.failure(bytes) == .notGzip)
  }

  @Test func everyTruncation() throws {
    let whole = gzipMember(Self.sample(100))
    for count in 2..<whole.count {
      guard case .truncated(let produced)? = Self.failure(Array(whole[..<count])) else {
        Issue.record("\(count) of \(whole.count) bytes are taken for whole")
        continue
      }
      #expect(produced <= 100)
    }
  }

  @Test func truncatedSecondMember() {
    let bytes = gzipMember([1, 2, 3]) + gzipMember([4, 5]).dropLast()
    #expect(Self.failure(bytes) == .truncated(produced: 5))
  }

  @Test(arguments: [2, 3, 10, 12, 20, -8, -1])
  func damage(place: Int) {
    var bytes = gzipMember(Self.sample(100))
    bytes[place < 0 ? bytes.count + place : place] ^= 0xff
    guard case .corrupt(let offset, let reason)? = Self.failure(bytes) else {
      Issue.record("the damage is not found")
      return
    }
    #expect(offset <= bytes.count && !reason.isEmpty)
  }

  @Test func garbageAfterTheLastMember() {
    guard case .corrupt? = Self.failure(gzipMember([1]) + [7, 7, 7]) else {
      Issue.record("the garbage is not found")
      return
    }
  }

  @Test func sizeLimit() throws {
    let bytes = gzipMember(Self.sample(5000))
    #expect(try gunzip(bytes, limit: 5000).count == 5000)
    #expect(Self.failure(bytes, limit: 4999) == .tooLarge(limit: 4999))
    // Also over several members.
    #expect(Self.failure(bytes + bytes, limit: 9999) == .tooLarge(limit: 9999))
  }

  @Test func descriptionsNameTheFault() {
    #expect(GzipError.truncated(produced: 5).description.contains("cut short"))
    #expect(GzipError.tooLarge(limit: 9).description.contains("9 bytes"))
    #expect(GzipError.corrupt(offset: 7, reason: "why").description.contains("byte 7: why"))
  }
}
