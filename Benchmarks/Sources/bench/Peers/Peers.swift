import Foundation
import PageAlloc
import PageBench
import PageRivals

/// Ours and its rivals.
struct Peers {
  private(set) var present: [Peer] = []
  private(set) var missing: [MissingPeer] = []
  private let skipped: [String]

  /// The name by which our arena goes.
  static let ours = Peer.nameOfOurs
  /// The kernel itself.
  static let raw = Peer.mmap.name
  /// What is possible at all.
  static let floor = "(floor)"
  /// Loops that allocate nothing.
  static let nobody = "(loop)"

  /// Whether a name is a rival's.
  static func isRival(_ name: String) -> Bool { ![ours, floor, nobody].contains(name) }

  /// - Parameters:
  ///   - hugePages: what our arena asks of the kernel.
  ///   - known: a folder with a file for each of Debian's libraries, with its name, that holds the
  ///     library's path.
  ///   - more: a folder of shared libraries; each that has the calls is one more rival.
  ///   - skipped: names of those that are to be left out.
  /// - Throws: the second folder cannot be read.
  init(
    hugePages: HugePages, known: String, more: String?, skipping skipped: [String]
  ) throws {
    self.skipped = skipped
    add(.ours(hugePages: hugePages))
    add(.mmap)
    add(Peer("swift", .swift, origin: "UnsafeMutableRawPointer.allocate"))
    add(.glibc)
    for name in ["jemalloc", "mimalloc", "tcmalloc"] {
      if let text = try? String(contentsOfFile: "\(known)/\(name)", encoding: .utf8) {
        add(Library(path: text.trimmingCharacters(in: .whitespacesAndNewlines)), as: name)
      } else {
        leaveOut(name, "no library was found or unpacked")
      }
    }
    if let more {
      for library in try libraries(in: more) {
        let isTaken = present.contains { $0.name == library.name }
        add(library, as: isTaken ? "\(library.name)*" : library.name)
      }
    }
    add(Peer(Self.floor, .floor, origin: "addresses from stacks, or told beforehand; huge pages"))
    add(Peer(Self.nobody, .nobody, origin: "the loop by itself"))
  }

  private mutating func add(_ library: Library, as name: String) {
    if skipped.contains(name) { return leaveOut(name, "not wanted") }
    if let reason = library.reasonToLeaveOut() { return leaveOut(name, reason) }
    add(Peer(name, library))
  }

  private mutating func add(_ peer: Peer) {
    if peer.name != Self.ours, skipped.contains(peer.name) {
      return leaveOut(peer.name, "not wanted")
    }
    present.append(peer)
  }

  private mutating func leaveOut(_ name: String, _ reason: String) {
    missing.append(MissingPeer(name: name, reason: reason))
  }
}
