import PageAlloc
import Synchronization

/// Caches that are mapped together.
package let cacheMemoryChecks: [Check] = [
  Check("caches: the first costs no call, and a thousand are mapped by a few") { recorder in
    let calls = FakeCalls()
    var arena = makeArena(&recorder, calls: calls)
    guard let first = arena?.take(1, &recorder) else { return }
    arena?.give(first, &recorder)
    let metadata = arena?.statistics.metadataBytes ?? 0
    let before = calls.callCount.load(ordering: .relaxed)
    var caches: [CacheHolder] = []
    for number in 0..<1000 {
      guard let cache = try? arena?.makeCache() else { return recorder.fail("no cache \(number)") }
      caches.append(CacheHolder(cache))
    }
    let made = calls.callCount.load(ordering: .relaxed) - before
    recorder.expect(made < 20, "\(made) calls for a thousand caches")
    recorder.expect(
      (arena?.statistics.metadataBytes ?? 0) - metadata >= 1000 * 20_480, "they are counted")
    for holder in caches {
      guard let run = try? holder.cache.run(1) else { return recorder.fail("no run") }
      run.stamp(5)
      recorder.expect(holder.cache.errorOfGiving(run) == nil, "freed")
    }
    caches.removeAll()
    arena = nil
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  }
]

/// Keeps a cache that cannot be copied in a list.
final class CacheHolder {
  var cache: PageArena.Cache
  let number: Int

  init(_ cache: consuming PageArena.Cache, _ number: Int = 0) {
    self.cache = cache
    self.number = number
  }
}
