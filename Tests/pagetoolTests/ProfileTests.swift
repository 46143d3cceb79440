import Gzip
import Testing

@testable import PageTrace

/// Sizes and lifetimes of the runs of a trace.
@Suite struct ProfileTests {
  typealias Class = TraceProfile.Class

  @Test func sample() throws {
    let profile = TraceProfile(try ProgramTrace(parsing: TraceText.sample.bytes))
    // Runs of 4, 1, 7 and 2 pages.
    #expect(
      profile.sizes == [
        Class(runs: 1, pages: 1), Class(runs: 1, pages: 2), Class(runs: 2, pages: 11),
      ])
    // The first is freed as a whole nine events after it came.
    #expect(profile.lifetimes == [Class(), Class(), Class(), Class(runs: 1, pages: 4)])
    #expect(profile.live == Class(runs: 3, pages: 10) && profile.all == Class(runs: 4, pages: 14))
    #expect(profile.medianSize == 4 && profile.largestSize == 7)
    #expect(profile.medianLifetime == 9 && profile.longestLifetime == 9)
  }

  @Test func noEvents() throws {
    let profile = TraceProfile(try ProgramTrace(parsing: TraceText([]).bytes))
    #expect(profile.sizes.isEmpty && profile.lifetimes.isEmpty && profile.medianSize == 0)
  }

  @Test(arguments: Repository.workloads)
  func classesAddUp(path: String) throws {
    let trace = try ProgramTrace(parsing: try gunzip(try Repository.bytes(path)))
    let profile = TraceProfile(trace)
    // A naive count: what every run's size is, and when its pages are gone.
    var sizes: [Int: Int] = [:]
    var left: [UInt32: UInt32] = [:]
    var born: [UInt32: Int] = [:]
    var spans: [Int: Int] = [:]
    for (index, event) in trace.events.enumerated() {
      switch event.kind {
      case .allocate:
        sizes[Self.power(Int(event.pageCount)), default: 0] += 1
        left[event.run] = event.pageCount
        born[event.run] = index
      case .resize: left[event.run] = event.pageCount
      case .free:
        left[event.run]! -= event.pageCount
        if left[event.run] == 0 { spans[Self.power(index - born[event.run]!), default: 0] += 1 }
      case .purge: break
      }
    }
    for (index, count) in profile.sizes.enumerated() { #expect(count.runs == sizes[index] ?? 0) }
    for (index, count) in profile.lifetimes.enumerated() {
      #expect(count.runs == spans[index] ?? 0)
    }
    let freed = profile.lifetimes.reduce(0) { $0 + $1.runs }
    #expect(freed + profile.live.runs == trace.runCount && profile.all.runs == trace.runCount)
    #expect(profile.sizes.reduce(0) { $0 + $1.pages } == profile.all.pages)
  }

  static func power(_ value: Int) -> Int { String(value, radix: 2).count - 1 }

  @Test func asText() throws {
    let result = try Tool.run("profile", Repository.path(Repository.workloads[1]))
    #expect(result.status == 0 && result.errors.isEmpty)
    let lines = result.output.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(
      lines.contains("  1                       15,626   72.6 %   122 MiB  ██████████████████▏"))
    #expect(lines.contains("  median 1, largest 1,024"))
  }

  @Test func asJSON() throws {
    try Folder.temporary { folder in
      let path = try folder.write("small.trace", TraceText.sample.bytes)
      let result = try Tool.run("profile", "--json", path)
      let object = try #require(try result.json().first)
      #expect(object["runs"] as? Int == 4 && object["pages"] as? Int == 14)
      let sizes = try #require(object["sizes"] as? [String: Any])
      let classes = try #require(sizes["classes"] as? [[String: Int]])
      #expect(classes.last == ["from": 4, "to": 7, "runs": 2, "pages": 11])
      #expect(sizes["median"] as? Int == 4 && sizes["largest"] as? Int == 7)
      #expect(object["live"] as? [String: Int] == ["runs": 3, "pages": 10])
    }
  }
}
