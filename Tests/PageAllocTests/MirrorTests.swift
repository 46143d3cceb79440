import PageAlloc
import Testing

/// What `print` and `dump` show: what users set and may read, no hooks of tests, no internals.
@Suite struct MirrorTests {
  private static let optionNames = [
    "reservedByteCount", "threadCacheByteCount", "scavenging", "memoryLimit", "hugePages",
    "scavengesUnderPressure", "allowsWritableCode", "isPermanent", "forkHandling",
    "diagnosis", "label",
  ]

  private func dumped(_ value: Any) -> String {
    var text = ""
    dump(value, to: &text)
    return text
  }

  private func names(_ value: Any) -> [String] {
    Mirror(reflecting: value).children.map { $0.label ?? "" }
  }

  @Test func optionsShowWhatUsersSet() {
    var options = PageArena.Options(reserving: 1 << 30, memoryLimit: .bytes(soft: 256 << 20))
    options.hugePages = .avoid
    #expect(names(options) == Self.optionNames)
    let text = String(describing: options)
    #expect(text.hasPrefix("Options(reservedByteCount: 1073741824, threadCacheByteCount: "))
    #expect(text.contains(".bytes(soft: Optional(268435456), hard: nil)"))
    #expect(text.contains("HugePages.avoid"))
    #expect(text.contains(".background(headroom: 0.1, cpuShare: 0.01)"))
    expectNoHooks(text)
    expectNoHooks(dumped(options))
    expectNoHooks(String(reflecting: options))
  }

  @Test func anArenaShowsItsOptionsAndWhatTheyCameTo() throws {
    let arena = try PageArena(reserving: 64 << 20, memoryLimit: .bytes(hard: 8 << 20))
    try arena.setMemoryLimit(.bytes(soft: 4 << 20, hard: 16 << 20))
    #expect(names(arena) == ["options", "memoryLimits", "isChecked"])
    let text = dumped(arena)
    for name in Self.optionNames {
      #expect(text.contains("- \(name): ") || text.contains("▿ \(name): "))
    }
    #expect(text.contains("reservedByteCount: 67108864"))
    #expect(text.contains("8388608") && text.contains("4194304") && text.contains("16777216"))
    expectNoHooks(text)
  }

  @Test func anArenaMadeInOneExpressionHasTheSameDefaults() throws {
    #expect(dumped(try PageArena()) == dumped(try PageArena(PageArena.Options())))
  }

  @Test func aRecordAndAReportShowTheirProperties() throws {
    let arena = try PageArena(diagnosis: .checked())
    let run = unsafe try arena.allocate(pages: 3)
    let record = try #require(arena.diagnose(UInt(bitPattern: run)))
    #expect(names(record) == ["address", "pages", "pagesInUse", "state", "allocation", "end"])
    #expect(names(arena.leaks) == ["runs", "pages", "groups", "unknownPages", "isChecked"])
    unsafe try arena.deallocate(run, pages: 3)
  }

  private func expectNoHooks(_ text: String) {
    for hook in [
      "calls", "files", "clock", "reportsMistakes", "generation", "headroomPer1024", "core",
      "number", "pointer",
    ] {
      #expect(!text.contains(hook), "\(hook) in \(text)")
    }
  }
}
