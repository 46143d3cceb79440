import PageAlloc

/// A chunk whose eight words are all `word`.
func withChunk(of word: UInt64, _ body: (PallocBits) -> Void) {
  // The view does not outlive the words.
  unsafe withWords(of: word) { body(unsafe PallocBits(PageBits(words: $0))) }
}

/// Eight words, all `word`.
@inline(__always)
func withWords(of word: UInt64, _ body: (UnsafeMutablePointer<UInt64>) -> Void) {
  var words = [UInt64](repeating: word, count: Geometry.wordsPerChunk)
  // The pointer does not outlive the array.
  unsafe words.withUnsafeMutableBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return }
    unsafe body(base)
  }
}

/// Keeps the optimiser from dropping what led to a value.
@inline(never) @_optimize(none)
func use(_ value: Int) {}
