// A program in which 33,000 threads use an arena, one after another: threads.sh runs it.
//
// Each uses it once more in every round in which the C library calls the destructors of its keys,
// the last one included. Afterwards nothing is in use, and the process has as many mappings as
// before. Status: 0 where that is so.

import Glibc
import PageAlloc

/// What all threads use.
enum Shared {
  static let arena: PageArena = {
    guard let arena = try? PageArena() else { fatalError("no arena") }
    return arena
  }()

  /// Its value is the number of rounds that are still to come.
  static let key: pthread_key_t = {
    var key = pthread_key_t()
    let error = unsafe pthread_key_create(&key) { value in
      let rounds = UInt(bitPattern: value)
      useArena()
      if rounds > 1 { setRounds(rounds - 1) }
    }
    guard error == 0 else { fatalError("no key") }
    return key
  }()
}

func setRounds(_ rounds: UInt) {
  _ = unsafe pthread_setspecific(Shared.key, UnsafeRawPointer(bitPattern: rounds))
}

/// Takes two runs, writes to them, and gives them back.
func useArena() {
  do throws(PageArenaError) {
    let short = unsafe try Shared.arena.allocate(pages: 1)
    let long = unsafe try Shared.arena.allocate(pages: 200)
    unsafe short.storeBytes(of: 1, as: UInt8.self)
    unsafe long.storeBytes(of: 2, as: UInt8.self)
    unsafe try Shared.arena.deallocate(short, pages: 1)
    unsafe try Shared.arena.deallocate(long, pages: 200)
  } catch { fatalError("\(error)") }
}

func runThreads(_ count: Int) {
  for _ in 0..<count {
    var thread = pthread_t()
    let error = unsafe pthread_create(
      &thread, nil,
      { _ in
        useArena()
        setRounds(4)
        return nil
      }, nil)
    guard error == 0 else { fatalError("no thread: \(error)") }
    _ = pthread_join(thread, nil)
  }
}

/// How many lines `/proc/self/maps` has.
func mappingCount() -> Int {
  let file = unsafe open("/proc/self/maps", O_RDONLY)
  guard file >= 0 else { fatalError("no /proc/self/maps") }
  defer { close(file) }
  var lines = 0
  var bytes = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = unsafe read(file, &bytes, bytes.count)
    guard count > 0 else { return lines }
    for byte in bytes[..<count] where byte == UInt8(ascii: "\n") { lines += 1 }
  }
}

func run() -> Bool {
  useArena()
  // What the C library and the arena map once.
  runThreads(100)
  let before = mappingCount()
  runThreads(33_000)
  _ = try? Shared.arena.releaseFreeMemory()
  let (after, inUse) = (mappingCount(), Shared.arena.statistics.inUseBytes)
  print("\(before) mappings before 33,000 threads, \(after) after; \(inUse) bytes in use")
  return after <= before && inUse == 0
}

exit(run() ? 0 : 1)
