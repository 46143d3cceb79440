// What a recording of the arena is told. Where there is one, the caches are such that their owners
// pass a fence, so that no call goes by the code that is inlined into callers.

extension ArenaCore {
  /// Notes a run that was handed out.
  @inline(__always)
  func recordTake(_ page: PageNumber, _ pages: Int) {
    if isRecorded { record(.allocate, page, pages) }
  }

  /// Notes that a run, which starts at a page, has another size.
  @inline(__always)
  func recordResize(_ page: PageNumber, to pages: Int) {
    if isRecorded { record(.resize, page, pages) }
  }

  /// Notes that the contents of pages went.
  @inline(__always)
  func recordDiscard(_ page: PageNumber, _ pages: Int) {
    if isRecorded { record(.discard, page, pages) }
  }

  /// Notes pages that are about to be taken back, for certain.
  @inline(__always)
  func recordFree(_ page: PageNumber, _ pages: Int) {
    if isRecorded { record(.free, page, pages) }
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
  private func record(_ kind: RecordKind, _ page: PageNumber, _ pages: Int) {
    recorder?.note(kind, page..<(page &+ pages))
  }
}
