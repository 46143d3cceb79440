import PageAlloc

// Vectors of the list of address ranges: `ranges.vec`. The bounds are bytes, in hexadecimal.

extension VectorFile {
  /// Runs one line. Returns false if `word` belongs to another part.
  mutating func runRanges(
    _ word: ArraySlice<UInt8>, _ line: inout Line
  ) throws(TraceFormatError) -> Bool {
    if word.equals("new") {
      try line.finish()
      ranges = RangeList()
    } else if word.equals("add") {
      try add(&line)
    } else if word.equals("list") {
      try showList(&line)
    } else if word.equals("succ") {
      let bound = try line.hexadecimal("the address")
      try line.expect("->")
      comparison.actual.append(try currentRanges(line).list.indexOfSuccessor(bound))
      try comparison.compare(line, form: ResultForm("n"))
    } else if word.equals("atleast") {
      try findCovered(&line)
    } else if word.equals("contains") {
      let bound = try line.hexadecimal("the address")
      try line.expect("->")
      comparison.actual.append(try currentRanges(line).list.contains(bound) ? 1 : 0)
      try comparison.compare(line, form: ResultForm("b"))
    } else if word.equals("removelast") {
      try removeLast(&line)
    } else if word.equals("removefrom") {
      let bound = try line.hexadecimal("the address")
      try line.finish()
      try currentRanges(line).list.removeAll(from: bound)
    } else {
      return false
    }
    return true
  }

  private func currentRanges(_ line: Line) throws(TraceFormatError) -> RangeList {
    guard let ranges else { throw line.error("no \"new\" line before this one") }
    return ranges
  }

  /// `add LO HI`
  private mutating func add(_ line: inout Line) throws(TraceFormatError) {
    let low = try line.hexadecimal("the lower bound")
    let high = try line.hexadecimal("the upper bound")
    try line.finish()
    guard low < high else { throw line.error("a range from \(low) to \(high) is empty") }
    let ranges = try currentRanges(line)
    for index in 0..<ranges.list.count where ranges.list[index].overlaps(low..<high) {
      return try comparison.refuse(line, "this range overlaps one in the list")
    }
    guard ranges.list.count < RangeList.capacity else {
      return try comparison.refuse(line, "more than \(RangeList.capacity) ranges")
    }
    ranges.list.add(low..<high)
  }

  /// `list -> TOTALBYTES LO-HI ...`
  ///
  /// Of an empty list the recorded file has a blank behind the `0`; it may be there or not.
  private mutating func showList(_ line: inout Line) throws(TraceFormatError) {
    try line.expect("->")
    let ranges = try currentRanges(line)
    comparison.actual.append(ranges.list.total)
    if ranges.list.count == 0, line.rest.last == Ascii.space { comparison.actual.append(" ") }
    for index in 0..<ranges.list.count {
      comparison.actual.append(" ")
      comparison.actual.append(hexadecimal: ranges.list[index].lowerBound)
      comparison.actual.append("-")
      comparison.actual.append(hexadecimal: ranges.list[index].upperBound)
    }
    try comparison.compare(line, form: ResultForm("n r*"))
  }

  /// `atleast A -> B`, `atleast A -> none`
  private mutating func findCovered(_ line: inout Line) throws(TraceFormatError) {
    let bound = try line.hexadecimal("the address")
    try line.expect("->")
    if let covered = try currentRanges(line).list.lowest(atLeast: bound) {
      comparison.actual.append(hexadecimal: covered)
    } else {
      comparison.actual.append("none")
    }
    try comparison.compare(line, form: ResultForm("x|none"))
  }

  /// `removelast N -> LO HI`; `0 0` of an empty list
  private mutating func removeLast(_ line: inout Line) throws(TraceFormatError) {
    let byteCount = try line.hexadecimal("the number of bytes")
    try line.expect("->")
    let removed = try currentRanges(line).list.removeLast(byteCount)
    comparison.actual.append(hexadecimal: removed?.lowerBound ?? 0)
    comparison.actual.append(" ")
    comparison.actual.append(hexadecimal: removed?.upperBound ?? 0)
    try comparison.compare(line, form: ResultForm("x x"))
  }
}

/// A list of ranges with the memory it works in.
@safe final class RangeList {
  /// How many ranges there is room for.
  static let capacity = 4096

  /// The list.
  var list: AddressRanges<UInt64>
  private let storage: UnsafeMutableBufferPointer<Range<UInt64>>

  /// An empty list.
  init() {
    unsafe storage = .allocate(capacity: Self.capacity)
    // The memory lives as long as this object, and the list is used through it alone.
    list = unsafe AddressRanges(storage: storage)
  }

  deinit {
    // Allocated in `init`; ranges need no deinitialization.
    unsafe storage.deallocate()
  }
}
