import CBench
import Foundation
import PageBench

/// An allocator that takes part.
struct Peer {
  let name: String
  let rival: Rival
  /// What it is, for the report.
  let origin: String
}

/// An allocator that cannot take part, and why.
struct MissingPeer {
  let name: String
  let reason: String
}

/// Ours and its rivals.
struct Peers {
  private(set) var present: [Peer] = []
  private(set) var missing: [MissingPeer] = []

  /// The name by which our arena goes.
  static let ours = "PageArena"
  /// Loops that allocate nothing.
  static let nobody = "(loop)"

  /// - Parameter folder: a file for each library, with its name, that holds the library's path.
  init(libraries folder: String) {
    present = [
      Peer(name: Self.ours, rival: .arena, origin: "this package"),
      Peer(name: "mmap", rival: .mmap, origin: "the kernel, a call for each run"),
      Peer(name: "swift", rival: .swift, origin: "UnsafeMutableRawPointer.allocate"),
      Peer(
        name: "glibc", rival: .functions(.libc(release: cbench_trim_libc)),
        origin: "posix_memalign of the C library"),
    ]
    for name in ["jemalloc", "mimalloc", "tcmalloc"] {
      guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) else {
        missing.append(MissingPeer(name: name, reason: "no library was found or unpacked"))
        continue
      }
      let path = text.trimmingCharacters(in: .whitespacesAndNewlines)
      switch load(path) {
      case .success(let functions):
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().lastPathComponent
        present.append(Peer(name: name, rival: .functions(functions), origin: file))
      case .failure(let failure):
        missing.append(MissingPeer(name: name, reason: failure.reason))
      }
    }
    present.append(Peer(name: Self.nobody, rival: .nobody, origin: "the loop by itself"))
  }
}

private struct LoadFailure: Error { let reason: String }

private func load(_ path: String) -> Result<AllocatorFunctions, LoadFailure> {
  var calls = cbench_allocator()
  var reason = [CChar](repeating: 0, count: 512)
  // The path ends in a zero byte, and the buffer has room for what the call is told.
  let status = unsafe reason.withUnsafeMutableBufferPointer {
    unsafe cbench_load(path, &calls, $0.baseAddress, $0.count)
  }
  // The library stays loaded, so its functions stay where they are.
  guard status == 0, let align = unsafe calls.align, let clear = unsafe calls.clear,
    let free = unsafe calls.release
  else {
    let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return .failure(LoadFailure(reason: String(decoding: text, as: UTF8.self)))
  }
  return .success(
    unsafe AllocatorFunctions(align: align, clear: clear, free: free, release: calls.trim))
}
