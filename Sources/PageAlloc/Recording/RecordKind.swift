// The recording of an arena
// =========================
//
// A file that is mapped, so that what is written survives the process. It is made of words of 32
// bits, the low byte first:
//
//   0, 1    "PAGEREC1"
//   2       bytes of a page
//   3       the word at which the records start, 64
//   4       for how many records there is room
//   5       bytes of the label, 0 ... 48
//   6-17    the label
//   32      how many records were begun, on a line of the processor's cache of its own
//   64      the records, two words each:
//
//             first    bits 0-19 page, 20-31 the low bits of the thread
//             second   bits 0-19 pages, 20-23 kind, 24-27 the high bits of the thread
//
// Where a record comes in the file is the order of things: a run that is handed out has its record
// afterwards, one that is taken back before. So no page is handed out there that was not free,
// whatever threads do. A record of kind 0 was begun, and not written when the process ended.

/// What happened to pages of an arena.
package enum RecordKind: UInt32, Sendable {
  /// They were handed out, as a run.
  case allocate = 1
  /// They were taken back: a run, a part of one, or several.
  case free = 2
  /// The run that starts there has so many pages from now on, also those where a guard was.
  case resize = 3
  /// They stay in use, and their contents went.
  case discard = 4
  /// A free was refused, after its record had been begun.
  case nothing = 5
}

/// Where the parts of a recording are, in words of 32 bits.
package enum RecordingLayout {
  package static var magic: (UInt32, UInt32) { (0x4547_4150, 0x3143_4552) }
  package static var pageSize: Int { 2 }
  package static var start: Int { 3 }
  package static var capacity: Int { 4 }
  package static var labelByteCount: Int { 5 }
  package static var label: Int { 6 }
  package static var begun: Int { 32 }
  package static var records: Int { 64 }
  package static var wordsPerRecord: Int { 2 }
  /// Bytes that the file of a recording may have.
  package static var byteCounts: ClosedRange<Int> { 4096...1 << 30 }
}
