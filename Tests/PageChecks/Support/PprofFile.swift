import PageAlloc

/// What a file in pprof's format says, read by no code of the library's.
package struct PprofFile {
  /// A sample: the functions of its calls, innermost first, and its values.
  package struct Sample {
    package var locations: [UInt64] = []
    package var values: [UInt64] = []
  }

  package var sampleTypes: [(type: UInt64, unit: UInt64)] = []
  package var samples: [Sample] = []
  package var strings: [String] = []
  package var period: UInt64 = 0
  package var defaultType: UInt64 = 0
  /// Each one's number, mapping, address and function.
  package var locations: [(number: UInt64, mapping: UInt64, address: UInt64, function: UInt64)] = []
  /// Each one's number, name, and name of the file's.
  package var functions: [(number: UInt64, name: UInt64, systemName: UInt64)] = []
  /// Each one's number, start, end, and path.
  package var mappings: [(number: UInt64, start: UInt64, end: UInt64, path: UInt64)] = []

  /// - Returns: `nil` where the bytes are no such file.
  package init?(_ bytes: [UInt8]) {
    guard let fields = Self.fields(bytes, 0..<bytes.count) else { return nil }
    for (field, value, part) in fields {
      switch field {
      case 1:
        guard let type = Self.numbers(bytes, part, 2) else { return nil }
        sampleTypes.append((type[0], type[1]))
      case 2:
        guard let inner = Self.fields(bytes, part) else { return nil }
        var sample = Sample()
        for (field, value, _) in inner {
          if field == 1 { sample.locations.append(value) }
          if field == 2 { sample.values.append(value) }
        }
        samples.append(sample)
      case 3:
        guard let it = Self.numbers(bytes, part, 6) else { return nil }
        mappings.append((it[0], it[1], it[2], it[4]))
      case 4:
        guard let it = Self.numbers(bytes, part, 4) else { return nil }
        var function: UInt64 = 0
        for (field, _, part) in Self.fields(bytes, part) ?? [] where field == 4 {
          function = Self.numbers(bytes, part, 2)?[0] ?? 0
        }
        locations.append((it[0], it[1], it[2], function))
      case 5:
        guard let it = Self.numbers(bytes, part, 3) else { return nil }
        functions.append((it[0], it[1], it[2]))
      case 6: strings.append(String(decoding: bytes[part], as: UTF8.self))
      case 12: period = value
      case 14: defaultType = value
      default: break
      }
    }
  }

  /// Whether a function's name of the file's has a part in it.
  private func hasName(_ function: UInt64, _ part: StaticString) -> Bool {
    for it in functions where it.number == function && it.systemName < strings.count {
      let name = Array(strings[Int(it.systemName)].utf8)
      let count = part.utf8CodeUnitCount
      if name.count < count { continue }
      for start in 0...(name.count - count) {
        var index = 0
        // Within the literal, which lives for ever.
        while index < count, unsafe name[start + index] == part.utf8Start[index] { index += 1 }
        if index == count { return true }
      }
    }
    return false
  }

  /// The sum of a value over the samples in whose calls a function of a name is.
  ///
  /// - Parameter value: 0 ... 3, in the order of the sample types.
  package func sum(_ value: Int, under name: StaticString) -> UInt64 {
    var sum: UInt64 = 0
    for sample in samples where value < sample.values.count {
      var isIt = false
      for location in locations where sample.locations.contains(location.number) {
        if hasName(location.function, name) { isIt = true }
      }
      if isIt { sum += sample.values[value] }
    }
    return sum
  }

  /// What each field of a message is: a number, or where its bytes are.
  private static func fields(
    _ bytes: [UInt8], _ range: Range<Int>
  ) -> [(field: UInt64, value: UInt64, part: Range<Int>)]? {
    var all: [(field: UInt64, value: UInt64, part: Range<Int>)] = []
    var place = range.lowerBound
    while place < range.upperBound {
      guard let tag = number(bytes, &place, range.upperBound),
        let value = number(bytes, &place, range.upperBound)
      else { return nil }
      switch tag & 7 {
      case 0: all.append((tag >> 3, value, place..<place))
      case 2:
        guard value <= UInt64(range.upperBound - place) else { return nil }
        all.append((tag >> 3, 0, place..<(place + Int(value))))
        place += Int(value)
      default: return nil
      }
    }
    return all
  }

  /// The numbers of a message's first fields, 0 where one is not there.
  private static func numbers(_ bytes: [UInt8], _ part: Range<Int>, _ count: Int) -> [UInt64]? {
    guard let fields = fields(bytes, part) else { return nil }
    var numbers = [UInt64](repeating: 0, count: count)
    for (field, value, _) in fields where field >= 1 && field <= UInt64(count) {
      numbers[Int(field) - 1] = value
    }
    return numbers
  }

  private static func number(_ bytes: [UInt8], _ place: inout Int, _ end: Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while place < end, shift < 64 {
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 127) << shift
      if byte < 128 { return value }
      shift += 7
    }
    return nil
  }
}
