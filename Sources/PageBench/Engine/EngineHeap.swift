import PageAlloc

/// The engine on a heap of 256 chunks, and the states the measurements start from.
final class EngineHeap {
  private let engine: StandaloneAllocator
  /// The first page of the heap.
  static let firstPage = Geometry.firstPage(of: firstChunk)
  private static let firstChunk = 1
  private static let chunkCount = 256
  /// 131,072.
  static let pageCount = Geometry.pageCount(ofChunks: chunkCount)

  /// An empty heap; `nil` where the kernel refuses memory for the tables.
  init?() {
    guard let engine = try? StandaloneAllocator() else { return nil }
    self.engine = engine
    engine.allocator.grow(Self.firstChunk..<(Self.firstChunk + Self.chunkCount))
  }

  /// Hands the engine out for a loop, so that no access is checked within it.
  @inline(__always)
  func withEngine(_ body: (inout PageAllocator) -> Void) { body(&engine.allocator) }

  /// Takes all pages, one by one, and gives every second one back: the odd ones stay free.
  func makeCheckerboard() {
    withEngine { engine in
      _ = engine.allocate(Self.pageCount)
      for page in stride(from: Self.firstPage + 1, to: Self.firstPage + Self.pageCount, by: 2) {
        engine.free(page, 1)
      }
    }
  }

  /// A checkerboard with one run of `pageCount` free pages, at the end of the last chunk.
  func makeCheckerboard(gapAtEnd pageCount: Int) {
    withEngine { engine in
      _ = engine.allocate(Self.pageCount)
      let gap = Self.firstPage + Self.pageCount - pageCount
      // The page before the gap stays in use.
      for page in stride(from: Self.firstPage + 1, to: gap - 1, by: 2) { engine.free(page, 1) }
      engine.free(gap, pageCount)
    }
  }
}
