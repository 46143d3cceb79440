import Foundation
import Gzip
import PageTrace
import Testing

/// The golden traces of the project, one test a file.
@Suite struct ConformanceTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Data/conformance")

  static let files: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".gz") }.sorted()
  }()

  @Test func allFilesAreThere() {
    #expect(Self.files.count == 39)
  }

  @Test(arguments: files)
  func agrees(name: String) throws {
    let packed = try Data(contentsOf: Self.folder.appending(path: name))
    let report = try check(name: name, bytes: try gunzip([UInt8](packed)))
    #expect(report.operations > 0)
    #expect(report.mismatches == 0)
  }
}
