// What a recording of the arena is told. Where there is one, the caches are such that their owners
// pass a fence, so that no call goes by the code that is inlined into callers.

extension ArenaCore {
  /// Notes what happened to pages, or will for certain where they are about to be taken back.
  @inline(__always)
  func record(_ kind: RecordKind, _ page: PageNumber, _ pages: Int) {
    if isRecorded { note(kind, page, pages) }
  }

  /// Notes pages that `body` is about to take back, and that it has not where it throws.
  @inline(never)
  func recordingFree(
    of address: UInt, _ pages: Int, _ body: () throws(PageArenaError) -> Void
  ) throws(PageArenaError) {
    let place = (try? page(at: address, pages)).flatMap { recorder?.note(.free, $0..<($0 + pages)) }
    do throws(PageArenaError) {
      try body()
    } catch {
      recorder?.cancel(place)
      throw error
    }
  }

  @inline(never)
  private func note(_ kind: RecordKind, _ page: PageNumber, _ pages: Int) {
    recorder?.note(kind, page..<(page &+ pages))
  }
}
