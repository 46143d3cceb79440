import PageAlloc
import SysMem

func makeRegion(
  _ byteCount: Int, guardByteCount: Int = 0, _ calls: FakeCalls, _ recorder: inout Recorder,
  line: UInt = #line
) -> PageRegion? {
  do throws(PageArenaError) {
    return try PageRegion(
      reserving: byteCount, guardByteCount: guardByteCount, from: SysMem(calls: calls))
  } catch {
    recorder.fail(error.description, line: line)
    return nil
  }
}

/// What is done with a region.
enum RegionUse {
  case grow(to: Int), shrink(to: Int)
  case decommit(Range<Int>), commit(Range<Int>), discard(Range<Int>)
  case protect(Range<Int>, PageAccess)
  case reset
}

extension PageRegion {
  mutating func errorOf(_ use: RegionUse) -> PageArenaError? {
    do throws(PageArenaError) {
      switch use {
      case .grow(let byteCount): try grow(to: byteCount)
      case .shrink(let byteCount): try shrink(to: byteCount)
      case .decommit(let range): try decommit(in: range)
      case .commit(let range): try commit(in: range)
      case .discard(let range): try discard(in: range)
      case .protect(let range, let access): try protect(access, in: range)
      case .reset: try reset()
      }
    } catch { return error }
    return nil
  }

  /// Words at multiples of 8 bytes.
  func word(_ offset: Int) -> UInt64 {
    // In the span, which sees to it; any bits are a number.
    unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt64.self)
  }

  mutating func setWord(_ offset: Int, _ word: UInt64) {
    var bytes = mutableBytes
    bytes.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
  }

  consuming func end() {}
}
