import PageAlloc
import SysMem

/// Makes a heap without an arena, or records why there is none.
func makeHeap(
  _ recorder: inout Recorder, plan: ScavengePlan = ScavengePlan(background: nil),
  kernelPages: KernelPages = KernelPages(physicalPageSize: 4096, hugePageSize: 0)
) -> StandaloneHeap? {
  do throws(SysMemError) {
    return try StandaloneHeap(plan, kernelPages: kernelPages)
  } catch {
    recorder.fail("no heap: \(error.description)")
    return nil
  }
}

extension StandaloneHeap {
  /// Grows for a run, if there is address space for it.
  ///
  /// - Returns: where; `nil` where it did not grow.
  func grow(for pages: Int, aligned: Int = 1, _ recorder: inout Recorder) -> GrowthPlace? {
    guard let place = place(for: pages, alignment(aligned)) else { return nil }
    do throws(SysMemError) {
      try grow(place)
      return place
    } catch {
      recorder.fail("no growth: \(error.description)")
      return nil
    }
  }

  /// An alignment to so many pages.
  func alignment(_ pages: Int) -> PageAllocator.Alignment {
    PageAllocator.Alignment(
      pages: pages,
      phase: Int(truncatingIfNeeded: heap.base >> UInt(Geometry.pageShift)))
  }

  /// Takes a run, by the lock alone.
  func take(_ pages: Int, aligned: Int = 1) -> TakenRun? {
    heap.take(pages, alignment(aligned), searchLimit: .max) { _, _ in }
  }

  /// Grows until so many pages are in one piece, and takes them all.
  func fill(_ pages: Int, _ recorder: inout Recorder) -> Range<PageNumber>? {
    guard grow(for: pages, &recorder) != nil, let taken = take(pages) else {
      recorder.fail("no run of \(pages) pages")
      return nil
    }
    return Range(start: taken.page, count: pages)
  }

  /// Gives a part of a run back.
  func give(_ part: Range<PageNumber>, of run: Range<PageNumber>) {
    heap.giveBack(part, of: run)
  }
}
