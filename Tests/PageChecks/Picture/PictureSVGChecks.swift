import PageAlloc
import PageTrace

/// Pictures as SVG files; Tests/pagetoolTests reads them as XML.
package let pictureSVGChecks: [Check] = [
  Check("picture as SVG: the same heap, the same bytes; another heap, others") { recorder in
    let stretches: [(Int, PageState)] = [(500, .inUse), (12, .free), (512, .empty)]
    guard let one = makePicture(stretches, &recorder), let same = makePicture(stretches, &recorder),
      var other = makePicture(stretches, &recorder)
    else { return }
    recorder.expect(one.svg().elementsEqual(same.svg()), "the same")
    other.hugePages = [1]
    recorder.expect(!one.svg().elementsEqual(other.svg()), "a huge page more")
  },

  Check("picture as SVG: a title of any characters stays text") { recorder in
    let title = "<a href=\"x\">&amp;\u{0}\u{1b}é\u{ffff}"
    guard let picture = makePicture([(1, .inUse)], title: title, &recorder) else { return }
    let text = picture.svg()
    let expected = "<title>&lt;a href=&quot;x&quot;&gt;&amp;amp;\u{fffd}\u{fffd}é\u{fffd}</title>"
    recorder.expect(contains(text, expected), String(decoding: text.prefix(300), as: UTF8.self))
  },

  Check("picture as SVG: the worst of 4 GiB is within a MiB") { recorder in
    var stretches: [(Int, PageState)] = []
    for group in 0..<65_536 { stretches.append((8, group % 2 == 0 ? .inUse : .empty)) }
    guard let picture = makePicture(stretches, &recorder) else { return }
    let size = picture.svg().count
    // A line of a cell each: eight bytes at least.
    recorder.expect(size > 65_536 * 8 && size < 1 << 20, "\(size) bytes")
  },
]

private func contains(_ text: [UInt8], _ part: String) -> Bool {
  let part = Array(part.utf8)
  for start in 0..<max(0, text.count - part.count)
  where text[start..<start + part.count].elementsEqual(part) { return true }
  return false
}
