/// Words at a fixed place in memory, for the parts of the allocator that are views of words.
///
/// Whoever makes a view of them must keep the buffer as long as the view.
@safe final class WordBuffer {
  /// The first word.
  @unsafe let base: UnsafeMutablePointer<UInt64>
  private let count: Int

  /// All words are zero.
  init(count: Int) {
    self.count = count
    unsafe base = UnsafeMutablePointer.allocate(capacity: count)
    unsafe base.initialize(repeating: 0, count: count)
  }

  deinit {
    // Allocated in `init`; words need no deinitialization.
    unsafe base.deallocate()
  }

  /// Makes all words zero.
  func clear() {
    // Exactly the words of `init`.
    unsafe base.update(repeating: 0, count: count)
  }

  /// Copies `words` to the words from `offset` on.
  ///
  /// - Precondition: they have room there.
  func store(_ words: [UInt64], at offset: Int = 0) {
    precondition(offset >= 0 && offset + words.count <= count)
    for index in words.indices {
      // Within the buffer, by the precondition.
      unsafe base[offset + index] = words[index]
    }
  }
}
