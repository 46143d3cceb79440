import PageAlloc

/// A chunk whose eight words are all `word`.
func withChunk(of word: UInt64, _ body: (PallocBits) -> Void) {
  var words = [UInt64](repeating: word, count: Geometry.wordsPerChunk)
  // The view does not outlive the array.
  unsafe words.withUnsafeMutableBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return }
    body(unsafe PallocBits(PageBits(words: base)))
  }
}

/// Keeps the optimiser from dropping what led to a value.
@inline(never) @_optimize(none)
func use(_ value: Int) {}
