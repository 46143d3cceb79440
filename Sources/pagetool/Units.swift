import Foundation

/// `1,234,567`
func grouped(_ number: some BinaryInteger) -> String {
  let digits = String(number.magnitude)
  var text = number < 0 ? "-" : ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return text
}

/// Bytes in the largest unit that leaves at least 1: `176 KiB`, `1.2 GiB`.
func bytes(_ count: UInt64) -> String {
  let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
  var value = Double(count)
  var unit = 0
  // What would be rounded to 1024 is 1 of the next unit.
  while unit + 1 < units.count, value >= 1023.95 {
    value /= 1024
    unit += 1
  }
  return decimal(value, places: unit == 0 || value >= 99.95 ? 0 : 1) + " " + units[unit]
}

/// A difference of two numbers of bytes, with its sign: `+44.0 KiB`.
func byteChange(from before: UInt64, to after: UInt64) -> String {
  after >= before ? "+" + bytes(after - before) : "-" + bytes(before - after)
}

/// Nanoseconds in the largest unit that leaves at least 1: `83 ns`, `1.52 µs`, `4.31 s`.
func duration(_ nanoseconds: Double) -> String {
  switch nanoseconds {
  case ..<999.5: decimal(nanoseconds, places: nanoseconds < 99.95 ? 1 : 0) + " ns"
  case ..<999_500: decimal(nanoseconds / 1e3, places: 2) + " µs"
  case ..<999_500_000: decimal(nanoseconds / 1e6, places: 2) + " ms"
  default: decimal(nanoseconds / 1e9, places: 2) + " s"
  }
}

func decimal(_ value: Double, places: Int) -> String {
  // Invariant: the format has one conversion, for one `Double`.
  String(format: "%.\(places)f", value)
}

/// `text` with blanks before it, at least `width` characters.
func padded(left text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

/// `text` with blanks after it, at least `width` characters.
func padded(right text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}
