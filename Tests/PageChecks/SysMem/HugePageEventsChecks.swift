import SysMem

/// How the kernel came by huge pages, by its own counters.
package let hugePageEventsChecks: [Check] = [
  Check("huge page events: two lines among others, whole ones alone") { recorder in
    let all: StaticString = """
      allocstall_normal 5
      compact_stall 12
      compact_stall_of_another_kind_whose_name_is_longer_than_a_line 13
      thp_fault_alloc 6649
      thp_fault_fallback 3
      thp_fault_fallback_charge 4
      xthp_fault_alloc 5

      """
    recorder.expect(scan(all) == events(6649, 12), "all")
    recorder.expect(scan("nr_free_pages 5\n") == nil, "no word of huge pages")
    recorder.expect(scan("") == nil, "an empty file")
    recorder.expect(scan("thp_fault_alloc 5\ncompact_stall 7") == events(5, 0), "cut short")
    recorder.expect(
      scan("compact_stall 99999999999999999999999\n") == events(0, .max), "a huge number")
    recorder.expect(scan("thp_fault_alloc x\n") == nil, "no number")
  },

  Check("huge page events: what came since, and nothing where a counter went back") { recorder in
    let change = events(10, 7).since(events(4, 8))
    recorder.expect(change == events(6, 0), "\(change)")
  },

  Check("huge page events: of this system") { recorder in
    guard let now = LinuxFiles().hugePageEvents() else {
      return recorder.leaveOut("the kernel has no /proc/vmstat that tells of huge pages")
    }
    guard let later = LinuxFiles().hugePageEvents() else { return recorder.fail("gone") }
    recorder.expect(later.allocated >= now.allocated && later.stalls >= now.stalls, "they grow")
  },
]

private func events(_ allocated: UInt64, _ stalls: UInt64) -> HugePageEvents {
  var events = HugePageEvents()
  events.allocated = allocated
  events.stalls = stalls
  return events
}

private func scan(_ text: StaticString) -> HugePageEvents? {
  var scan = HugePageEvents.Scan()
  forEachLine(in: text) { scan.take($0) }
  return scan.found
}
