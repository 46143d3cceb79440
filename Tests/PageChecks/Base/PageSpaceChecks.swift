import PageAlloc

/// Places for a space: on a 32-bit host there is only one.
#if _pointerBitWidth(_32)
  private let bases: [UInt] = [0]
#else
  private let bases: [UInt] = [0, 0x7f12_a4c0_0000, 0 &- 2 << 32]
#endif

/// The translations between addresses, pages, offsets and sizes.
package let pageSpaceChecks: [Check] = [
  Check("space: pages, addresses and offsets turn into each other") { recorder in
    for base in bases {
      let space = PageSpace(base: base)
      recorder.expectEqual(space.base, base, "base")
      for page in [0, 1, 511, 512, 262_143, 262_144, 524_287] {
        let address = base + UInt(page) * 8192
        recorder.expectEqual(space.address(of: page), address, "address of page \(page)")
        recorder.expect(space.isStartOfPage(address), "page \(page) starts there")
        recorder.expectEqual(space.offset(of: address), UInt32(page) * 8192, "offset of \(page)")
        recorder.expectEqual(space.address(at: UInt32(page) * 8192), address, "offset, back")
        for inside: UInt in [0, 1, 4096, 8191] {
          recorder.expectEqual(space.page(at: address + inside), page, "page at its byte \(inside)")
          recorder.expectEqual(
            space.page(containing: address + inside) ?? -1, page, "page around its byte \(inside)")
          recorder.expect(
            space.isStartOfPage(address + inside) == (inside == 0), "start at byte \(inside)")
        }
      }
    }
  },
  Check("space: an address outside of it is in no page") { recorder in
    for base in bases {
      let space = PageSpace(base: base)
      let last = base + 0xffff_ffff
      recorder.expectEqual(space.page(containing: last) ?? 0, 524_287, "the last byte")
      // Every address is in the space of a 32-bit host; elsewhere the last one is in none of these.
      if last == .max { continue }
      recorder.expect(space.page(containing: last + 1) == nil, "the end")
      recorder.expect(space.page(containing: .max) == nil, "the last address")
      if base == 0 { continue }
      recorder.expect(space.page(containing: base - 1) == nil, "just below")
      recorder.expect(space.page(containing: base - 8192) == nil, "a page below")
      recorder.expect(space.page(containing: 0) == nil, "address 0")
    }
  },
  Check("space: the bytes of pages start and end where the pages do") { recorder in
    for base in bases {
      let bytes = PageSpace(base: base).bytes(of: 512..<515)
      recorder.expectEqual(bytes.lowerBound, base + 4 << 20, "start")
      recorder.expectEqual(bytes.upperBound, base + 4 << 20 + 24_576, "end")
      recorder.expect(PageSpace(base: base).bytes(of: 512..<512).isEmpty, "no pages, no bytes")
    }
  },
  Check("space: sizes in bytes and in pages turn into each other, down and up") { recorder in
    for pages in [0, 1, 127, 512, 523_776] {
      let word: UInt = PageSpace.byteCount(of: pages)
      let wide: UInt64 = PageSpace.byteCount(of: pages)
      recorder.expectEqual(UInt64(word), UInt64(pages) * 8192, "bytes of \(pages), in a word")
      recorder.expectEqual(wide, UInt64(pages) * 8192, "bytes of \(pages)")
      recorder.expectEqual(PageSpace.pageCount(in: word), pages, "pages in them")
      recorder.expectEqual(PageSpace.pageCount(holding: wide), pages, "pages for them")
      recorder.expectEqual(PageSpace.pageCount(in: wide + 8191), pages, "pages in a part more")
      recorder.expectEqual(PageSpace.pageCount(holding: wide + 1), pages + 1, "pages for one more")
      recorder.expectEqual(PageSpace.pageCount(holding: word + 8191), pages + 1, "for 8,191 more")
    }
    let space: UInt64 = PageSpace.byteCount(of: Geometry.pageCount)
    recorder.expectEqual(space, 1 << 32, "bytes of all pages")
    recorder.expectEqual(PageSpace.pageCount(in: space), 524_288, "pages in them")
    let most = Int(clamping: UInt64.max >> 13)
    recorder.expectEqual(PageSpace.pageCount(in: UInt64.max), most, "pages in too many bytes")
    recorder.expect(PageSpace.pageCount(holding: UInt64.max) >= most, "pages for too many bytes")
  },
]
