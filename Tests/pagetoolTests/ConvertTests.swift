import Foundation
import Gzip
import PageTrace
import Testing

/// `pagetool convert` as a user meets it.
@Suite struct ConvertTests {
  static let sqlite = Repository.path("Tests/Data/strace/sqlite.strace.gz")
  static let pipeline = Repository.path("Tests/Data/strace/pipeline.strace.gz")

  @Test func toAFileThatIsReplayed() throws {
    try Folder.temporary { folder in
      let trace = folder.url.path + "/sqlite.trace.gz"
      let result = try Tool.run("convert", Self.sqlite, "-o", trace)
      #expect(result.status == 0 && result.errors.isEmpty)
      #expect(
        result.output.hasPrefix(
          """
          sqlite.strace.gz: 145 lines, 144 calls about memory
            process    14726, a program that was not told
            trace      153 events, 101 allocations, 1 thread
            live       1,628 pages (12.7 MiB) at most, 855 at the end
            left out   mappings: 25 of files

          """))
      #expect(isGzip([UInt8](try Data(contentsOf: URL(fileURLWithPath: trace)))))
      let replay = try Tool.run("replay", trace)
      #expect(replay.status == 0 && replay.errors.isEmpty)
      #expect(replay.output.hasPrefix("sqlite: 153 operations, every byte checked\n"))
    }
  }

  @Test func toTheStandardOutput() throws {
    let result = try Tool.run("convert", Self.sqlite, "--name", "lite")
    #expect(result.status == 0 && result.errors.contains("1,628 pages"))
    let trace = try ProgramTrace(parsing: Array(result.output.utf8))
    #expect(trace.header.name == "lite" && trace.header.kind == "mmap")
    #expect(trace.header.peakLivePages == 1628)
  }

  @Test func processes() throws {
    let list = try Tool.run("convert", "--list", Self.pipeline)
    #expect(list.status == 0 && list.errors.isEmpty)
    #expect(list.output.contains("14883         13      224 KiB  /usr/bin/ls\n"))
    let one = try Tool.run("convert", "--process", "14883", Self.pipeline)
    #expect(one.status == 0 && one.output.contains("\n# program: /usr/bin/ls\n"))
    let all = try Tool.run("convert", "--all", Self.pipeline)
    #expect(all.status == 0 && all.output.contains("\n# end_live_pages: 0\n"))
    let none = try Tool.run("convert", "--process", "1", Self.pipeline)
    #expect(none.status == 1 && none.output.isEmpty)
    #expect(none.errors.contains("no process 1 had memory") && none.errors.contains("14884"))
  }

  @Test func asJSON() throws {
    try Folder.temporary { folder in
      let trace = folder.url.path + "/p.trace"
      let result = try Tool.run("convert", "--json", Self.pipeline, "-o", trace)
      let object = try #require(try result.json().first)
      #expect(result.status == 0 && object["process"] as? Int == 14884)
      #expect(object["trace"] as? String == trace && object["peakLivePages"] as? Int == 1068)
      #expect(object["unknownLines"] as? Int == 0 && object["firstUnknownLine"] is NSNull)
      let processes = try #require(object["processes"] as? [[String: Any]])
      #expect(
        processes.map { $0["program"] as? String } == [
          "/usr/bin/sh", "/usr/bin/ls", "/usr/bin/sort",
        ])
      let leftOut = try #require(object["leftOut"] as? [String: Int])
      #expect(leftOut["fileMappings"] == 17 && leftOut["sharedMappings"] == 1)
    }
  }

  @Test func fromTheStandardInput() throws {
    // Its standard input is empty here.
    let result = try Tool.run("convert", "-")
    #expect(result.status == 1 && result.output.isEmpty)
    #expect(result.errors == "pagetool: -: line 1: the file ends without a call about memory\n")
  }

  @Test func badFiles() throws {
    try Folder.temporary { folder in
      let bad = try folder.write("bad", "brk(NULL) = 0x1000\nmunmap(0x2000) = 0\n".utf8)
      let result = try Tool.run("convert", bad)
      #expect(result.status == 1 && result.output.isEmpty)
      #expect(
        result.errors == "pagetool: \(bad): line 2: these are no arguments of munmap: \"0x2000\"\n")
      let nowhere = folder.url.path + "/none/a.trace"
      let unwritten = try Tool.run("convert", Self.sqlite, "-o", nowhere)
      #expect(unwritten.status == 1 && unwritten.output.isEmpty)
      #expect(unwritten.errors.hasPrefix("pagetool: \(nowhere): cannot write the file"))
      let json = try Tool.run("convert", "--json", bad, "-o", nowhere)
      let error = try #require(try json.json()[0]["error"] as? [String: Any])
      #expect(json.status == 1 && error["line"] as? Int == 2)
    }
  }

  @Test func packingIsUndone() throws {
    for count in [0, 1, 70_000, 400_000] {
      let bytes = GzipTests.sample(count)
      #expect(try gunzip(try gzip(bytes)) == bytes)
    }
    #expect(try gzip([UInt8](repeating: 7, count: 300_000)).count < 1000)
  }
}
