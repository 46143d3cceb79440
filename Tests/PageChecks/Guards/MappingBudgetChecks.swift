import CSysMem
import PageAlloc
import SysMem

/// What the runs of all arenas may add to the mappings of the process. They judge all of it.
package let mappingBudgetChecks: [Check] = [
  Check("mappings: 20,000 executable runs side by side are one mapping, and can be had") {
    recorder in
    guard let arena = makeArena(&recorder) else { return }
    var runs = RunList(capacity: 20_000)
    for _ in 0..<20_000 {
      guard var run = arena.own(1, &recorder) else { return }
      do throws(PageArenaError) { try run.protect(.readExecute) } catch {
        return recorder.fail("run \(runs.count): \(error.description)")
      }
      runs.append(run)
    }
    runs.removeAll()
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
  },

  Check("mappings: three arenas of alternating protection leave a quarter to the process") {
    recorder in
    if isEmulated {
      recorder.leaveOut("the kernel's limit is that of qemu-user, which has mappings of its own")
      return
    }
    guard let most = mostMappings(), most <= 100_000 else {
      recorder.leaveOut("the kernel allows more mappings than three arenas can split off")
      return
    }
    let before = mappingCount()
    var lists: [RunHolder] = []
    for number in 0..<3 {
      recorder.context = "arena \(number)"
      guard let arena = makeArena(&recorder) else { return }
      let holder = RunHolder(capacity: 2 * most)
      lists.append(holder)
      var refusal: PageArenaError?
      while refusal == nil, holder.runs.count < 2 * most {
        guard var run = arena.own(1, &recorder) else { return }
        if holder.runs.count & 1 == 0 {
          do throws(PageArenaError) { try run.protect(.readOnly) } catch { refusal = error }
        }
        holder.runs.append(run)
      }
      recorder.expect(refusal == .tooManyMappings(limit: most - most / 4), "refused as such")
    }
    let now = mappingCount()
    recorder.tell("\(before) mappings became \(now) of \(most)")
    recorder.expect(now <= most - most / 4, "\(now) mappings of \(most)")
    recorder.expect(now > most / 2, "only \(now) mappings of \(most)")
    for holder in lists { holder.runs.removeAll() }
    recorder.expect(mappingCount() < before + 200, "joined again")
    guard let arena = makeArena(&recorder), var run = arena.own(1, &recorder) else { return }
    recorder.succeeds("protect") { () throws(PageArenaError) in try run.protect(.readOnly) }
  },
]

/// Keeps a list that cannot be copied in another.
private final class RunHolder {
  var runs: RunList
  init(capacity: Int) { runs = RunList(capacity: capacity) }
}
