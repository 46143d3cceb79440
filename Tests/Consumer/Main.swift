import PageAlloc

// What a program that depends on the library by URL and version does at first; consumer.sh builds
// and runs it.

@main
enum Main {
  static func main() throws {
    let arena = try PageArena(reserving: 1 << 30, memoryLimit: .bytes(hard: 256 << 20))
    var run = try arena.allocateRun(pages: 4, zeroed: true)
    run.copyBytes(from: [1, 2, 3].span)
    let sum = sum(run.elements(of: Int.self))
    guard sum == 6, arena.statistics.inUseBytes == 4 * UInt64(PageArena.pageSize) else {
      fatalError("a run: \(sum), \(arena.statistics)")
    }
    let shared = SharedPageRun(run)

    var region = try PageRegion(reserving: 1 << 24, guardByteCount: 1 << 16)
    try region.grow(to: 1 << 20)
    var bytes = region.mutableBytes
    bytes.storeBytes(of: 42, as: Int.self)
    guard region.bytes.byteCount == 1 << 20 else { fatalError("a region") }
    try region.reset()

    let pool = try PagePool(reserving: 8 << 30)
    let far = try pool.allocateRun(pages: 2)
    let slab = try PageSlab(frameByteCount: 1024, in: arena)
    let frame = try slab.allocateFrame()
    guard pool.offset(of: far) != nil, slab.statistics.framesInUse == 1 else {
      fatalError("a pool, or frames")
    }
    _ = consume frame

    do throws(PageArenaError) {
      _ = try arena.allocateRun(pages: 100_000)
      fatalError("a limit that does not hold")
    } catch {
      guard case .limitReached = error else { fatalError("\(error)") }
    }
    print("an arena, a run, a shared one (\(shared.pages) pages), a region, a pool, a frame")
  }

  static func sum(_ values: Span<Int>) -> Int {
    var sum = 0
    for index in values.indices { sum += values[index] }
    return sum
  }
}
