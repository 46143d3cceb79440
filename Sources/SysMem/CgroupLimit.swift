// Control groups
// ==============
//
// `/proc/self/cgroup` says which groups the process is in; a group's folder has a file with its
// bound on memory. A group is also bound by those above it, so all on the way up are read.
//
//               line of /proc/self/cgroup    file of the group
//   version 2   0::/path                     /sys/fs/cgroup/path/memory.max, memory.high
//   version 1   4:memory:/path               /sys/fs/cgroup/memory/path/memory.limit_in_bytes
//
// In a container the path may be the host's, of which only the last folder is mounted: then the
// folders on the way are not there, and the root of the mount is the group. No bound is "max" in
// version 2 and a number near 2^63 in version 1.

/// The bound on memory of the control groups that the process is in, in bytes; `nil` where there is
/// none.
///
/// - Complexity: a few small files for each folder of the path.
package func cgroupLimit(_ files: any SystemFiles) -> UInt64? {
  var groups = SmallText()
  guard files.read(SmallText("/proc/self/cgroup"), into: &groups) else { return nil }
  var result: UInt64?
  var line = 0
  while line < groups.count {
    let end = groups.index(of: UInt8(ascii: "\n"), from: line)
    let controllers = groups.index(of: UInt8(ascii: ":"), from: line) + 1
    let path = groups.index(of: UInt8(ascii: ":"), from: controllers) + 1
    if path <= end {
      var limit: UInt64?
      if path == controllers + 1, groups.has("0:", at: line) {
        limit = least(
          lowest(files, "/sys/fs/cgroup", groups, path..<end, "/memory.max"),
          lowest(files, "/sys/fs/cgroup", groups, path..<end, "/memory.high"))
      } else if names("memory", groups, controllers..<(path - 1)) {
        limit = lowest(
          files, "/sys/fs/cgroup/memory", groups, path..<end, "/memory.limit_in_bytes")
      }
      result = least(result, limit)
    }
    line = end + 1
  }
  return result
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

/// The lowest number in the files of that name in a folder and in all above it, up to the mount.
private func lowest(
  _ files: any SystemFiles, _ mount: StaticString, _ text: borrowing SmallText,
  _ path: Range<Int>, _ name: StaticString
) -> UInt64? {
  var result: UInt64?
  var folder = SmallText(mount)
  let root = folder.count
  folder.append(text, path)
  var contents = SmallText()
  while true {
    // "/" is the mount itself.
    while folder.count > root, folder[folder.count - 1] == UInt8(ascii: "/") {
      folder.cut(to: folder.count - 1)
    }
    let length = folder.count
    folder.append(name)
    // Version 1 says "no bound" by the largest multiple of a page that fits 63 bits.
    if files.read(folder, into: &contents), let limit = contents.number(at: 0),
      limit < 1 << 62
    {
      result = least(result, limit)
    }
    folder.cut(to: length)
    if length == root { return result }
    var slash = length - 1
    while slash > root, folder[slash] != UInt8(ascii: "/") { slash -= 1 }
    folder.cut(to: slash)
  }
}
