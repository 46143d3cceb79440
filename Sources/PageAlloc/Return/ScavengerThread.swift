import CSysMem
import SysMem
import Synchronization

/// What a free has to do for the scavenger once the heap lock is free again.
enum ScavengerCall: UInt8 {
  case none
  case start
  case signal
}

extension ArenaState {
  /// Whether what was just freed is the scavenger's business. Call with `heap` held.
  ///
  /// One comparison, while there is nothing to do.
  @inline(__always)
  mutating func scavengerCall() -> ScavengerCall {
    freeResidentPages &+ sparePages > scavenger.wakeAbove ? callScavenger() : .none
  }

  @inline(never)
  private mutating func callScavenger() -> ScavengerCall {
    // Once: nobody calls again before the scavenger has parked.
    scavenger.wakeAbove = .max
    switch scavenger.phase {
    case .off:
      scavenger.phase = .awake
      return .start
    case .parked:
      scavenger.phase = .awake
      return .signal
    case .awake, .manual:
      return .none
    }
  }
}

extension ArenaLocks {
  /// Ends the sleep of the scavenger's thread, wherever it sleeps.
  borrowing func signalThread() {
    wakeUp.signal()
    stallWatch.ring()
  }
}

extension ReturnPath {
  /// Does what ``ArenaState/scavengerCall()`` said. Call with no lock held.
  @inline(never)
  func perform(_ call: ScavengerCall) {
    switch call {
    case .none: break
    // The state lives until the arena's end, which no call is left for.
    case .signal: unsafe state.locks.pointee.signalThread()
    case .start: start()
    }
  }

  private func start() {
    var thread = pthread_t()
    // The arena's end waits for the thread, so the state outlives it.
    let error = unsafe csm_thread_start(
      &thread,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let state = unsafe argument.assumingMemoryBound(to: ArenaState.self)
        unsafe ReturnPath(state).runInBackground()
        return nil
      }, state, 256 << 10)
    unsafe state.locks.pointee.heap.lock()
    if error == 0 {
      unsafe state.pointee.scavenger.thread = thread
      unsafe state.pointee.scavenger.hasThread = true
    } else {
      // No thread to be had: tried again when 8 MiB more are free.
      unsafe state.pointee.scavenger.phase = .off
      unsafe state.pointee.scavenger.wakeAbove = state.pointee.freeResidentPages + 1024
    }
    unsafe state.locks.pointee.heap.unlock()
  }

  /// The thread's whole life.
  private func runInBackground() {
    if unsafe state.pointee.scavenger.readsPressure {
      unsafe state.locks.pointee.stallWatch.open(state.pointee.files)
    }
    var isStalled = false
    while unsafe !state.locks.pointee.isStopping.load(ordering: .relaxed) {
      switch backgroundStep(isStalled: isStalled) {
      case .park: isStalled = sleep(nanoseconds: nil)
      case .sleep(let time): isStalled = sleep(nanoseconds: time)
      }
    }
  }

  /// Sleeps until signalled, or for so many nanoseconds.
  ///
  /// - Returns: whether it was stalls that ended the sleep.
  private func sleep(nanoseconds: UInt64?) -> Bool {
    if unsafe state.locks.pointee.stallWatch.isOn {
      return unsafe state.locks.pointee.stallWatch.wait(
        state.locks.pointee.wakeUp, state.pointee.files, nanoseconds: nanoseconds)
    }
    unsafe state.locks.pointee.wakeUp.wait(nanoseconds: nanoseconds)
    return false
  }

  /// Ends the thread and waits for it: a step takes milliseconds at the most.
  ///
  /// - Precondition: nobody uses the arena any more.
  func stopBackground() {
    guard unsafe state.pointee.scavenger.hasThread else { return }
    unsafe state.locks.pointee.isStopping.store(true, ordering: .relaxed)
    unsafe state.locks.pointee.signalThread()
    // Joined once: nobody else has the arena.
    _ = unsafe csm_thread_join(state.pointee.scavenger.thread)
    unsafe state.pointee.scavenger.hasThread = false
    unsafe state.locks.pointee.stallWatch.close()
  }
}
