/// The allocators that are looked for by the names of their shared libraries.
public struct KnownLibrary: Sendable {
  /// What it goes by: `jemalloc`.
  public let name: String
  /// Names of files, the first one that can be loaded counts.
  public let files: [String]

  /// All of them.
  public static let all = [
    KnownLibrary(name: "jemalloc", files: ["libjemalloc.so.2", "libjemalloc.so"]),
    KnownLibrary(
      name: "mimalloc", files: ["libmimalloc.so.3", "libmimalloc.so.2", "libmimalloc.so"]),
    KnownLibrary(
      name: "tcmalloc",
      files: [
        "libtcmalloc_minimal.so.4", "libtcmalloc.so.4", "libtcmalloc_minimal.so", "libtcmalloc.so",
      ]),
  ]

  /// Looks where the system looks for libraries. Each is loaded in a child process, to try it.
  ///
  /// - Returns: the library, or why there is none.
  public func find() -> (library: Library?, reason: String) {
    for file in files {
      let library = Library(path: file)
      guard let reason = library.reasonToLeaveOut() else { return (library, "") }
      // Another reason than that there is no such file.
      if !reason.contains("No such file") { return (nil, reason) }
    }
    return (nil, "no \(files[0]), nor another of its names, was found")
  }
}
