import PageTrace

/// A line that strace wrote, taken apart as far as its form goes.
///
/// ```
/// [pid 71] 12:00:01.5 mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, 3, 0) = 0x7f0000000000 <0.00002>
/// -------- ---------- ----                                             --------------
/// task     skipped    name                                             result
/// ```
struct StraceLine {
  typealias Text = ArraySlice<UInt8>

  enum Body {
    /// A whole call.
    case call(name: Text, arguments: Text, result: StraceResult)
    /// `mmap(NULL, 8192 <unfinished ...>`: other lines come before its end.
    case begun(name: Text, arguments: Text)
    /// `<... mmap resumed>, 3, 0) = 0x7f0000000000`: the rest of such a call.
    case resumed(name: Text, arguments: Text, result: StraceResult)
    /// `+++ exited with 0 +++`, or killed.
    case ended
    /// `+++ superseded by execve in pid 72 +++`: that thread goes on under this one's number.
    case superseded(by: UInt64)
    /// `strace: Process 72 attached`.
    case attached(UInt64)
    /// A signal, an empty line, or words of strace that mean nothing here.
    case remark
    /// Nothing that strace writes: a program's own output among it, as a rule.
    case unknown
  }

  /// The process or thread, where the line names it.
  let task: UInt64?
  let body: Body

  /// - Parameter bytes: the line without its newline.
  init(_ bytes: Text) {
    var rest = bytes
    while rest.last == Ascii.space || rest.last == UInt8(ascii: "\r") { rest.removeLast() }
    task = Self.takeTask(&rest)
    Self.skipStamps(&rest)
    body = Self.body(rest)
  }

  /// Takes `[pid 71] `, which strace writes to a terminal, or `71 `, which it writes to a file.
  private static func takeTask(_ rest: inout Text) -> UInt64? {
    var text = rest
    text.skipSpaces()
    if text.take("[pid") {
      text.skipSpaces()
      guard let number = text.takeDecimal(), text.take("]") else { return nil }
      rest = text
      return number
    }
    guard let number = text.takeDecimal(), text.first == Ascii.space else { return nil }
    rest = text
    return number
  }

  /// Skips what `-t`, `-r`, `-i` and `-n` write before the call: `12:00:01`, `0.000034`,
  /// `[7f0012]`.
  private static func skipStamps(_ rest: inout Text) {
    while true {
      rest.skipSpaces()
      var text = rest
      if text.take("[") {
        guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return }
        rest = text[(end + 1)...]
        continue
      }
      let stamp = text.prefix {
        ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || $0 == UInt8(ascii: ":")
          || $0 == UInt8(ascii: ".")
      }
      guard stamp.contains(UInt8(ascii: ":")) || stamp.contains(UInt8(ascii: ".")),
        stamp.endIndex < text.endIndex, text[stamp.endIndex] == Ascii.space
      else { return }
      rest = text[stamp.endIndex...]
    }
  }

  private static func body(_ text: Text) -> Body {
    if text.isEmpty { return .remark }
    var rest = text
    if rest.take("+++ ") {
      if rest.take("superseded by execve in pid "), let task = rest.takeDecimal() {
        return .superseded(by: task)
      }
      return rest.take("exited") || rest.take("killed") ? .ended : .remark
    }
    if rest.take("--- ") { return .remark }
    if rest.take("strace: ") || rest.starts(with: "Process ".utf8) {
      if rest.take("Process "), let task = rest.takeDecimal(), rest.take(" attached") {
        return .attached(task)
      }
      return .remark
    }
    if rest.take("<... ") { return resumed(rest) }
    return call(text)
  }

  private static func resumed(_ text: Text) -> Body {
    var rest = text
    let name = rest.takeName()
    guard !name.isEmpty, rest.take(" resumed>"), let (arguments, result) = split(rest) else {
      return .unknown
    }
    return .resumed(name: name, arguments: arguments, result: result)
  }

  private static func call(_ text: Text) -> Body {
    var rest = text
    let name = rest.takeName()
    guard !name.isEmpty, rest.take("(") else { return .unknown }
    if let arguments = rest.dropping(suffix: "<unfinished ...>") {
      return .begun(name: name, arguments: arguments)
    }
    guard let (arguments, result) = split(rest) else { return .unknown }
    return .call(name: name, arguments: arguments, result: result)
  }

  /// Parts `NULL, 8192) = 0x7f0000000000` at the last `) =`, for arguments may hold one in a
  /// string.
  private static func split(_ text: Text) -> (Text, StraceResult)? {
    var index = text.endIndex
    while index > text.startIndex {
      index -= 1
      guard text[index] == UInt8(ascii: ")") else { continue }
      var rest = text[(index + 1)...]
      rest.skipSpaces()
      if rest.take("= ") { return (text[..<index], StraceResult(rest)) }
    }
    return nil
  }
}

/// What stands behind the `=` of a call.
enum StraceResult {
  case value(UInt64)
  /// `-1 ENOMEM (Cannot allocate memory)`
  case failed
  /// `?`: the call never returned.
  case none

  init(_ text: ArraySlice<UInt8>) {
    var rest = text
    if rest.first == UInt8(ascii: "-") {
      self = .failed
    } else if let value = rest.takeNumber(), rest.isEmpty || rest.first == Ascii.space {
      // In a container strace adds which number a process has outside.
      rest.skipSpaces()
      if rest.take("/* "), let outside = rest.takeDecimal(), rest.take(" in strace's PID NS") {
        self = .value(outside)
      } else {
        self = .value(value)
      }
    } else {
      self = .none
    }
  }
}

// MARK: - Taking a text apart from its start

extension ArraySlice<UInt8> {
  mutating func skipSpaces() {
    while first == Ascii.space { removeFirst() }
  }

  /// Takes `word`, if that is what the text begins with.
  mutating func take(_ word: String) -> Bool {
    guard starts(with: word.utf8) else { return false }
    removeFirst(word.utf8.count)
    return true
  }

  /// Takes decimal digits.
  mutating func takeDecimal() -> UInt64? {
    let digits = prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    guard let value = digits.decimal else { return nil }
    removeFirst(digits.count)
    return value
  }

  /// Takes `NULL`, a number in decimal, or one in hexadecimal with `0x` before it.
  mutating func takeNumber() -> UInt64? {
    if take("NULL") { return 0 }
    var text = self
    guard text.take("0x") else { return takeDecimal() }
    let digits = text.prefix {
      ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
        || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "f"))
    }
    guard let value = digits.hexadecimal else { return nil }
    self = text[digits.endIndex...]
    return value
  }

  /// Takes a name of letters, digits and underscores; empty where there is none.
  mutating func takeName() -> ArraySlice<UInt8> {
    let name = prefix {
      ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z"))
        || ($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z"))
        || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || $0 == UInt8(ascii: "_")
    }
    removeFirst(name.count)
    return name
  }

  /// The text before `suffix`, if that is what it ends with.
  func dropping(suffix: String) -> ArraySlice<UInt8>? {
    guard count >= suffix.utf8.count, self.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    else { return nil }
    return dropLast(suffix.utf8.count)
  }
}
