import ArgumentParser
import Foundation
import PageRivals

/// The shared libraries in a folder, sorted by name.
///
/// - Throws: there is no such folder.
func libraries(in folder: String) throws -> [Library] {
  guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
    throw ValidationError("no folder of rivals can be read at \(folder)")
  }
  return names.sorted()
    .filter { $0.hasSuffix(".so") || $0.contains(".so.") }
    .map { Library(path: URL(fileURLWithPath: "\(folder)/\($0)").path) }
}
