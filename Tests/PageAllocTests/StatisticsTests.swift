import Foundation
import PageAlloc
import Testing

/// The text of the statistics, read by somebody else's parser.
@Suite struct StatisticsTests {
  @Test func jsonIsReadableAndComplete() throws {
    let arena = try PageArena()
    let base = unsafe try arena.allocate(pages: 700)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 1, count: 700 * PageArena.pageSize)
    unsafe try arena.deallocate(base, pages: 300)
    try arena.releaseFreeMemory()
    let statistics = arena.statistics

    let text = Data(statistics.json.utf8)
    let object = try #require(JSONSerialization.jsonObject(with: text) as? [String: Any])
    try expectAllFigures(of: statistics, besides: ["returned", "runSizes"], in: object)
    #expect(object["largestFreeRunPages"] as? Int == statistics.largestFreeRun)
    #expect(object["largestCommittedRunPages"] as? Int == statistics.largestCommittedRun)
    let returned = try #require(object["returned"] as? [String: Any])
    try expectAllFigures(of: statistics.returned, besides: [], in: returned)
    #expect(returned["requestedBytes"] as? Int == 300 * PageArena.pageSize)
    let share = Int(statistics.returned.backgroundShare * 1e6)
    #expect(returned["backgroundShareMillionths"] as? Int == share)
  }

  @Test func allFiguresHaveANameAKindAndAValue() throws {
    let arena = try PageArena()
    let base = unsafe try arena.allocate(pages: 700)
    let statistics = arena.statistics
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(statistics.json.utf8)) as? [String: Any])
    let returned = try #require(object["returned"] as? [String: Any])
    let sizes = try #require(object["runSizes"] as? [UInt64])
    #expect(sizes.count == PageArena.RunSizes.powers)
    let figures = statistics.figures
    #expect(figures.count == object.count - 2 + sizes.count + returned.count)
    var bySize: [String: UInt64] = [:]
    for (power, runs) in sizes.enumerated() { bySize["runsOf\(1 << power)Pages"] = runs }
    for figure in figures {
      let told = (object[figure.name] ?? returned[figure.name]) as? UInt64
      #expect(told ?? bySize[figure.name] == figure.value, "\(figure.name)")
    }
    #expect(sizes[9] == 1)
    #expect(Set(figures.map(\.name)).count == figures.count)
    let inUse = try #require(figures.first { $0.name == "inUseBytes" })
    #expect(inUse.kind == .gauge)
    #expect(inUse.value == 700 * UInt64(PageArena.pageSize))
    #expect(figures.first { $0.name == "passes" }?.kind == .counter)
    unsafe try arena.deallocate(base, pages: 700)
  }

  @Test func statisticsAreCodableByTheNamesOfTheirJSON() throws {
    let arena = try PageArena()
    let base = unsafe try arena.allocate(pages: 300)
    unsafe try arena.deallocate(base, pages: 300)
    try arena.releaseFreeMemory()
    let statistics = arena.statistics
    let encoded = try JSONEncoder().encode(statistics)
    #expect(try JSONDecoder().decode(PageArena.Statistics.self, from: encoded) == statistics)
    // And from the text of its own.
    let text = Data(statistics.json.utf8)
    #expect(try JSONDecoder().decode(PageArena.Statistics.self, from: text) == statistics)
  }

  /// Every stored property stands there by its name, but for the named ones and the longest run.
  private func expectAllFigures(
    of value: Any, besides others: Set<String>, in object: [String: Any]
  ) throws {
    var names = 0
    for child in Mirror(reflecting: value).children {
      let name = try #require(child.label)
      if others.contains(name) || name == "largestFreeRun" || name == "largestCommittedRun" {
        continue
      }
      names += 1
      #expect(object[name] as? UInt64 == child.value as? UInt64, "\(name)")
      #expect(child.value is UInt64, "\(name)")
    }
    #expect(names > 6)
  }
}
