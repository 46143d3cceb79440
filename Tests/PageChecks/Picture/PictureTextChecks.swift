import PageAlloc
import PageTrace

/// Pictures in a terminal.
package let pictureTextChecks: [Check] = [
  Check("picture as text: a chunk of pages, cell by cell") { recorder in
    guard
      var picture = makePicture(
        [
          (60, .inUse), (3, .guardPage), (2, .atHand), (127, .free), (64, .empty),
          (255, .neverUsed),
          (1, .inUse),
        ], title: "a\u{1b}[2Jheap", &recorder)
    else { return }
    func row(_ pieces: (Int, String)...) -> String {
      pieces.reduce(into: "") { $0 += repeated($1.1, $1.0) }
    }
    let rows = [
      "   0 MiB " + row((60, "█"), (3, "┃"), (1, "▓")) + " 1h",
      "         " + row((1, "▓"), (63, "▒")),
      "         " + row((64, "▒")), "         " + row((64, "░")),
      "         " + row((64, "·")), "         " + row((64, "·")), "         " + row((64, "·")),
      "         " + row((63, "·"), (1, "█")),
    ]
    let expected =
      [
        "a?[2Jheap", "4 MiB in 1 chunk of 4 MiB, from 0x4000000", "",
      ] + rows + [
        "",
        "█ in use             61 pages     488 KiB   11.9 %",
        "┃ guard               3 pages      24 KiB    0.6 %",
        "▓ cached              2 pages      16 KiB    0.4 %",
        "▒ free resident     127 pages    1016 KiB   24.8 %",
        "░ given back         64 pages     512 KiB   12.5 %",
        "· never used        255 pages     2.0 MiB   49.8 %",
        "",
        "longest free run 191 pages (1.5 MiB), fragmentation 0.0 % of what is free",
        "one cell is 1 page of 8 KiB",
        "1 huge page of 2 MiB; 2h: two of them back that row", "",
      ]
    picture.hugePages = [0]
    expectLines(picture.text(isColoured: false), expected, &recorder)
  },

  Check("picture as text: 80 columns and 64 rows of cells at most, at any size") { recorder in
    var random = SplitMix64(seed: 80)
    for pages in [0, 1, 511, 512, 4096, 4097, 70_000, 524_288] {
      recorder.context = "\(pages) pages"
      var stretches: [(Int, PageState)] = []
      var left = pages
      while left > 0 {
        let count = min(left, random.logarithmic(12))
        stretches.append((count, PageState.allCases[random.below(6)]))
        left -= count
      }
      let title = repeated("long ", 40)
      guard var picture = makePicture(stretches, title: title, &recorder) else { return }
      picture.hugePages = Array(0..<pages / 256)
      let plain = Array(picture.text(isColoured: false).utf8)
      let head = plain.split(separator: 10)[0]
      recorder.expect(columns(head) == 80 && head.suffix(3).elementsEqual("…".utf8), "the title")
      var rows = 0
      for line in plain.split(separator: 10) {
        recorder.expect(columns(line) <= 80, String(decoding: line, as: UTF8.self))
        if line.first == 0x20 { rows += 1 }
      }
      recorder.expect(rows <= 64 && (rows > 0 || pages == 0), "\(rows) rows")
      let coloured = Array(picture.text(isColoured: true).utf8)
      recorder.expect(coloured.count > plain.count, "no colours")
      recorder.expect(withoutCodes(coloured).elementsEqual(plain), "the same but for colours")
    }
  },

  Check("picture as text: figures") { recorder in
    let sizes: [(UInt64, String)] = [
      (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1025, "1.0 KiB"), (1536, "1.5 KiB"),
      (64 << 10, "64 KiB"), (1_023_949, "1000 KiB"), (1_048_575, "1.0 MiB"), (1 << 32, "4 GiB"),
      (102_400 - 1, "100 KiB"), (.max, "16777216 TiB"),
    ]
    for (count, expected) in sizes {
      var text = AsciiText()
      text.append(byteCount: count)
      recorder.expect(text.string.utf8.elementsEqual(expected.utf8), text.string)
    }
    for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_020_003, "1,020,003")] {
      var text = AsciiText()
      text.append(grouped: number)
      recorder.expect(text.string.utf8.elementsEqual(expected.utf8), text.string)
    }
    for (part, whole, expected) in [
      (0, 0, "0.0 %"), (1, 3, "33.3 %"), (2, 3, "66.7 %"), (7, 7, "100.0 %"),
    ] {
      var text = AsciiText()
      text.append(percentage: part, of: whole)
      recorder.expect(text.string.utf8.elementsEqual(expected.utf8), text.string)
    }
  },
]

/// Compares line by line, so that a failure tells which one differs.
private func expectLines(
  _ text: String, _ expected: [String], _ recorder: inout Recorder, line: UInt = #line
) {
  let lines = Array(text.utf8).split(separator: 10, omittingEmptySubsequences: false)
  recorder.expectEqual(lines.count, expected.count, "lines", line: line)
  for index in 0..<min(lines.count, expected.count) {
    recorder.expect(
      lines[index].elementsEqual(expected[index].utf8),
      "line \(index): \(String(decoding: lines[index], as: UTF8.self))", line: line)
  }
}

private func repeated(_ text: String, _ count: Int) -> String {
  var all = ""
  for _ in 0..<count { all += text }
  return all
}

/// How many columns a line takes: a byte each, but those that go on with a character.
private func columns(_ line: ArraySlice<UInt8>) -> Int { line.count { $0 & 0xc0 != 0x80 } }

/// Text without what stands between an escape and an `m`.
private func withoutCodes(_ text: [UInt8]) -> [UInt8] {
  var plain: [UInt8] = []
  var isCode = false
  for byte in text {
    if byte == 0x1b { isCode = true }
    if !isCode { plain.append(byte) }
    if byte == 0x6d { isCode = false }
  }
  return plain
}
