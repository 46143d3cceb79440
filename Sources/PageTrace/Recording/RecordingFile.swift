import PageAlloc

// What an arena's recorder writes, read again: for tools. PageAlloc/Recording/RecordKind.swift says
// how it is written.

/// The recording of an arena, out of a file.
package struct RecordingFile {
  /// What happened to pages.
  package struct Record: Equatable {
    package let kind: RecordKind
    /// The pages, by their numbers in the arena.
    package let pages: Range<Int>
    /// Who it was: some number of the thread's.
    package let thread: Int
  }

  /// What happened, in order.
  package private(set) var records: [Record] = []
  /// How many were begun and not written when the process ended.
  package private(set) var unwrittenCount = 0
  /// Whether more happened than there was room for.
  package let isFull: Bool
  /// What the program called the arena.
  package let label: String

  /// Whether bytes are the beginning of such a file.
  package static func isRecording(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: "PAGEREC1".utf8)
  }

  /// Reads a file.
  ///
  /// - Throws: it is no such file, or was changed: the number of the record at fault, from 1 on,
  ///   stands for the line.
  package init(_ bytes: [UInt8]) throws(TraceFormatError) {
    let words = Words(bytes: bytes)
    guard Self.isRecording(bytes), words.count >= RecordingLayout.records else {
      throw TraceFormatError(line: 1, reason: "this is no recording of an arena")
    }
    guard words[RecordingLayout.pageSize] == 8192,
      words[RecordingLayout.start] == RecordingLayout.records
    else { throw TraceFormatError(line: 1, reason: "the recording is of another version") }
    let labelStart = RecordingLayout.label * 4
    let labelEnd = labelStart + min(words[RecordingLayout.labelByteCount], 48)
    label = String(decoding: bytes[labelStart..<labelEnd], as: UTF8.self)
    let capacity = words[RecordingLayout.capacity]
    let begun = words[RecordingLayout.begun]
    isFull = begun >= capacity
    let room = (words.count - RecordingLayout.records) / RecordingLayout.wordsPerRecord
    guard min(begun, capacity) <= room else {
      throw TraceFormatError(line: 1, reason: "the recording is cut")
    }
    for number in 0..<min(begun, capacity) {
      let place = RecordingLayout.records + number * RecordingLayout.wordsPerRecord
      try read(words[place], words[place + 1], number: number + 1)
    }
  }

  private mutating func read(
    _ first: Int, _ second: Int, number: Int
  ) throws(TraceFormatError) {
    let kindNumber = second >> 20 & 0xF
    if kindNumber == 0 {
      unwrittenCount += 1
      return
    }
    let page = first & 0xF_FFFF
    let pages = second & 0xF_FFFF
    let thread = first >> 20 & 0xFFF | (second >> 24 & 0xF) << 12
    guard let kind = RecordKind(rawValue: UInt32(kindNumber)) else {
      throw TraceFormatError(line: number, reason: "no kind of record has the number \(kindNumber)")
    }
    if kind == .nothing { return }
    guard pages > 0, page + pages <= ProgramTrace.pageLimit else {
      throw TraceFormatError(line: number, reason: "no arena has \(pages) pages from \(page) on")
    }
    records.append(Record(kind: kind, pages: page..<(page + pages), thread: thread))
  }

  private struct Words {
    let bytes: [UInt8]
    var count: Int { bytes.count / 4 }
    /// A word, which is small enough for 31 bits wherever it means something.
    subscript(index: Int) -> Int {
      var value: UInt32 = 0
      for offset in (0..<4).reversed() { value = value << 8 | UInt32(bytes[4 * index + offset]) }
      return Int(value & 0x7FFF_FFFF)
    }
  }
}
