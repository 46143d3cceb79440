import PageAlloc
import SysMem

/// What the kernel has noted about huge pages of a mapping: `hg`, `nh` or neither in its `VmFlags`.
enum HugePageFlag: Equatable {
  case none, preferred, avoided

  /// What an arena tells it of memory that it has grown to; of `automatic`, beyond the first 8 MiB.
  init(_ policy: HugePages) {
    switch policy {
    case .system: self = .none
    case .automatic, .prefer: self = .preferred
    case .avoid: self = .avoided
    }
  }
}

/// What the kernel has noted about the mapping that an address lies in; `nil` where it does not
/// tell.
func hugePageFlag(at address: UInt) -> HugePageFlag? {
  if isEmulated { return nil }
  var isInside = false
  var flag: HugePageFlag?
  let isRead = forEachLine(of: FixedText<32>("/proc/self/smaps")) { line in
    var place = 0
    if let start = hexNumber(line, &place), line[place] == UInt8(ascii: "-") {
      place += 1
      let end = hexNumber(line, &place) ?? 0
      isInside = address >= start && address < end
    } else if isInside, line.has("VmFlags:", at: 0) {
      flag = HugePageFlag.none
      for place in 8..<line.count {
        if line.has(" hg", at: place) { flag = .preferred }
        if line.has(" nh", at: place) { flag = .avoided }
      }
    }
  }
  return isRead ? flag : nil
}

/// The hexadecimal number at a place of a line, and where it ends; `nil` where there is none.
private func hexNumber(_ line: borrowing LineCutter.Line, _ place: inout Int) -> UInt? {
  var value: UInt = 0
  let start = place
  while true {
    switch line[place] {
    case let byte where byte >= 48 && byte <= 57: value = value &* 16 &+ UInt(byte - 48)
    case let byte where byte >= 97 && byte <= 102: value = value &* 16 &+ UInt(byte - 87)
    default: return place == start ? nil : value
    }
    place += 1
  }
}
