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

  Check("mappings: they are counted when the allowance is used up, and not before") { recorder in
    let limit = MappingBudget.limit
    var looks = 0
    func isAdded(_ count: Int, of counted: Int?) -> Bool {
      MappingBudget.add(count) {
        looks += 1
        return counted
      }
    }
    // Whatever was allowed before: none is left.
    recorder.expect(!isAdded(1 << 28, of: limit), "there are as many as may be")
    looks = 0
    recorder.expect(isAdded(1, of: nil), "the kernel does not tell")
    recorder.expect(isAdded(1000, of: nil), "nor now")
    recorder.expectEqual(looks, 2, "looks, without an answer")
    for _ in 0..<5 { recorder.expect(isAdded(Int.max / 2, of: nil), "however often") }
    looks = 2
    // 512 stay for others.
    recorder.expect(!isAdded(1, of: limit - 512), "one too many")
    recorder.expect(!isAdded(8, of: limit - 519), "eight, and one too many")
    recorder.expect(isAdded(1, of: limit - 1000), "there is room")
    recorder.expectEqual(looks, 5, "looks")
    // Half of these stay for what others map meanwhile: 1000 - 256 less what was added.
    recorder.expect(isAdded(700, of: nil), "allowed")
    MappingBudget.note(40)
    recorder.expect(isAdded(3, of: nil), "the last ones")
    recorder.expectEqual(looks, 5, "no look")
    recorder.expect(!isAdded(1, of: limit), "none is left")
    recorder.expectEqual(looks, 6, "a look")
    recorder.expect(isAdded(8, of: limit - 520), "just enough")
    recorder.expect(!isAdded(257, of: limit), "more than what was allowed then")
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
