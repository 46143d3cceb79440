import SysMem

/// Files of the kernel's, line by line.
package let lineCutterChecks: [Check] = [
  Check("lines: empty ones, long ones, and what no newline closes") { recorder in
    let rows: [(name: StaticString, text: StaticString, lines: [StaticString])] = [
      ("nothing", "", []),
      ("a line that is not closed", "abc", []),
      ("one", "abc\n", ["abc"]),
      ("empty ones", "\n\nabc\n\n", ["", "", "abc", ""]),
      ("two, and the start of a third", "a\nb\nc", ["a", "b"]),
      (
        "one of 47 bytes, one of 48, and a short one",
        """
        12345678901234567890123456789012345678901234567
        123456789012345678901234567890123456789012345678
        short

        """,
        [
          "12345678901234567890123456789012345678901234567",
          "12345678901234567890123456789012345678901234567", "short",
        ]
      ),
    ]
    for row in rows {
      recorder.context = row.name.description
      var count = 0
      var areRight = true
      forEachLine(in: row.text) { line in
        let isRight =
          count < row.lines.count && line.has(row.lines[count], at: 0)
          && line.count == row.lines[count].utf8CodeUnitCount
        areRight = areRight && isRight
        count += 1
      }
      recorder.expect(areRight, "the lines")
      recorder.expectEqual(count, row.lines.count, "how many")
    }
  }
]

/// Cuts a literal into lines, as a file of the kernel's is.
func forEachLine(in text: StaticString, _ body: (borrowing LineCutter.Line) -> Void) {
  var lines = LineCutter()
  // A literal's bytes last as long as the program.
  for index in 0..<text.utf8CodeUnitCount { lines.take(unsafe text.utf8Start[index], body) }
}
