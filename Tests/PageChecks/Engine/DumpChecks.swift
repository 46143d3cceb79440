import PageAlloc

/// Tables that contradict each other end the process, which says first what they hold.
package let dumpChecks: [Check] = [
  Check("dump: damaged tables trap, and what they hold is told") { recorder in
    if leavesOutFork(&recorder) { return }
    for damage in damages {
      recorder.context = damage.name.description
      let end = inHeardChild(&recorder) { damage.meet() }
      recorder.expect(end.isTrap, "it traps")
      for part in damage.dump { end.expect(part, &recorder) }
    }
  }
]
