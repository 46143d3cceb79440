import SysMem

extension ArenaCore {
  /// The beginning of a line about the arena: its number, and its label where it has one.
  func beginLine(_ what: StaticString) -> DumpLine {
    var line = DumpLine()
    line.append("PageAlloc: ")
    line.append(what)
    line.append(" arena ", UInt64(number))
    if label.count > 0 {
      line.append(" \"")
      for index in 0..<label.count { line.append(byte: label[index]) }
      line.append("\"")
    }
    line.append(", ")
    return line
  }
}
