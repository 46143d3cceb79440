import PageAlloc

/// Pages drawn as text.
///
/// ```
///   .  free            -  free and scavenged
///   #  in use          =  in use and scavenged (padding)
/// ```
/// A number says how often the page before it occurs, blanks are for the eye, and the last page
/// fills what is left: `#63 .2 #` is two free pages across the edge of a word, in a chunk in use.
struct HeapPicture {
  /// Which pages are in use.
  private(set) var used: [Bool] = []
  /// Which pages are scavenged.
  private(set) var scavenged: [Bool] = []

  /// Reads a drawing of `pageCount` pages.
  init(_ text: StaticString, pageCount: Int = Geometry.pagesPerChunk) {
    var symbol: UInt8 = 0
    var number = 0
    for index in 0..<text.utf8CodeUnitCount {
      // Within the literal, which lives for ever.
      let byte = unsafe text.utf8Start[index]
      switch byte {
      case 0x20: continue
      case 0x30...0x39: number = number * 10 + Int(byte) - 0x30
      default:
        append(symbol, max(number, 1))
        symbol = byte
        number = 0
      }
    }
    append(symbol, pageCount - used.count)
  }

  /// Pages as they are given.
  init(used: [Bool], scavenged: [Bool]) {
    self.used = used
    self.scavenged = scavenged
  }

  private mutating func append(_ symbol: UInt8, _ count: Int) {
    if symbol == 0 { return }
    for _ in 0..<count {
      used.append(symbol == 0x23 || symbol == 0x3d)
      scavenged.append(symbol == 0x2d || symbol == 0x3d)
    }
  }
}

/// The states of a chunk that have caught mistakes, or could.
let chunkPictures: [StaticString] = [
  ".", "#", "-", "=",
  "# .", ". #", "#511 .", ".511 #",
  "#63 .2 #", "#64 . #", "#63 . #", "#62 .4 #",
  ".64 #", "#448 .", "#64 .64 #", "#64 .128 #", "#63 .130 #", "#1 .62 #1 .",
  ".63 # .63 # .63 # .63 # .63 # .63 # .63 # .63 #",
  "# .63 # .63 # .63 # .63 # .63 # .63 # .63 # .63",
  "#32 .32 #32 .32 #32 .32 #32 .32 #32 .32 #32 .32 #32 .32 #32 .32",
  "#2 .60 #2 .61 #2 .62 #3 .",
  // The longest run lies inside a word, one page longer than those at the edges of words.
  "# .62 # .61 #", "# .62 #2 .1 #63 .60 #", "#1 .61 #2 .60 #", "#1 .3 #1 .2 #",
  ". #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #. #.",
  "-64 .64 -64 #64 .", "-255 .2 -", ".255 -2 .", "#8 .8 #8 -8 .", "#16 .1 -1 .6 -8 .",
  ".256 #", "#256 .", "#255 .", "#128 .256 #", "#129 .255 #128", ".128 #1 .127 -128 #1 .127",
]

/// Gives a body 64-bit words, zero at first, for as long as it runs.
func withWords<R>(_ count: Int, _ body: (UnsafeMutablePointer<UInt64>) -> R) -> R {
  let words = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
  // Just allocated, with this capacity.
  unsafe words.initialize(repeating: 0, count: count)
  defer { unsafe words.deallocate() }
  return unsafe body(words)
}

/// Gives a body the 512 bits of an array.
func withBits<R>(_ bits: [Bool], _ body: (PageBits) -> R) -> R {
  unsafe withWords(Geometry.wordsPerChunk) { words in
    // As many words as a view needs.
    let view = unsafe PageBits(words: words)
    copy(bits, to: view)
    return body(view)
  }
}

/// Gives a body the two maps of a picture.
func withMaps<R>(_ picture: HeapPicture, _ body: (PallocData) -> R) -> R {
  unsafe withWords(PallocData.wordCount) { words in
    // As many words as the two maps need.
    let data = unsafe PallocData(words: words)
    copy(picture.used, to: data.allocated.bits)
    copy(picture.scavenged, to: data.scavenged)
    return body(data)
  }
}

private func copy(_ bits: [Bool], to view: PageBits) {
  for index in 0..<Geometry.wordsPerChunk { view.setWord(index, slowWord(bits, index)) }
}
