import PageTrace

/// One turn through the events of a strace: who shares which address space, and what is done to it.
///
/// A task is a process or thread. A process is what has the number of its first task; it has one
/// address space after another, as it becomes other programs. A child of `vfork` uses its parent's
/// until then.
struct ConversionRun {
  /// So many events are gone through again for processes that turn out, against the first guess, to
  /// be forked ones; after that a new mapping takes the place of what is there.
  static let mostWork = 50_000_000

  private let events: StraceEvents
  private let forked: Set<UInt64>
  private let isMerged: Bool
  /// Tasks that nobody told of and that become another program.
  private let becomers: Set<UInt64>
  /// How tasks were made, in order, by their numbers.
  private var clones: [UInt64: [Clone]] = [:]

  private var processes: [Process] = []
  private var spaces: [Space] = []
  private var tasks: [UInt64: Task] = [:]
  /// The space in which a stack for a thread was mapped last.
  private var lastStackSpace: Int?
  /// How many tasks are being made whose parents were not heard of before.
  private var depth = 0
  /// Events that took effect before their turn.
  private var applied: Set<Int> = []

  private struct Clone {
    let parent: UInt64
    let sharesMemory: Bool
    let isThread: Bool
  }

  private struct Process {
    let number: UInt64
    let trace: ProcessTrace
    var program = "unknown"
    var command = "unknown"
    var hasHighAddresses = false
  }

  private struct Space {
    var memory: AddressSpace
    /// Whose it is: a child of `vfork` uses another process's.
    let process: Int
    /// How many tasks use it.
    var users: Int
  }

  private struct Task {
    var process: Int
    /// `nil` while what it does to a copy of its parent's memory is left out.
    var space: Int?
    /// Whether it is only guessed that it uses this space.
    var isGuessed = false
  }

  init(_ events: StraceEvents, forked: Set<UInt64>, isMerged: Bool) {
    self.events = events
    self.forked = forked
    self.isMerged = isMerged
    becomers = events.tellsProcesses ? [] : Self.becomers(events)
    for event in events.events {
      if case .clone(let child, let sharesMemory, let isThread) = event.kind {
        clones[child, default: []].append(
          Clone(parent: event.task, sharesMemory: sharesMemory, isThread: isThread))
      }
    }
  }

  /// Tasks whose first question for the end of the heap is answered by an address that no task
  /// before them was told: they have become another program.
  private static func becomers(_ events: StraceEvents) -> Set<UInt64> {
    var ends: Set<UInt64> = []
    var asked: Set<UInt64> = []
    var found: Set<UInt64> = []
    for event in events.events {
      guard case .memory(.setBreak(let wanted, let result)) = event.kind else { continue }
      if wanted == 0, asked.insert(event.task).inserted, !ends.contains(result) {
        found.insert(event.task)
      }
      ends.insert(result)
    }
    return found
  }

  /// - Returns: a task that cannot share the space it was guessed to; `nil` when all went well.
  mutating func run() -> UInt64? {
    for index in events.events.indices where !applied.contains(index) {
      let event = events.events[index]
      switch event.kind {
      case .memory(let call):
        if let contradiction = apply(call, of: event, at: index) { return contradiction }
      case .clone(let child, _, _):
        _ = task(event.task)
        // Its own lines may have come first.
        if clones[child]?.isEmpty == false { _ = task(child) }
      case .exec(let program, let command):
        become(event.task)
        guard let process = tasks[event.task]?.process else { continue }
        processes[process].program = program
        processes[process].command = command
      case .ended: end(event.task)
      }
    }
    return nil
  }

  /// What is mapped in each address space, in the order in which they were made.
  var maps: [AddressMap] { spaces.map(\.memory.map) }

  /// The processes that had memory.
  var converted: [ConvertedProcess] {
    var traces: [ObjectIdentifier] = []
    return processes.compactMap { process in
      let id = ObjectIdentifier(process.trace)
      guard process.trace.writer.eventCount > 0, !traces.contains(id) else { return nil }
      traces.append(id)
      return ConvertedProcess(
        number: isMerged ? 0 : process.number,
        program: process.program, command: process.command, writer: process.trace.writer,
        leftOut: process.trace.leftOut, arch: process.hasHighAddresses ? "64-bit" : "32-bit")
    }
  }
}

// MARK: - Calls

extension ConversionRun {
  private mutating func apply(
    _ call: MemoryCall, of event: StraceEvents.Event, at index: Int
  ) -> UInt64? {
    var user = task(event.task)
    if case .setBreak(0, let result) = call, becomesAnother(event.task, user, result) {
      become(event.task)
      user = task(event.task)
    }
    guard let space = user.space else {
      processes[user.process].trace.leftOut.callsBeforeExec += 1
      return nil
    }
    if case .map(let range, _, let isFixed, let isStack) = call {
      if isStack { lastStackSpace = space }
      if range.upperBound > 1 << 32 { processes[user.process].hasHighAddresses = true }
      if !isFixed, spaces[space].memory.isMapped(range) {
        applyMoves(begunBefore: event.line, after: index, in: space, from: range)
        // The kernel hands out what is free. So this is another space.
        if user.isGuessed, spaces[space].memory.isMapped(range) { return event.task }
      }
    }
    spaces[space].memory.apply(call, by: event.task)
    return nil
  }

  /// A thread may get what another's `mremap` has just left, before that call's line has ended.
  private mutating func applyMoves(
    begunBefore line: Int, after index: Int, in space: Int, from range: Range<UInt64>
  ) {
    for later in events.events.indices.dropFirst(index + 1).prefix(1000) {
      let event = events.events[later]
      guard event.start < line, case .memory(let call) = event.kind,
        case .remap(let old, _, _) = call, old.overlaps(range), tasks[event.task]?.space == space
      else { continue }
      if applied.insert(later).inserted { spaces[space].memory.apply(call, by: event.task) }
    }
  }

  /// Whether a task that asks for the end of its heap has become another program, where nobody
  /// told.
  private func becomesAnother(_ number: UInt64, _ user: Task, _ heapEnd: UInt64) -> Bool {
    if events.tellsProcesses { return false }
    guard let space = user.space else { return true }
    guard let known = spaces[space].memory.heapEnd else { return false }
    return known != heapEnd
  }
}

// MARK: - Tasks

extension ConversionRun {
  /// The task of a number, made now if it was not heard of before.
  private mutating func task(_ number: UInt64) -> Task {
    if let task = tasks[number] { return task }
    let task: Task
    depth += 1
    defer { depth -= 1 }
    // So many generations are told of backwards by no strace.
    if depth <= 100, let clone = clones[number]?.first {
      clones[number]?.removeFirst()
      task = made(number, by: clone)
    } else {
      task = guessed(number)
    }
    tasks[number] = task
    return task
  }

  private mutating func made(_ number: UInt64, by clone: Clone) -> Task {
    let parent = self.task(clone.parent)
    if clone.isThread {
      if let space = parent.space { spaces[space].users += 1 }
      return Task(process: parent.process, space: parent.space)
    }
    let process = addProcess(number, like: parent.process)
    guard let space = parent.space else { return Task(process: process) }
    if clone.sharesMemory {
      spaces[space].users += 1
      return Task(process: process, space: space)
    }
    return Task(process: process, space: addCopy(of: space, for: process, by: number))
  }

  /// A task that nobody told of: the first, one of the process that mapped a thread's stack last,
  /// or one that becomes another program.
  private mutating func guessed(_ number: UInt64) -> Task {
    guard !processes.isEmpty else {
      let process = addProcess(number, like: nil)
      return Task(process: process, space: addSpace(for: process))
    }
    guard let space = likelySpace() else {
      let process = addProcess(number, like: nil)
      return Task(process: process, space: addSpace(for: process))
    }
    let owner = spaces[space].process
    if becomers.contains(number) { return Task(process: addProcess(number, like: owner)) }
    if forked.contains(number) {
      let process = addProcess(number, like: owner)
      return Task(process: process, space: addCopy(of: space, for: process, by: number))
    }
    spaces[space].users += 1
    return Task(process: owner, space: space, isGuessed: true)
  }

  private func likelySpace() -> Int? {
    if let lastStackSpace, spaces[lastStackSpace].users > 0 { return lastStackSpace }
    return spaces.indices.first { spaces[$0].users > 0 }
  }

  /// A task becomes another program: it leaves its memory, and has none.
  private mutating func become(_ number: UInt64) {
    var user = task(number)
    if let space = user.space { leave(space, by: number, frees: true) }
    if processes[user.process].number != number {
      user.process = addProcess(number, like: user.process)
    }
    tasks[number] = Task(process: user.process, space: addSpace(for: user.process))
  }

  private mutating func end(_ number: UInt64) {
    if tasks[number] == nil, clones[number]?.first == nil { return }
    if let space = task(number).space { leave(space, by: number, frees: isMerged) }
    tasks[number] = nil
  }

  /// - Parameter frees: the last one to leave frees what is there.
  private mutating func leave(_ space: Int, by number: UInt64, frees: Bool) {
    spaces[space].users -= 1
    if spaces[space].users == 0, frees { spaces[space].memory.end(by: number) }
  }

  private mutating func addProcess(_ number: UInt64, like parent: Int?) -> Int {
    let trace = isMerged ? processes.first?.trace ?? ProcessTrace() : ProcessTrace()
    var process = Process(number: number, trace: trace)
    if let parent {
      process.program = processes[parent].program
      process.command = processes[parent].command
      process.hasHighAddresses = processes[parent].hasHighAddresses
    }
    processes.append(process)
    return processes.count - 1
  }

  private mutating func addSpace(for process: Int) -> Int {
    spaces.append(
      Space(memory: AddressSpace(processes[process].trace), process: process, users: 1))
    return spaces.count - 1
  }

  private mutating func addCopy(of space: Int, for process: Int, by number: UInt64) -> Int {
    let memory = spaces[space].memory.copy(for: processes[process].trace, by: number)
    spaces.append(Space(memory: memory, process: process, users: 1))
    return spaces.count - 1
  }
}
