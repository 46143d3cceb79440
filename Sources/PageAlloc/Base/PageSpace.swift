// Addresses, pages, bytes
// =======================
//
// An arena's memory is a space of 2^32 bytes, of which page 0 starts at `base`:
//
//   page     0         1         2                 page
//            |---------|---------|--- ... ---|---------|--- ...
//   address  base      base + 8K                 base + page · 8K
//   offset   0         8K                        page · 8K, in 32 bits
//
// Every translation between the four is written here, and nowhere else.
//
// On a 32-bit host the space is the whole address space, and `base` is 0. There a page number goes
// up to 2^19 - 1, and 2^19 is the end of the space; but the 2^32 bytes of all pages do not fit a
// `UInt`. So the sizes of runs, which never reach into the last chunk, may be counted in words;
// sums over an arena are counted in `UInt64`.

/// The space that an arena's pages lie in: translates between addresses, pages and offsets.
@usableFromInline
package struct PageSpace: Sendable {
  /// The address of page 0.
  ///
  /// Invariant: a multiple of the page size, and the space ends before the address space does; 0
  /// where that has 32 bits.
  @usableFromInline package let base: UInt

  /// The space that starts at an address.
  @inlinable @inline(__always)
  package init(base: UInt) { self.base = base }

  /// The page at an address that the arena handed out, or inside of such a page.
  ///
  /// Nothing is checked: for an address from elsewhere there is ``page(containing:)``.
  @inlinable @inline(__always)
  package func page(at address: UInt) -> PageNumber {
    Int(bitPattern: (address &- base) &>> UInt(Geometry.pageShift))
  }

  /// The page that any address lies in, be it the start of the page or not.
  ///
  /// - Returns: `nil` where the address is not in the space.
  @inlinable @inline(__always)
  package func page(containing address: UInt) -> PageNumber? {
    // An address below the base wraps to beyond the end of the space, by the invariant of `base`.
    let page = (address &- base) &>> UInt(Geometry.pageShift)
    return page < UInt(Geometry.pageCount) ? Int(bitPattern: page) : nil
  }

  /// Whether a page starts at an address.
  @inlinable @inline(__always)
  package func isStartOfPage(_ address: UInt) -> Bool {
    (address &- base) & Self.bitsInPage == 0
  }

  /// The address of a page.
  @inlinable @inline(__always)
  package func address(of page: PageNumber) -> UInt {
    // Below the end of the space, which does not wrap.
    base &+ UInt(bitPattern: page) &<< UInt(Geometry.pageShift)
  }

  /// The addresses of the bytes of some pages.
  ///
  /// - Precondition: on a 32-bit host the pages end before the space does.
  @inlinable @inline(__always)
  package func bytes(of pages: Range<PageNumber>) -> Range<UInt> {
    address(of: pages.lowerBound)..<address(of: pages.upperBound)
  }

  /// The offset of an address that the arena handed out.
  @inlinable @inline(__always)
  package func offset(of address: UInt) -> UInt32 {
    // The space has 2^32 bytes.
    UInt32(truncatingIfNeeded: address &- base)
  }

  /// The address at an offset.
  @inlinable @inline(__always)
  package func address(at offset: UInt32) -> UInt {
    base &+ UInt(offset)
  }
}

// MARK: - Without a base, which is a multiple of the page size

extension PageSpace {
  /// The bits of an address that are within a page.
  @inlinable @inline(__always)
  package static var bitsInPage: UInt { 1 &<< UInt(Geometry.pageShift) &- 1 }

  /// The page at an address, counted from address 0.
  @inlinable @inline(__always)
  package static func pageFromZero(at address: UInt) -> UInt {
    address &>> UInt(Geometry.pageShift)
  }
}

extension PageSpace {
  /// The memory at an address.
  ///
  /// The bookkeeping speaks of addresses as numbers alone; this is where one becomes a pointer. To
  /// use it is as safe as the reason for which the caller may touch that memory.
  ///
  /// - Precondition: the address is not 0.
  @inlinable @inline(__always)
  package static func memory(at address: UInt) -> UnsafeMutableRawPointer {
    unsafe UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
  }
}

// MARK: - Sizes

extension PageSpace {
  /// How many bytes so many pages have, in the type that is asked for.
  ///
  /// - Precondition: they fit it. On a 32-bit host `UInt` holds less than 2^19 pages.
  @inlinable @inline(__always)
  package static func byteCount<Count: FixedWidthInteger>(of pageCount: Int) -> Count {
    assert(pageCount >= 0 && pageCount <= Int(clamping: Count.max >> Count(Geometry.pageShift)))
    return Count(truncatingIfNeeded: pageCount) &<< Count(truncatingIfNeeded: Geometry.pageShift)
  }

  /// How many whole pages there are in so many bytes; at most what fits a word.
  @inlinable @inline(__always)
  package static func pageCount<Count: FixedWidthInteger>(in byteCount: Count) -> Int {
    Int(clamping: byteCount &>> Count(truncatingIfNeeded: Geometry.pageShift))
  }

  /// How many pages so many bytes need; at most what fits a word.
  @inlinable @inline(__always)
  package static func pageCount<Count: FixedWidthInteger>(holding byteCount: Count) -> Int {
    let rest = byteCount & Count(truncatingIfNeeded: 1 &<< Geometry.pageShift &- 1)
    let (sum, overflow) = pageCount(in: byteCount).addingReportingOverflow(rest == 0 ? 0 : 1)
    return overflow ? .max : sum
  }
}
