import PageAlloc

// Pairs by the other faces of the arena. They have loops of their own: a handle and a run cannot be
// copied into a contender.

/// A pair by an explicit handle (``PageArena/Cache``).
func measureHandle(_ pages: Int, _ hugePages: HugePages, _ effort: Effort) -> Figures {
  var result = Figures()
  do throws(PageArenaError) {
    var options = PageArena.Options()
    options.hugePages = hugePages
    let arena = try PageArena(options)
    var cache = try arena.makeCache()
    var sampler = Sampler(effort)
    var refusals = 0
    sampler.measure {
      do throws(PageArenaError) {
        // The pointer is handed back, not used.
        let base = unsafe try cache.allocate(pages: pages)
        unsafe try cache.deallocate(base, pages: pages)
      } catch { refusals &+= 1 }
    }
    sampler.fill(&result)
    result.refusals = Double(refusals)
  } catch { result.refusals = 1 }
  return result
}

/// A run that frees itself (``PageRun``).
func measureOwner(_ pages: Int, _ hugePages: HugePages, _ effort: Effort) -> Figures {
  var result = Figures()
  do throws(PageArenaError) {
    var options = PageArena.Options()
    options.hugePages = hugePages
    let arena = try PageArena(options)
    var sampler = Sampler(effort)
    var refusals = 0
    var sum: UInt = 0
    sampler.measure {
      do throws(PageArenaError) {
        let run = try arena.allocateRun(pages: pages)
        sum &+= run.address
      } catch { refusals &+= 1 }
    }
    sampler.fill(&result)
    result.refusals = sum == 0 ? 1 : Double(refusals)
  } catch { result.refusals = 1 }
  return result
}
