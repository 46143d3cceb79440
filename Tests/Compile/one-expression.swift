// expect: nothing
import PageAlloc

// Every option has a label and a default, and what is shown, thrown and caught needs no module
// but the library.
func limited() throws(PageArenaError) -> PageArena {
  try PageArena(reserving: 1 << 30, memoryLimit: .bytes(soft: 256 << 20, hard: 512 << 20))
}

func everyOption() -> PageArena.Options {
  PageArena.Options(
    reserving: 1 << 32, threadCacheByteCount: 0,
    scavenging: .background(headroom: 0.1, cpuShare: 0.01), memoryLimit: .cgroup(fraction: 0.5),
    hugePages: .avoid, scavengesUnderPressure: true, allowsWritableCode: true, isPermanent: false,
    diagnosis: .checked(reportsFaults: true))
}

func shown() {
  var options = PageArena.Options()
  options.hugePages = .system
  print(options, everyOption())
  do throws(PageArenaError) {
    dump(try PageArena())
    dump(try PageArena(options))
    dump(try limited())
  } catch {
    switch error {
    case .system(let refused) where refused.errno == .outOfMemory:
      print(refused.call, refused.address, refused.byteCount)
    case .noAddressSpace(let refused), .system(let refused):
      let named: (SysMemError, SysMemError.Call, Errno) = (refused, refused.call, refused.errno)
      print(named.0.description, named.1.description, named.2.description, named.2.rawValue)
    case .unsupported(let call):
      if call == .mseal { print(call) }
    default: print(error)
    }
  }
}
