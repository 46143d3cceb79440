import CSysMem
import CTestSystem
import PageTrace

/// A file in memory, with a path as long as it is open.
struct MemoryFile: ~Copyable {
  private let descriptor: Int32
  var path: String { "/proc/self/fd/\(descriptor)" }

  init?(_ recorder: inout Recorder) {
    descriptor = ctest_memory_file()
    if descriptor < 0 {
      recorder.fail("no file in memory")
      return nil
    }
  }

  deinit { csm_close(descriptor) }

  func bytes(_ recorder: inout Recorder) -> [UInt8]? {
    if let bytes = try? readFile(path) { return bytes }
    recorder.fail("not read")
    return nil
  }
}
