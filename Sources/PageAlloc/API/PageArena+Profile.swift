import CDiagnosis
import SysMem
import Synchronization

extension PageArena {
  /// Whether runs are sampled as they are handed out, with the calls that took them: who holds the
  /// memory, as `pprof` shows it.
  ///
  /// ```swift
  /// let arena = try PageArena(profile: .sampled(file: "server.pprof"))
  /// ```
  /// `go tool pprof -top server server.pprof` then tells which functions hold how much when the
  /// arena ends. In the file are four figures of each place in the program: `alloc_objects`,
  /// `alloc_space`, runs and bytes that were ever handed out there; `inuse_objects`, `inuse_space`,
  /// those that are in use. They are estimates without a bias: what is sampled is random, and
  /// counts for what was not.
  public enum Profile: Equatable, Sendable {
    /// What the environment asks for: `PAGEALLOC_PROFILE=PATH` samples as
    /// ``sampled(every:file:)`` does, `PAGEALLOC_PROFILE=PATH,BYTES` at another distance. The first
    /// arena of the process has PATH for its file, the others PATH.2, PATH.3 and so on. Where it
    /// says nothing: off.
    case automatic
    /// Nothing is sampled.
    case off
    /// On average one sample for so many bytes that are handed out.
    ///
    /// A sample takes some microseconds. Where samples would come so fast that they took more than
    /// a hundredth of one thread's time, the distance doubles, and halves when there is time again;
    /// a sample counts for the more. A run that was freed just before is handed out a few
    /// nanoseconds later than without a profile.
    ///
    /// The profile is written to `file` when the last reference to the arena goes, or the process
    /// ends before that; on request by ``PageArena/writeProfile(toPath:)``, in which case there
    /// need be no file. A child of `fork` goes on sampling, and writes on request alone.
    ///
    /// - Parameters:
    ///   - byteCount: the mean distance of samples, 1 byte to 1 TiB. A byte samples each run, as
    ///     far as there is time.
    ///   - file: a path of up to 4,000 bytes. The file is made, or emptied, with the arena. In a
    ///     pool the first arena has this file, the others PATH.2, PATH.3 and so on.
    case sampled(every: Int = 512 << 10, file: String? = nil)

    /// Whether both say the same. Paths are compared by bytes, as in ``Recording``.
    public static func == (one: Profile, other: Profile) -> Bool {
      switch (one, other) {
      case (.automatic, .automatic), (.off, .off): true
      case (.sampled(let count, let path), .sampled(let otherCount, let otherPath)):
        count == otherCount && (path == nil) == (otherPath == nil)
          && (path ?? "").utf8.elementsEqual((otherPath ?? "").utf8)
      default: false
      }
    }

    func check() throws(PageArenaError) {
      guard case .sampled(let byteCount, _) = self else { return }
      let limits = RunProfile.distances
      guard limits.contains(byteCount) else {
        throw .badProfile(
          byteCount: byteCount, minimum: limits.lowerBound, maximum: limits.upperBound)
      }
    }
  }

  /// Writes the profile of what is in use now, and was ever handed out, to a file, which is made,
  /// or emptied first.
  ///
  /// ```swift
  /// let arena = try PageArena(profile: .sampled())
  /// try arena.writeProfile(toPath: "now.pprof")
  /// ```
  ///
  /// Other threads may go on meanwhile: what they take or free may be in it or not. Not for a
  /// signal's handler.
  ///
  /// - Throws: ``PageArenaError/profile(_:)``: what the kernel refused, and a part may have been
  ///   written; `ENODATA` where the arena is not sampled.
  /// - Complexity: O(pages of the arena's space + samples + symbols of the program).
  public func writeProfile(toPath path: String) throws(PageArenaError) {
    do throws(Errno) {
      if core.profile == nil { throw Errno(rawValue: ENODATA) }
      try core.writeProfile(to: SmallText(path: path))
    } catch { throw .profile(error) }
  }
}

extension PageArena.Options {
  /// What is to sample an arena's runs; `nil` for nobody.
  ///
  /// - Parameter number: of the arena among those that these options make, from 1 on.
  func makeProfile(_ number: Int, _ system: SysMem) throws(PageArenaError) -> RunProfile? {
    switch profile {
    case .off: return nil
    case .automatic:
      var file = SmallText()
      guard RunProfile.isSupported, let distance = ProfileWish.read(into: &file) else { return nil }
      do throws(PageArenaError) {
        return try makeProfile(distance, file, system)
      } catch {
        // Nobody has asked for it here.
        var line = DumpLine()
        line.append("PageAlloc: PAGEALLOC_PROFILE: ")
        line.append(text: error.description)
        line.write()
        return nil
      }
    case .sampled(let distance, let path):
      if !RunProfile.isSupported { throw .profile(.noSuchCall) }
      let file: SmallText
      do throws(Errno) {
        file = if let path { try SmallText(path: path, number: number) } else { SmallText("") }
      } catch { throw .profile(error) }
      return try makeProfile(distance, file, system)
    }
  }

  private func makeProfile(
    _ distance: Int, _ file: borrowing SmallText, _ system: SysMem
  ) throws(PageArenaError) -> RunProfile {
    do throws(Errno) {
      if file.count > 0 { _ = try NewFile(path: file) }
    } catch { throw .profile(error) }
    do throws(SysMemError) {
      return try RunProfile.make(
        distance: distance, file: file, seed: profileSeed, from: system)
    } catch { throw .system(error) }
  }
}

/// What `PAGEALLOC_PROFILE` says.
private enum ProfileWish {
  private static let count = Atomic<Int>(0)

  /// - Returns: the distance; `nil` where nothing is wished for.
  static func read(into file: inout SmallText) -> Int? {
    // It writes no more than there is room; a literal ends in a zero.
    unsafe file.append {
      unsafe cdg_environment_text(
        "PAGEALLOC_PROFILE", $0.assumingMemoryBound(to: CChar.self), min($1, 4000))
    }
    if file.count == 0 { return nil }
    let distance = cutDistance(from: &file) ?? 512 << 10
    let number = count.wrappingAdd(1, ordering: .relaxed).newValue
    if number > 1 { file.append(".", number) }
    return distance
  }

  /// Takes a comma and a number in the limits off the end.
  private static func cutDistance(from file: inout SmallText) -> Int? {
    var place = file.count
    var distance = 0
    var digit = 1
    while place > 1 {
      place -= 1
      let byte = file[place]
      if byte == UInt8(ascii: ",") {
        guard RunProfile.distances.contains(distance) else { return nil }
        file.cut(to: place)
        return distance
      }
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"),
        digit <= Int.max / 100
      else { return nil }
      distance += Int(byte - UInt8(ascii: "0")) * digit
      digit *= 10
    }
    return nil
  }
}

extension ArenaCore {
  /// Writes the profile to a file.
  fileprivate func writeProfile(to path: borrowing SmallText) throws(Errno) {
    guard let profile else { return }
    let file = try NewFile(path: path)
    try profile.write(to: file.descriptor, runs: runs, system)
  }

  /// Writes the profile where it is to be at the end.
  func writeLastProfile() {
    guard let path = profile?.endFile() else { return }
    do throws(Errno) {
      try writeProfile(to: path)
    } catch {
      var line = beginLine("profile:")
      line.append("the file cannot be written: ")
      line.append(text: error.description)
      line.write()
    }
  }
}

/// The profiles of the arenas that are there when the process ends.
enum LastProfiles {
  private static let wish = LastWish()

  /// Has them written when the process ends.
  static func start() {
    wish.make { ArenaRegistry.forEachAtLast { $0.writeLastProfile() } }
  }
}
