// A buffer pool: pages of a file, of which as many stay in memory as a limit allows, for readers in
// several threads.
//
// A frame is a run of one page that can be copied (SharedPageRun). The pool has one reference to
// it, each reader another: so a frame that is thrown out while it is being read lives on until the
// reader has done, and nobody counts pins. How many frames there are at a time the arena's limit
// says.

import Foundation
import PageAlloc
import Support
import Synchronization

let fileByteCount = 64 << 20
let poolByteCount = 32 << 20
let wordsOfPage = PageArena.pageSize / 8
let pageCount = fileByteCount / PageArena.pageSize
let threadCount = 4
let readsOfThread = 50_000

/// Frames by the number of their page, each with a second chance before it is thrown out.
struct Clock<Frame: Sendable> {
  /// In the order of the clock, and whether each was read since the hand passed it.
  private var ring: [(page: Int, frame: Frame, wasRead: Bool)] = []
  private var places: [Int: Int] = [:]
  private var hand = 0
  private(set) var misses = 0

  var count: Int { ring.count }

  mutating func frame(ofPage page: Int) -> Frame? {
    guard let place = places[page] else { return nil }
    ring[place].wasRead = true
    return ring[place].frame
  }

  mutating func insert(_ frame: Frame, _ page: Int) -> Frame {
    misses += 1
    // Another thread may have read it, too.
    if let place = places[page] { return ring[place].frame }
    places[page] = ring.count
    ring.append((page, frame, false))
    return frame
  }

  mutating func evict() -> Frame? {
    if ring.isEmpty { return nil }
    while true {
      hand = (hand + 1) % ring.count
      if !ring[hand].wasRead { break }
      ring[hand].wasRead = false
    }
    // The last one takes its place.
    places[ring[ring.count - 1].page] = hand
    ring.swapAt(hand, ring.count - 1)
    let (page, frame, _) = ring.removeLast()
    places[page] = nil
    return frame
  }
}

/// The pages of a file, as many as there is memory for.
final class BufferPool<Frame: Sendable>: Sendable {
  /// A part of the pages, with a lock of its own.
  private final class Shard: Sendable { let clock = Mutex(Clock<Frame>()) }
  private let shards = (0..<64).map { _ in Shard() }
  /// Reads a page from the file; `nil` where there is no memory for a frame.
  private let load: @Sendable (_ page: Int) throws -> Frame?

  init(load: @escaping @Sendable (_ page: Int) throws -> Frame?) { self.load = load }

  var counts: (frames: Int, misses: Int) {
    shards.reduce((0, 0)) { sum, shard in
      shard.clock.withLock { (sum.0 + $0.count, sum.1 + $0.misses) }
    }
  }

  func frame(ofPage page: Int) throws -> Frame {
    let shard = shards[page % shards.count]
    if let frame = shard.clock.withLock({ $0.frame(ofPage: page) }) { return frame }
    // Nobody waits while the file is read.
    while true {
      if let frame = try load(page) { return shard.clock.withLock { $0.insert(frame, page) } }
      // What goes first is freed as soon as nobody reads it: the lock is not held then.
      _ = shards[Int.random(in: shards.indices)].clock.withLock { $0.evict() }
    }
  }
}

/// A frame as one makes it by hand.
@safe final class AlignedFrame: @unchecked Sendable {
  static let count = Atomic<Int>(0)
  // Invariant: one page of its own, from posix_memalign, which nobody writes to any more.
  let start: UnsafeMutableRawPointer

  init() {
    var memory: UnsafeMutableRawPointer?
    let status = unsafe posix_memalign(&memory, PageArena.pageSize, PageArena.pageSize)
    guard status == 0, let memory = unsafe memory else { fatalError("posix_memalign") }
    unsafe start = unsafe memory
    Self.count.add(1, ordering: .relaxed)
  }

  deinit {
    unsafe free(start)
    Self.count.subtract(1, ordering: .relaxed)
  }
}

/// Every word of a page tells which one it is.
func word(_ index: Int, ofPage page: Int) -> UInt64 { UInt64(page) << 32 | UInt64(index) }

func makeFile() throws -> FileHandle {
  let url = URL(fileURLWithPath: "\(NSTemporaryDirectory())/pages-\(getpid())")
  let words = (0..<fileByteCount / 8).map { word($0 % wordsOfPage, ofPage: $0 / wordsOfPage) }
  try unsafe words.withUnsafeBytes { unsafe Data($0) }.write(to: url)
  defer { unsafe unlink(url.path) }
  return try FileHandle(forReadingFrom: url)
}

/// Reads pages in four threads, most often those at the start; checks what they hold.
func read<Frame>(
  _ pool: BufferPool<Frame>, _ check: @escaping @Sendable (Frame, _ page: Int) -> Bool
) -> Double {
  nanoseconds {
    inThreads(threadCount) { thread in
      var draw = Draw(seed: thread)
      for _ in 0..<readsOfThread {
        let page = Int(draw.next() * draw.next() * Double(pageCount))
        do {
          require(check(try pool.frame(ofPage: page), page), "page \(page) holds another one")
        } catch { require(false, "\(error)") }
      }
    }
  } / Double(threadCount * readsOfThread)
}

/// As the library does it: the arena's limit is the size of the pool.
func makePool(_ arena: PageArena, over file: Int32) -> BufferPool<SharedPageRun> {
  BufferPool { page in
    do throws(PageArenaError) {
      var run = try arena.allocateRun(pages: 1)
      // Here C begins: the file is read into the run.
      let count = unsafe run.withUnsafeMutableBytes {
        unsafe pread(file, $0.baseAddress, $0.count, page * PageArena.pageSize)
      }
      require(count == PageArena.pageSize, "pread")
      return SharedPageRun(run)
    } catch {
      guard case .limitReached = error else { throw error }
      return nil
    }
  }
}

func makePoolByHand(over file: Int32) -> BufferPool<AlignedFrame> {
  BufferPool { page in
    let inUse = AlignedFrame.count.load(ordering: .relaxed) * PageArena.pageSize
    if inUse >= poolByteCount { return nil }
    let frame = AlignedFrame()
    let count = unsafe pread(file, frame.start, PageArena.pageSize, page * PageArena.pageSize)
    require(count == PageArena.pageSize, "pread")
    return frame
  }
}

@main
enum BufferPoolExample {
  static func main() throws {
    let file = try makeFile()
    // Frames come and go by ones, and a limit that is always reached leaves nothing to keep at
    // hand.
    let arena = try PageArena(
      threadCacheByteCount: 0, memoryLimit: .bytes(hard: UInt64(poolByteCount)))
    let pool = makePool(arena, over: file.fileDescriptor)
    let poolByHand = makePoolByHand(over: file.fileDescriptor)

    let ours = best {
      read(pool) { frame, page in
        let words = frame.elements(of: UInt64.self)
        return words[page % wordsOfPage] == word(page % wordsOfPage, ofPage: page)
      }
    }
    let (frames, misses) = pool.counts
    let inUse = arena.statistics.inUseBytes
    require(frames > 4000 && inUse == UInt64(frames * PageArena.pageSize), "\(frames) frames")

    let byHand = best {
      read(poolByHand) { frame, page in
        let index = page % wordsOfPage
        let found = unsafe frame.start.load(fromByteOffset: index * 8, as: UInt64.self)
        return found == word(index, ofPage: page)
      }
    }

    print("file: \(fileByteCount >> 20) MiB, pool: \(poolByteCount >> 20) MiB, \(frames) frames")
    print("\(threadCount) threads, \(3 * threadCount * readsOfThread) reads, \(misses) of the file")
    compare("a read", ours, by: "posix_memalign", byHand, unit: "ns")
  }
}
