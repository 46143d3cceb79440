import CBench
import Foundation
import PageBench

/// A shared library with an allocator in it. It is loaded where it is measured, in a child process,
/// and nowhere else: some take over more of a process than its requests.
public struct Library {
  /// A path, or a name that the system looks for: `libjemalloc.so.2`.
  public let path: String

  /// A library by its path or name; nothing is loaded yet.
  public init(path: String) { self.path = path }

  /// The file's name, links followed: it tells the version.
  public var file: String { URL(fileURLWithPath: path).resolvingSymlinksInPath().lastPathComponent }

  /// What it is called by: `jemalloc` for `libjemalloc.so.2`.
  public var name: String {
    var name = URL(fileURLWithPath: path).lastPathComponent
    if let end = name.range(of: ".so") { name.removeSubrange(end.lowerBound...) }
    return name.hasPrefix("lib") ? String(name.dropFirst(3)) : name
  }

  /// Why it cannot take part; `nil` where it can. Loads it in a child process.
  public func reasonToLeaveOut() -> String? {
    guard let told = inChild({ [UInt8]((load().failure ?? "").utf8) }) else {
      return "a process that loads it dies"
    }
    return told.isEmpty ? nil : String(decoding: told, as: UTF8.self)
  }

  /// Its calls. The library stays loaded, and its functions where they are.
  public func load() -> (functions: AllocatorFunctions?, failure: String?) {
    var calls = cbench_allocator()
    var reason = [CChar](repeating: 0, count: 512)
    // The path ends in a zero byte, and the buffer has room for what the call is told.
    let status = unsafe reason.withUnsafeMutableBufferPointer {
      unsafe cbench_load(path, &calls, $0.baseAddress, $0.count)
    }
    guard status == 0, let align = unsafe calls.align, let clear = unsafe calls.clear,
      let free = unsafe calls.release
    else {
      let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      return (nil, String(decoding: text, as: UTF8.self))
    }
    let functions = unsafe AllocatorFunctions(
      align: align, clear: clear, free: free, release: calls.trim)
    return (functions, nil)
  }
}
