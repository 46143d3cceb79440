import CSysMem
import Synchronization

/// Runs `body` with each number in 0 ..< `count` on a thread of its own, and waits for all.
func onThreads(_ count: Int, _ body: @escaping (Int) -> Void) {
  var threads: [pthread_t] = []
  for number in 1..<max(count, 1) {
    // The thread takes the task's one reference over.
    let task = unsafe Unmanaged.passRetained(ThreadTask(number, body)).toOpaque()
    var thread = pthread_t()
    let error = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let task = unsafe Unmanaged<ThreadTask>.fromOpaque(argument).takeRetainedValue()
        task.body(task.number)
        return nil
      }, task)
    guard error == 0 else { fatalError("no thread is to be had") }
    threads.append(thread)
  }
  body(0)
  for thread in threads { pthread_join(thread, nil) }
}

private final class ThreadTask {
  let number: Int
  let body: (Int) -> Void

  init(_ number: Int, _ body: @escaping (Int) -> Void) {
    self.number = number
    self.body = body
  }
}

/// What threads share.
private final class Meeting: Sendable {
  /// Threads that are ready.
  let ready = Atomic<Int>(0)
  /// Threads that are done measuring, and so no longer keep the others busy.
  let done = Atomic<Int>(0)

  /// Waits until `count` threads are here.
  func wait(for count: Int) {
    ready.add(1, ordering: .acquiringAndReleasing)
    while ready.load(ordering: .acquiring) < count {}
  }
}

/// What a thread found.
private final class Share {
  var sampler: Sampler
  var refusals = 0
  init(_ effort: Effort) { sampler = Sampler(effort) }
}

/// Frees one of the live runs, and takes another in its place.
///
/// - Returns: `false` for a refusal.
@inline(__always)
private func churn<C: Contender>(
  _ live: UnsafeMutableBufferPointer<LiveRun>, _ sizes: RunSizes, _ random: inout Random,
  _ contender: C
) -> Bool {
  let index = random.below(live.count)
  // Below the count of the buffer.
  let old = unsafe live[index]
  if old.base != 0 { contender.free(old.base, old.pages) }
  let pages = sizes.next(&random)
  let base = contender.allocate(pages)
  unsafe live[index] = LiveRun(base: base, pages: pages)
  return base != 0
}

/// Each thread for itself. The figures are of the thread whose median is the slowest.
func measureThreads<C: Contender>(
  _ count: Int, live liveCount: Int, _ contender: C, _ effort: Effort
) -> Figures {
  let meeting = Meeting()
  var own = effort
  own.singleOperations = 0
  let shares = (0..<count).map { _ in Share(own) }
  onThreads(count) { number in
    let contender = contender.ofThread()
    var random = Random(seed: 0x9e37_79b9_7f4a_7c15 &* UInt64(number + 1))
    let sizes = RunSizes.upTo(32)
    var live = [LiveRun](repeating: LiveRun(base: 0, pages: 0), count: liveCount)
    for index in live.indices {
      let pages = sizes.next(&random)
      live[index] = LiveRun(base: contender.allocate(pages), pages: pages)
    }
    var refusals = 0
    unsafe live.withUnsafeMutableBufferPointer { live in
      // So that all have touched the memory that they will use.
      for _ in 0..<(8 * liveCount) {
        if unsafe !churn(live, sizes, &random, contender) { refusals &+= 1 }
      }
      meeting.wait(for: count)
      shares[number].sampler.measure {
        if unsafe !churn(live, sizes, &random, contender) { refusals &+= 1 }
      }
    }
    shares[number].refusals = refusals
    for run in live where run.base != 0 { contender.free(run.base, run.pages) }
  }
  var worst = Figures()
  var operations = 0.0
  var refusals = 0
  for share in shares {
    var result = Figures()
    share.sampler.fill(&result)
    operations += result.operations
    refusals += share.refusals
    if result.p50 >= worst.p50 { worst = result }
  }
  worst.operations = operations
  worst.refusals = Double(refusals)
  worst.metadataBytes = contender.metadataBytes
  return worst
}
