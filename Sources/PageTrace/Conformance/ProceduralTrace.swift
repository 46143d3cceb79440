import PageAlloc

/// Runs a `ptrace` file: long workloads that are generated here, with the state at some steps.
struct ProceduralTrace {
  /// What was compared so far.
  var comparison = Comparison()

  private var runs: [(parameters: WorkloadParameters, states: [Line])] = []

  /// Reads the whole file, and checks that no state is missing.
  init(_ reader: inout LineReader) throws(TraceFormatError) {
    var stepCount = 0
    while case (let word, var line)? = try FileFrame.nextOperation(&reader, count: stepCount) {
      guard word.equals("run") else { throw line.error("\"run\" expected, not \(word.quoted)") }
      let parameters = try WorkloadParameters(&line)
      let steps = stepCount.addingReportingOverflow(parameters.stepCount)
      guard !steps.overflow else { throw line.error("too many steps in all") }
      stepCount = steps.partialValue
      let states = try Self.readStates(&reader, parameters)
      runs.append((parameters, states))
    }
  }

  /// The steps of all runs.
  var stepCount: Int { runs.reduce(0) { $0 + $1.parameters.stepCount } }

  /// Runs every workload, each on an allocator of its own.
  mutating func run(_ progress: inout Progress) throws(CheckError) {
    for (parameters, states) in runs {
      let kernelPages = KernelPages(
        physicalPageSize: parameters.physicalPageSize, hugePageSize: parameters.hugePageSize)
      var workload = Workload(parameters, engine: try makeEngine(kernelPages))
      for state in states {
        for _ in 0..<parameters.interval { workload.step() }
        comparison.operations += parameters.interval
        workload.writeState(to: &comparison.actual)
        do throws(TraceFormatError) {
          try comparison.compare(state, form: Workload.form)
        } catch {
          throw .format(error)
        }
        progress.note(comparison.operations)
      }
    }
  }

  /// Reads the `at` lines of a run, up to the arrow.
  private static func readStates(
    _ reader: inout LineReader, _ parameters: WorkloadParameters
  ) throws(TraceFormatError) -> [Line] {
    var states: [Line] = []
    for step in stride(
      from: parameters.interval, through: parameters.stepCount, by: parameters.interval)
    {
      guard var line = try reader.next() else {
        throw TraceFormatError(
          line: reader.lineNumber, reason: "the file ends before the state after step \(step)")
      }
      try line.expect("at")
      _ = try line.integer("the step", in: step...step)
      try line.expect("->")
      states.append(line)
    }
    return states
  }
}

/// What a `run` line says.
struct WorkloadParameters {
  /// Where the random numbers start.
  let seed: UInt64
  /// How many steps there are, and how many of them between two states.
  let stepCount: Int
  let interval: Int
  /// What the allocator gets before the first step.
  let chunks: Range<ChunkIndex>
  /// The logarithm of the largest request, in pages.
  let largestLog: Int
  let physicalPageSize: Int
  let hugePageSize: Int

  /// Reads the rest of a line that begins with `run`.
  init(_ line: inout Line) throws(TraceFormatError) {
    _ = try line.field("the name")
    guard let seed = try line.value(of: "seed").hexadecimal else {
      throw line.error("the seed is no hexadecimal number")
    }
    self.seed = seed
    // More would run for minutes: a misprint, not a workload.
    stepCount = try line.integer(of: "ops", in: 1...20_000_000)
    interval = try line.integer(of: "every", in: 1...stepCount)
    guard stepCount % interval == 0 else {
      throw line.error("\(stepCount) steps are no multiple of \(interval)")
    }
    let last = Geometry.chunkCount - 2
    let base = try line.integer(of: "base", in: 1...last)
    let chunkCount = try line.integer(of: "chunks", in: 1...last - base + 1)
    chunks = base..<base + chunkCount
    largestLog = try line.integer(of: "maxlog", in: 0...18)
    physicalPageSize = try line.integer(of: "physpage", in: 1...512 << 10)
    hugePageSize = try line.integer(
      of: "hugepage", in: 0...Geometry.chunkByteCount)
    guard physicalPageSize.nonzeroBitCount == 1, hugePageSize.nonzeroBitCount <= 1 else {
      throw line.error("a page size is not a power of two")
    }
    try line.finish()
  }
}
