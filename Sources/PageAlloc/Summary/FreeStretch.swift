// A summary after a change, from the one before it: the rule is the same for the pages of a chunk
// and for the children of an entry. What changed is a stretch of the region; the rest stays as it
// was.
//
//      ....####...## | ......####.... | ###....#
//         others          stretch        others
//
// The stretch takes the free pages on either side along. So it ends at an edge of the region, or
// beside a page in use, and no run lies in both parts.

/// The free pages of a stretch: at its low edge, the longest run, at its high edge.
package struct FreeStretch {
  package let start: Int
  package let max: Int
  package let end: Int

  /// A stretch whose longest run touches an edge.
  @inline(__always)
  package init(start: Int, end: Int) {
    self.start = start
    max = Swift.max(start, end)
    self.end = end
  }

  /// An entry below the root, of `size` pages, with so many free pages below and above it.
  @inline(__always)
  package init(_ sum: PallocSum, size: Int, below: Int, above: Int) {
    let low = sum.startBelowRoot
    if low == size {
      start = below &+ size &+ above
      max = start
      end = start
    } else {
      start = below &+ low
      end = sum.endBelowRoot &+ above
      max = Swift.max(start, end, sum.maxBelowRoot)
    }
  }
}

extension PallocSum {
  /// The summary of a region after a stretch of it changed.
  ///
  /// - Parameters:
  ///   - low: where in the region the stretch starts.
  ///   - high: where it ends, exclusive.
  ///   - size: the pages of the region.
  ///   - before: the longest run in the stretch before.
  ///   - now: the free pages of the stretch now.
  ///   - room: no run outside of the stretch is longer.
  ///   - longestOfAll: the longest run of the region now; looked at only where nothing else tells.
  /// - Precondition: the summary is not that of bit A.
  @inline(__always)
  package func changed(
    in low: Int, _ high: Int, of size: Int, before: @autoclosure () -> Int, now: FreeStretch,
    room: Int, longestOfAll: @autoclosure () -> Int
  ) -> PallocSum {
    let longest: Int
    if now.max >= Swift.min(maxBelowRoot, room) {
      longest = now.max
    } else {
      longest = before() < maxBelowRoot ? maxBelowRoot : longestOfAll()
    }
    return PallocSum(
      start: low == 0 ? now.start : startBelowRoot, max: longest,
      end: high == size ? now.end : endBelowRoot)
  }
}
