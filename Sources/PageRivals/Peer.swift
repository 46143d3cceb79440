import CBench
import PageAlloc
import PageBench

/// An allocator that takes part.
public struct Peer {
  /// What it goes by.
  public let name: String
  /// What it is, for the report.
  public let origin: String
  private let source: Source

  private enum Source {
    case builtIn(Rival)
    case library(Library)
  }

  /// An allocator that every process has.
  public init(_ name: String, _ rival: Rival, origin: String) {
    self.name = name
    self.origin = origin
    source = .builtIn(rival)
  }

  /// An allocator of a library, which is loaded where it is measured.
  public init(_ name: String, _ library: Library) {
    self.name = name
    origin = library.file
    source = .library(library)
  }

  /// The name of our arena.
  public static let nameOfOurs = "PageArena"

  /// Our arena, by default as it comes.
  public static func ours(hugePages: HugePages = .automatic) -> Peer {
    Peer(nameOfOurs, .arena(hugePages), origin: "this package, hugePages: .\(hugePages)")
  }

  /// The kernel itself.
  public static var mmap: Peer { Peer("mmap", .mmap, origin: "the kernel, a call for each run") }

  /// The C library that this program is linked with.
  public static var glibc: Peer {
    let libc = AllocatorFunctions.libc(release: cbench_trim_libc)
    return Peer("glibc", .functions(libc), origin: "posix_memalign of the C library")
  }

  /// The allocator itself, for the process that measures it: a library is loaded now.
  ///
  /// - Returns: `nil` where that fails.
  public func rival() -> Rival? {
    switch source {
    case .builtIn(let rival): rival
    case .library(let library): library.load().functions.map { .functions($0) }
    }
  }
}

/// An allocator that cannot take part, and why.
public struct MissingPeer {
  /// What it goes by.
  public let name: String
  /// In words, for people.
  public let reason: String

  /// An allocator that is left out.
  public init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }
}
