import Foundation
import FuzzTargets
import Testing

/// All inputs of Tests/Corpus: where a fuzzer begins, and what fuzzers found.
@Suite struct CorpusTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Corpus")

  @Test(arguments: FuzzTarget.allCases)
  func everyInput(of target: FuzzTarget) throws {
    let inputs = try FileManager.default.contentsOfDirectory(
      at: Self.folder.appending(path: target.rawValue), includingPropertiesForKeys: nil)
    #expect(inputs.count >= 2, "the corpus of \(target) is missing")
    for input in inputs {
      let flaws = target.run([UInt8](try Data(contentsOf: input)))
      #expect(flaws.isEmpty, "\(input.lastPathComponent): \(flaws)")
    }
  }
}
