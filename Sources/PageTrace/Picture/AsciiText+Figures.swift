// Figures for people, by whole numbers alone: Embedded Swift writes no fractions.

extension AsciiText {
  /// Writes a string as it is.
  package mutating func append(string: String) {
    append(Array(string.utf8)[...])
  }

  /// `1,234,567`
  package mutating func append(grouped number: Int) {
    if number >= 1000 {
      append(grouped: number / 1000)
      append(",")
      let rest = number % 1000
      if rest < 100 { append("0") }
      if rest < 10 { append("0") }
      append(rest)
    } else {
      append(number)
    }
  }

  /// Bytes in the largest unit that leaves at least 1: `64 KiB`, `1.2 GiB`, `156 MiB`.
  package mutating func append(byteCount count: UInt64) {
    let units: [StaticString] = [" bytes", " KiB", " MiB", " GiB", " TiB"]
    var unit = 0
    // What would be rounded to 1024 is 1 of the next unit.
    while unit + 1 < units.count,
      count >> UInt64(10 * unit) >= 1024 || Self.tenths(count, unit) >= 10_240
    {
      unit += 1
    }
    let isWhole = count & (1 << UInt64(10 * unit) - 1) == 0
    append(tenths: Self.tenths(count, unit), below: isWhole ? 0 : 1000)
    append(units[unit])
  }

  /// So many tenths of a unit, rounded: those below `limit` with a digit behind the point.
  package mutating func append(tenths: UInt64, below limit: UInt64 = .max) {
    if tenths < limit {
      append(tenths / 10)
      append(".")
      append(tenths % 10)
    } else {
      append((tenths + 5) / 10)
    }
  }

  /// `12.5 %`: `part` of `whole`; 0 where there is no whole.
  package mutating func append(percentage part: Int, of whole: Int) {
    let (part, whole) = (UInt64(part), UInt64(whole))
    append(tenths: whole == 0 ? 0 : (part * 1000 + whole / 2) / whole)
    append(" %")
  }

  /// Tenths of 1024 to the power of `unit`, rounded.
  private static func tenths(_ count: UInt64, _ unit: Int) -> UInt64 {
    let size = UInt64(1) << UInt64(10 * unit)
    return (count >> UInt64(10 * unit)) * 10 + ((count & (size - 1)) * 10 + size / 2) / size
  }
}
