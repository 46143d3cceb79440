import Foundation
import PageRivals
import Testing

/// `pagetool compare` as a user meets it. What the figures are is for the benchmarks to say.
@Suite struct CompareTests {
  static func smallTrace(in folder: Folder) throws -> String {
    try folder.write("small.trace", TraceText.sample.bytes)
  }

  @Test func asText() throws {
    try Folder.temporary { folder in
      let path = try Self.smallTrace(in: folder)
      let result = try Tool.run("compare", "--runs", "2", path)
      #expect(result.status == 0 && result.errors.isEmpty)
      // Thirteen events, and three runs that are live at the end.
      #expect(
        result.output.hasPrefix("small: 16 operations, 120 KiB live at most, 2 runs each\n"))
      let lines = result.output.split(separator: "\n")
      #expect(lines.allSatisfy { $0.count <= 80 })
      let names = lines.dropFirst(2).compactMap { $0.split(separator: " ").first.map(String.init) }
      // Those whose library is missing are told, too.
      #expect(
        Set(names) == ["PageArena", "mmap", "glibc", "jemalloc", "mimalloc", "tcmalloc"])
    }
  }

  @Test func oneAllocatorAsJSON() throws {
    try Folder.temporary { folder in
      let path = try Self.smallTrace(in: folder)
      let missing = folder.url.path + "/missing"
      let result = try Tool.run(
        "compare", "--json", "--runs", "3", "--allocator", "glibc", path, missing)
      #expect(result.status == 1 && result.errors.contains("No such file"))
      let objects = try result.json()
      try #require(objects.count == 2)
      #expect(objects[0]["operations"] as? Int == 16 && objects[0]["runs"] as? Int == 3)
      #expect(objects[0]["peakLiveBytes"] as? Int == 15 * 8192)
      let allocators = try #require(objects[0]["allocators"] as? [[String: Any]])
      #expect(allocators.map { $0["name"] as? String } == ["PageArena", "glibc"])
      for allocator in allocators {
        let median = try #require(allocator["medianNanoseconds"] as? Double)
        let least = try #require(allocator["leastNanoseconds"] as? Double)
        #expect(least > 0 && median >= least)
        let peak = try #require(allocator["residentPeakBytes"] as? Int)
        #expect(peak >= 15 * 8192 && peak < 100 << 20)
      }
      #expect(objects[1]["error"] != nil && objects[1]["allocators"] == nil)
    }
  }

  @Test func libraryThatIsNone() throws {
    try Folder.temporary { folder in
      let path = try Self.smallTrace(in: folder)
      let library = try folder.write("libnone.so", "no library".utf8)
      let result = try Tool.run(
        "compare", "--runs", "1", "--allocator", "mmap", "--library", library, path)
      #expect(result.status == 1 && result.errors.hasPrefix("pagetool: \(library): "))
      // The others have taken part.
      #expect(result.output.contains("\n  PageArena ") && result.output.contains("\n  mmap "))
    }
  }

  @Test func childThatDiesIsNoticed() {
    #expect(inChild { [1, 2, 3] } == [1, 2, 3])
    #expect(inChild { fatalError("on purpose") } == nil)
  }
}
