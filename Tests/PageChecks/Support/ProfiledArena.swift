import CSysMem
import CTestSystem
import PageAlloc
import PageTrace
import SysMem

// What checks of profiles take runs by: the names of these functions are looked for in the files.
// Each makes a call of the system's at its end, so that no other call is its last: a compiler would
// have that one take its place on the stack.

@inline(never)
func takeAtFirstSite(
  _ arena: PageArena, _ pages: Int, alignment: Int = PageArena.pageSize, _ recorder: inout Recorder
) -> Run? {
  let run = arena.take(pages, alignment: alignment, &recorder)
  _ = csm_thread_number()
  return run
}

@inline(never)
func takeAtSecondSite(
  _ arena: PageArena, _ pages: Int, _ recorder: inout Recorder
) -> Run? {
  let run = arena.take(pages, &recorder)
  _ = csm_thread_number()
  return run
}

@inline(never)
func ownAtFirstSite(
  _ arena: PageArena, _ pages: Int, guarded: Bool = false, _ recorder: inout Recorder
) -> PageRun? {
  let run = takeAtOwned(arena, pages, guarded, &recorder)
  _ = csm_thread_number()
  return run
}

@inline(never)
private func takeAtOwned(
  _ arena: PageArena, _ pages: Int, _ guarded: Bool, _ recorder: inout Recorder
) -> PageRun? {
  arena.own(pages, guarded: guarded, &recorder)
}

func profiledArena(
  every byteCount: Int, seed: UInt, _ recorder: inout Recorder
) -> PageArena? {
  var options = PageArena.Options(reserving: 256 << 20, scavenging: .manual, diagnosis: .off)
  options.profile = .sampled(every: byteCount)
  options.profileSeed = seed
  return makeArena(&recorder, options)
}

func profile(of arena: PageArena, _ recorder: inout Recorder) -> PprofFile? {
  guard let memory = MemoryFile(&recorder) else { return nil }
  recorder.succeeds("write") { () throws(PageArenaError) in
    try arena.writeProfile(toPath: memory.path)
  }
  return memory.profile(&recorder)
}

/// Says so where there are no profiles.
func leavesOutProfiles(_ recorder: inout Recorder) -> Bool {
  if !RunProfile.isSupported { recorder.leaveOut("there are profiles on x86_64 alone") }
  return !RunProfile.isSupported
}

extension MemoryFile {
  func profile(_ recorder: inout Recorder) -> PprofFile? {
    guard let bytes = bytes(&recorder), let file = PprofFile(bytes) else {
      recorder.fail("no profile in the file")
      return nil
    }
    return file
  }
}
