import Foundation
import PageBench

/// Reads all `*.trace.gz` and `*.trace` files of folders, sorted by name.
///
/// - Returns: the recordings, and a line for each file that is none.
func recordings(in folders: [String]) -> (list: [Recording], complaints: [String]) {
  var list: [Recording] = []
  var complaints: [String] = []
  for folder in folders {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      complaints.append("\(folder): no such folder")
      continue
    }
    for name in names.sorted() where name.hasSuffix(".trace.gz") || name.hasSuffix(".trace") {
      let path = "\(folder)/\(name)"
      if let bytes = unpacked(path), let recording = Recording(bytes) {
        if !list.contains(where: { $0.name == recording.name }) { list.append(recording) }
      } else {
        complaints.append("\(path): no page trace")
      }
    }
  }
  return (list.sorted { $0.name < $1.name }, complaints)
}

/// The bytes of a file, by way of `gzip` where the name says so.
private func unpacked(_ path: String) -> [UInt8]? {
  guard path.hasSuffix(".gz") else {
    return FileManager.default.contents(atPath: path).map { [UInt8]($0) }
  }
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["gzip", "-dc", path]
  let output = Pipe()
  process.standardOutput = output
  guard (try? process.run()) != nil else { return nil }
  let data = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return process.terminationStatus == 0 ? [UInt8](data) : nil
}
