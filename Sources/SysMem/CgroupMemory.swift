// Control groups
// ==============
//
// `/proc/self/cgroup` says which groups the process is in; a group's folder has a file with its
// bound on memory, and one with what is used. A group is also bound by those above it, so all on
// the way up are read; the one that leaves least binds.
//
//               line of /proc/self/cgroup    files of the group
//   version 2   0::/path                     /sys/fs/cgroup/path/memory.max, memory.high,
//                                            memory.current, memory.stat
//   version 1   4:memory:/path               /sys/fs/cgroup/memory/path/memory.limit_in_bytes,
//                                            memory.usage_in_bytes, memory.stat
//
// In a container the path may be the host's, of which only the last folder is mounted: then the
// folders on the way are not there, and the root of the mount is the group. No bound is "max" in
// version 2 and a number near 2^63 in version 1.
//
// Contents of files that nobody has used for long count as used, but the kernel drops them before
// anybody is refused memory. What `memory.stat` says of them is asked for only where it may matter,
// since the kernel adds it up over all processors.

/// What a control group may use, and uses.
package struct CgroupMemory: Equatable, Sendable {
  /// Its bound.
  package let limitBytes: UInt64
  /// What everybody in it uses, without what the kernel drops for who asks; `nil` where it does not
  /// tell.
  package let usedBytes: UInt64?

  /// A group.
  package init(limitBytes: UInt64, usedBytes: UInt64?) {
    self.limitBytes = limitBytes
    self.usedBytes = usedBytes
  }

  /// What is left.
  private var leftBytes: UInt64 { limitBytes - min(limitBytes, usedBytes ?? 0) }

  /// The one that leaves less.
  fileprivate static func tighter(_ a: CgroupMemory?, _ b: CgroupMemory?) -> CgroupMemory? {
    guard let a, let b else { return a ?? b }
    return b.leftBytes < a.leftBytes ? b : a
  }
}

/// The control group of the process that leaves the least memory; `nil` where none has a bound.
///
/// - Complexity: a few small files for each folder of the path.
package func cgroupMemory(_ files: any SystemFiles) -> CgroupMemory? {
  var groups = SmallText()
  guard files.read(SmallText("/proc/self/cgroup"), into: &groups) else { return nil }
  var result: CgroupMemory?
  var line = 0
  while line < groups.count {
    let end = groups.index(of: UInt8(ascii: "\n"), from: line)
    let controllers = groups.index(of: UInt8(ascii: ":"), from: line) + 1
    let path = groups.index(of: UInt8(ascii: ":"), from: controllers) + 1
    if path <= end {
      var version: CgroupFiles?
      if path == controllers + 1, groups.has("0:", at: line) {
        version = .version2
      } else if names("memory", groups, controllers..<(path - 1)) {
        version = .version1
      }
      if let version {
        result = .tighter(result, tightest(files, version, groups, path..<end))
      }
    }
    line = end + 1
  }
  return result
}

/// How a version of control groups calls its files.
private struct CgroupFiles {
  let mount: StaticString
  let limit: StaticString
  /// A second bound, beyond which the group is slowed down.
  let high: StaticString?
  let used: StaticString
  /// The line of `memory.stat` with what the kernel drops first, of the groups below, too.
  let inactive: StaticString

  static var version1: CgroupFiles {
    CgroupFiles(
      mount: "/sys/fs/cgroup/memory", limit: "/memory.limit_in_bytes", high: nil,
      used: "/memory.usage_in_bytes", inactive: "\ntotal_inactive_file ")
  }
  static var version2: CgroupFiles {
    CgroupFiles(
      mount: "/sys/fs/cgroup", limit: "/memory.max", high: "/memory.high",
      used: "/memory.current", inactive: "\ninactive_file ")
  }
}

private func least(_ a: UInt64?, _ b: UInt64?) -> UInt64? {
  guard let a, let b else { return a ?? b }
  return min(a, b)
}

/// Whether a list of controllers, with commas between them, has a name.
private func names(_ name: StaticString, _ text: borrowing SmallText, _ list: Range<Int>) -> Bool {
  var start = list.lowerBound
  while start < list.upperBound {
    let end = min(text.index(of: UInt8(ascii: ","), from: start), list.upperBound)
    if end - start == name.utf8CodeUnitCount, text.has(name, at: start) { return true }
    start = end + 1
  }
  return false
}

/// The group that leaves least, of that of a folder and of all above it, up to the mount.
private func tightest(
  _ files: any SystemFiles, _ version: CgroupFiles, _ text: borrowing SmallText,
  _ path: Range<Int>
) -> CgroupMemory? {
  var result: CgroupMemory?
  var folder = SmallText(version.mount)
  let root = folder.count
  folder.append(text, path)
  var contents = SmallText()
  while true {
    // "/" is the mount itself.
    while folder.count > root, folder[folder.count - 1] == UInt8(ascii: "/") {
      folder.cut(to: folder.count - 1)
    }
    result = .tighter(result, group(files, version, &folder, &contents))
    if folder.count == root { return result }
    var slash = folder.count - 1
    while slash > root, folder[slash] != UInt8(ascii: "/") { slash -= 1 }
    folder.cut(to: slash)
  }
}

/// The group of a folder; `nil` where it has no bound.
private func group(
  _ files: any SystemFiles, _ version: CgroupFiles, _ folder: inout SmallText,
  _ contents: inout SmallText
) -> CgroupMemory? {
  let length = folder.count
  /// Reads a file of the folder.
  func read(_ name: StaticString) -> Bool {
    folder.append(name)
    defer { folder.cut(to: length) }
    return files.read(folder, into: &contents)
  }
  /// A bound: version 1 says "none" by the largest multiple of a page that fits 63 bits.
  func bound(_ name: StaticString) -> UInt64? {
    guard read(name), let bound = contents.number(at: 0), bound < 1 << 62 else { return nil }
    return bound
  }
  var limit = bound(version.limit)
  if let high = version.high { limit = least(limit, bound(high)) }
  guard let limit else { return nil }
  guard read(version.used), var used = contents.number(at: 0) else {
    return CgroupMemory(limitBytes: limit, usedBytes: nil)
  }
  if used > limit - limit / 4, read("/memory.stat"),
    let line = contents.index(of: version.inactive)
  {
    used -= min(used, contents.number(at: line + version.inactive.utf8CodeUnitCount) ?? 0)
  }
  return CgroupMemory(limitBytes: limit, usedBytes: used)
}
