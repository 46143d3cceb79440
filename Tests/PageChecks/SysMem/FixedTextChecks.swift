import SysMem

/// The text that lies in the value itself.
package let fixedTextChecks: [Check] = [
  Check("fixed text: it says what was put in, and cuts what does not fit") { recorder in
    var text = FixedText<12>("ab")
    text.append(UInt(0))
    text.append(UInt(4_294_967_295))
    recorder.expectText(text, "ab042949672", "one byte is kept")
    recorder.expectEqual(text.room, 0, "room")
    text.append(byte: 33)
    text.append("more")
    recorder.expectEqual(text.count, 11, "nothing more fits")
    text.cut(to: 20)
    recorder.expectEqual(text.count, 11, "nothing to cut")
    text.cut(to: 1)
    recorder.expectText(text, "a", "cut")
    recorder.expectEqual(text[1], 0, "a byte beyond the end")
    text.append(" is ", 7)
    recorder.expectText(text, "a is 7", "text and number")
    text.clear()
    recorder.expectText(text, "", "cleared")
  },
  Check("fixed text: numbers are written in decimal and in hexadecimal") { recorder in
    var text = FixedText<64>()
    for number: UInt in [1, 9, 10, 99, 100, 4_000_000_000] {
      text.clear()
      text.append(number)
      recorder.expect(text.number(at: 0) == UInt64(number), "\(number), written and read")
    }
    text.clear()
    text.append(hex: UInt8(0xa7))
    text.append(" ")
    text.append(hex: UInt64(0x0123_4567_89ab_cdef))
    recorder.expectText(text, "a7 0123456789abcdef", "hexadecimal")
    text.clear()
    text.append(.max)
    recorder.expect(text.number(at: 0) == UInt64(UInt.max), "the largest word")
  },
  Check("fixed text: what is in it is found") { recorder in
    var text = FixedText<40>("total=17 of 18446744073709551616")
    recorder.expect(text.has("total=", at: 0), "at the start")
    recorder.expect(text.has("17 ", at: 6), "within")
    recorder.expect(!text.has("17 o", at: 7), "at another place")
    recorder.expect(!text.has("16 and more", at: 30), "beyond the end")
    recorder.expectEqual(text.index(of: UInt8(ascii: "="), from: 0), 5, "a byte")
    recorder.expectEqual(text.index(of: UInt8(ascii: "="), from: 6), text.count, "no such byte")
    recorder.expect(text.number(at: 6) == 17, "a number")
    recorder.expect(text.number(at: 5) == nil, "no number")
    recorder.expect(text.number(at: text.count) == nil, "no number at the end")
    recorder.expect(text.number(at: 12) == .max, "a number beyond 64 bits")
    text.cut(to: 8)
    let part = FixedText<8>(text, 0..<5)
    recorder.expectText(part, "total", "a part of another text")
  },
  Check("fixed text: a body writes on from the end, and C sees where the text ends") { recorder in
    var text = FixedText<8>("abc")
    unsafe text.append { bytes, room in
      recorder.expectEqual(room, 4, "room")
      unsafe bytes.initializeMemory(as: UInt8.self, repeating: 120, count: room)
      return 2
    }
    recorder.expectText(text, "abcxx", "two of four bytes")
    let length = unsafe text.withCString { characters in
      var length = 0
      while unsafe characters[length] != 0 { length += 1 }
      return length
    }
    recorder.expectEqual(length, 5, "bytes up to the zero")
  },
]

extension Recorder {
  fileprivate mutating func expectText<let capacity: Int>(
    _ text: borrowing FixedText<capacity>, _ expected: StaticString, _ what: String,
    line: UInt = #line
  ) {
    expectEqual(text.count, expected.utf8CodeUnitCount, what, line: line)
    expect(text.has(expected, at: 0), what, line: line)
  }
}
