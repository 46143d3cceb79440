import PageAlloc

/// Runs a `trace` file: operations on one allocator, from the empty one on.
///
/// No memory lies behind the pages. Before an operation is done, everything the allocator may
/// rely on is checked against the allocator's own maps, so a file cannot bring it to a stop.
struct OperationTrace {
  /// What was compared so far.
  var comparison = Comparison()

  /// The allocator under test.
  let engine: StandaloneAllocator

  /// The page caches that the file takes and flushes.
  var slots: [PageBlock]

  init(engine: StandaloneAllocator) {
    self.engine = engine
    slots = [PageBlock](repeating: PageBlock(), count: 8)
  }

  /// Runs the body of the file, to its end.
  mutating func run(
    _ reader: inout LineReader, _ progress: inout Progress
  ) throws(TraceFormatError) {
    while let (word, line) = try FileFrame.nextOperation(&reader, count: comparison.operations) {
      comparison.operations += 1
      guard let operation = Operation(word) else {
        throw line.error("unknown operation \(word.quoted)")
      }
      try perform(operation, line, &reader)
      progress.note(reader.position)
    }
  }

  private mutating func perform(
    _ operation: Operation, _ line: consuming Line, _ reader: inout LineReader
  ) throws(TraceFormatError) {
    switch operation {
    case .alloc: try allocate(&line)
    case .free: try free(&line)
    case .cachetake: try takeFromCache(&line)
    case .cachealloc: try allocateBlock(&line)
    case .cacheflush: try flushCache(&line)
    case .search: try checkSearch(&line)
    case .scavenge: try scavenge(&line)
    case .find: try find(&line)
    case .allocrange: try allocateRange(&line)
    case .check: try checkState(&line)
    case .cursors: try checkCursors(&line)
    case .nextgen: try nextGeneration(&line)
    case .grow: try grow(&line)
    case .pad: try pad(&line)
    case .dump:
      try line.finish()
      StateDump.writeAll(of: engine.allocator, to: &comparison.actual)
      try comparison.compareBlock(
        openedBy: line, forms: StateDump.forms, terminator: "enddump", reader: &reader)
    case .tree:
      try line.finish()
      StateDump.writeTree(of: engine.allocator, to: &comparison.actual)
      try comparison.compareBlock(
        openedBy: line, forms: StateDump.forms, terminator: "endtree", reader: &reader)
    }
  }

  /// The operations of a trace file, named as in the file, the frequent ones first.
  private enum Operation {
    case alloc, free, cachetake, search, cachealloc, cacheflush, scavenge, find, allocrange
    case check, cursors, nextgen, grow, pad, dump, tree

    init?(_ word: ArraySlice<UInt8>) {
      if word.equals("alloc") {
        self = .alloc
      } else if word.equals("free") {
        self = .free
      } else if word.equals("cachetake") {
        self = .cachetake
      } else if word.equals("search") {
        self = .search
      } else if word.equals("cachealloc") {
        self = .cachealloc
      } else if word.equals("cacheflush") {
        self = .cacheflush
      } else if word.equals("scavenge") {
        self = .scavenge
      } else if word.equals("find") {
        self = .find
      } else if word.equals("allocrange") {
        self = .allocrange
      } else if word.equals("check") {
        self = .check
      } else if word.equals("cursors") {
        self = .cursors
      } else if word.equals("nextgen") {
        self = .nextgen
      } else if word.equals("grow") {
        self = .grow
      } else if word.equals("pad") {
        self = .pad
      } else if word.equals("dump") {
        self = .dump
      } else if word.equals("tree") {
        self = .tree
      } else {
        return nil
      }
    }
  }
}
