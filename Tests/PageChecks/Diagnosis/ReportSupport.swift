import CSysMem
import PageAlloc

/// An arena that tells of mistakes, with records of its runs.
func makeReportingArena(faults: Bool, reports: Bool = true) -> PageArena? {
  var options = PageArena.Options()
  options.scavenging = .manual
  options.diagnosis = .checked(reportsFaults: faults)
  options.reportsMistakes = reports
  return try? PageArena(options)
}

// Both call the arena themselves: a trace has the innermost calls, and these are to be among them.

@inline(never)
func takeForReport(_ arena: PageArena) -> Run? {
  guard let base = unsafe try? arena.allocate(pages: 3) else { return nil }
  let run = unsafe Run(base, pages: 3)
  run.stamp(5)
  return run
}

@inline(never)
func freeForReport(_ arena: PageArena, _ run: Run) {
  if unsafe (try? arena.deallocate(run.pointer, pages: run.pages)) != nil { csm_yield() }
}
