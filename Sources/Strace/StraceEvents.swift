import PageTrace

/// What happened, in the order in which it took effect: the calls of a strace, put together where
/// other lines came between their beginning and their end.
///
/// A call of `munmap` takes effect where its line begins, any other where it ends: so whatever the
/// kernel hands out anew was given back before, in whichever order the lines of two threads came.
struct StraceEvents {
  struct Event {
    /// Where it takes effect, and where its call began; counted from 1.
    let line: Int
    let start: Int
    /// The process or thread; 0 is the first one, while nothing tells its number.
    var task: UInt64
    let kind: Kind
  }

  enum Kind {
    case memory(MemoryCall)
    /// A new process or thread.
    case clone(child: UInt64, sharesMemory: Bool, isThread: Bool)
    case exec(program: String, command: String)
    case ended
  }

  private(set) var events: [Event] = []
  private(set) var counts = StraceCounts()
  /// Whether calls that make processes were recorded: then nothing about them is guessed.
  private(set) var tellsProcesses = false

  /// Calls that have begun, by task.
  private var begun: [UInt64: Begun] = [:]
  /// Tasks that are there, as far as is known.
  private var running: Set<UInt64> = [firstTask]
  /// Tasks that strace said, or will say, were made: a number that is not among them is the
  /// first's.
  private var announced: Set<UInt64> = []
  /// The number of the first task, once it is known.
  private var firstNumber: UInt64?

  /// The beginning of a line whose rest is the next one.
  private var cutLine: [UInt8] = []

  static let firstTask: UInt64 = 0

  private struct Begun {
    let name: ArraySlice<UInt8>
    let arguments: ArraySlice<UInt8>
    let line: Int
  }

  /// Reads what strace wrote.
  ///
  /// - Parameter progress: is told now and then how many bytes were read, and how many there are.
  /// - Throws: `TraceFormatError` for a call about memory whose arguments make no sense, and where
  ///   there is no such call at all.
  init(
    _ bytes: [UInt8], progress: ((_ done: Int, _ total: Int) -> Void)? = nil
  ) throws(TraceFormatError) {
    var start = 0
    while start < bytes.count {
      counts.lines += 1
      if counts.lines % 4096 == 0 { progress?(start, bytes.count) }
      guard let end = bytes[start...].firstIndex(of: Ascii.newline) else {
        // strace was stopped in the middle of it, and a number in it may be cut short.
        noteUnknown()
        break
      }
      try add(bytes[start..<end])
      start = end + 1
    }
    counts.unfinishedCalls += begun.values.count { MemoryCall.isOne($0.name) }
    guard counts.memoryCalls > 0 else {
      throw TraceFormatError(
        line: max(1, counts.lines), reason: "the file ends without a call about memory")
    }
    if let firstNumber {
      for index in events.indices where events[index].task == Self.firstTask {
        events[index].task = firstNumber
      }
    }
    // A line is the effect of one call at most, so no two events are of the same line.
    events.sort { $0.line < $1.line }
  }

  /// A line without its newline. To a terminal strace writes of a new process in the middle of the
  /// line of the call that makes it:
  ///
  /// ```
  /// clone(child_stack=NULL, flags=SIGCHLDstrace: Process 72 attached
  /// , child_tidptr=0x7f8d108bca10) = 72
  /// ```
  private mutating func add(_ bytes: ArraySlice<UInt8>) throws(TraceFormatError) {
    let line = cutLine.isEmpty ? bytes : (cutLine + bytes)[...]
    cutLine = []
    if let (head, remark) = Self.parted(line) {
      cutLine = Array(head)
      return try add(StraceLine(remark))
    }
    try add(StraceLine(line))
  }

  /// The beginning of a call, and what strace says of a new process behind it.
  private static func parted(
    _ line: ArraySlice<UInt8>
  ) -> (head: ArraySlice<UInt8>, remark: ArraySlice<UInt8>)? {
    guard line.dropping(suffix: " attached") != nil else { return nil }
    let mark = Array("strace: Process ".utf8)
    var index = line.endIndex - mark.count
    while index > line.startIndex {
      if line[index...].starts(with: mark) { return (line[..<index], line[index...]) }
      index -= 1
    }
    return nil
  }

  private mutating func add(_ line: StraceLine) throws(TraceFormatError) {
    let number = counts.lines
    // A program's own words may begin with a number, which is no task's.
    if case .unknown = line.body { return noteUnknown() }
    let task = task(of: line)
    switch line.body {
    case .call(let name, let arguments, let result):
      try add(name, arguments, result, of: task, from: number)
    case .begun(let name, let arguments):
      begun[task] = Begun(name: name, arguments: arguments, line: number)
    case .resumed(let name, let arguments, let result):
      guard let first = begun.removeValue(forKey: task), first.name.elementsEqual(name) else {
        return noteUnknown()
      }
      try add(name, first.arguments + arguments, result, of: task, from: first.line)
    case .ended:
      events.append(Event(line: number, start: number, task: task, kind: .ended))
      running.remove(task)
      if task == firstNumber { running.remove(Self.firstTask) }
    case .superseded(let other):
      // The rest of that thread's call comes under this number.
      begun[task] = begun.removeValue(forKey: other)
      running.remove(other)
      events.append(Event(line: number, start: number, task: other, kind: .ended))
    case .attached(let other):
      announced.insert(other)
      running.insert(other)
    case .remark, .unknown: break
    }
  }

  /// Whose line it is. strace names nobody while there is only one.
  private mutating func task(of line: StraceLine) -> UInt64 {
    guard let task = line.task else {
      let others = running.subtracting([Self.firstTask])
      if running.contains(Self.firstTask) || others.count != 1 {
        return firstNumber ?? Self.firstTask
      }
      return others.first ?? Self.firstTask
    }
    if firstNumber == nil, !announced.contains(task) {
      firstNumber = task
      begun[task] = begun.removeValue(forKey: Self.firstTask)
    }
    if task != firstNumber { running.insert(task) }
    return task
  }

  private mutating func noteUnknown() {
    counts.unknownLines += 1
    if counts.firstUnknownLine == nil { counts.firstUnknownLine = counts.lines }
  }

  private mutating func add(
    _ name: ArraySlice<UInt8>, _ arguments: ArraySlice<UInt8>, _ result: StraceResult,
    of task: UInt64, from start: Int
  ) throws(TraceFormatError) {
    guard MemoryCall.isOne(name) else {
      return addOther(name, arguments, result, of: task, from: start)
    }
    counts.memoryCalls += 1
    switch result {
    case .failed: counts.failedCalls += 1
    case .none: counts.unfinishedCalls += 1
    case .value(let value):
      guard let call = MemoryCall(name: name, arguments: arguments, result: value) else {
        throw TraceFormatError(
          line: counts.lines,
          reason: "these are no arguments of \(String(decoding: name, as: UTF8.self)): "
            + arguments.quoted)
      }
      var line = counts.lines
      if case .unmap = call { line = start }
      events.append(Event(line: line, start: start, task: task, kind: .memory(call)))
    }
  }

  /// A call that is not about memory: of interest are those that make processes.
  private mutating func addOther(
    _ name: ArraySlice<UInt8>, _ arguments: ArraySlice<UInt8>, _ result: StraceResult,
    of task: UInt64, from start: Int
  ) {
    let kind: Kind
    switch String(decoding: name, as: UTF8.self) {
    case "clone", "clone2", "clone3", "fork", "vfork":
      guard case .value(let child) = result, child != 0 else { return }
      let text = String(decoding: arguments, as: UTF8.self)
      announced.insert(child)
      running.insert(child)
      kind = .clone(
        child: child,
        sharesMemory: text.contains("CLONE_VM") || name.elementsEqual("vfork".utf8),
        isThread: text.contains("CLONE_THREAD"))
    case "execve", "execveat":
      guard case .value(0) = result else { return }
      kind = .exec(program: Self.program(arguments), command: Self.command(arguments))
    default:
      counts.otherCalls += 1
      return
    }
    tellsProcesses = true
    events.append(Event(line: counts.lines, start: start, task: task, kind: kind))
  }

  /// The path in the arguments of `execve`: what is between its first two quotation marks.
  private static func program(_ arguments: ArraySlice<UInt8>) -> String {
    let parts = arguments.split(
      separator: UInt8(ascii: "\""), maxSplits: 2, omittingEmptySubsequences: false)
    return parts.count < 2 ? "unknown" : String(decoding: parts[1], as: UTF8.self)
  }

  /// The words in the arguments of `execve`, as strace wrote them: what is between the brackets.
  private static func command(_ arguments: ArraySlice<UInt8>) -> String {
    guard let start = arguments.firstIndex(of: UInt8(ascii: "[")),
      let end = arguments.lastIndex(of: UInt8(ascii: "]")), start < end
    else { return "unknown" }
    return String(decoding: arguments[(start + 1)..<end], as: UTF8.self)
  }
}

/// How many lines and calls there were, and of which nothing came.
package struct StraceCounts: Equatable {
  package var lines = 0
  /// Calls about memory, those below among them.
  package var memoryCalls = 0
  package var failedCalls = 0
  /// Calls that never returned, since their thread, or strace, ended.
  package var unfinishedCalls = 0
  /// Calls of other names.
  package var otherCalls = 0
  /// Lines that are not strace's, or were cut.
  package var unknownLines = 0
  /// The first of them, counted from 1.
  package var firstUnknownLine: Int?
}
