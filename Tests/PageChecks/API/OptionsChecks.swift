import PageAlloc

/// Options made in one expression.
package let optionsChecks: [Check] = [
  Check("options: each label sets its property, and leaves the others") { recorder in
    let plain = PageArena.Options()
    recorder.expect(differences(plain, as: plain) == [], "as by default")
    let made: [PageArena.Options] = [
      .init(reserving: 1 << 30), .init(threadCacheByteCount: 0), .init(scavenging: .manual),
      .init(memoryLimit: .bytes(soft: 1 << 20, hard: 1 << 31)), .init(hugePages: .avoid),
      .init(scavengesUnderPressure: true), .init(allowsWritableCode: true),
      .init(isPermanent: true), .init(forkHandling: .manual),
      .init(diagnosis: .checked(quarantineByteCount: 8192)), .init(label: "l"),
    ]
    for (index, options) in made.enumerated() {
      recorder.expect(differences(options, as: plain) == [index], "the label at \(index)")
    }
    recorder.expectEqual(plain.reservedByteCount, 1 << 32, "reserved")
    recorder.expectEqual(made[0].reservedByteCount, 1 << 30, "reserved")
    recorder.expect(
      made[3].memoryLimit == .bytes(soft: 1 << 20, hard: 1 << 31), "the limit as it was given")
  },

  Check("options: an arena made in one expression has them") { recorder in
    do throws(PageArenaError) {
      let arena = try PageArena(
        reserving: 64 << 20, scavenging: .manual,
        memoryLimit: .bytes(soft: 8 << 20, hard: 16 << 20),
        diagnosis: .checked())
      recorder.expect(arena.statistics.reservedBytes <= 64 << 20, "reserved")
      recorder.expect(
        arena.memoryLimits.soft == 8 << 20 && arena.memoryLimits.hard == 16 << 20, "limits")
      recorder.expect(arena.isChecked, "checked")
    } catch { recorder.fail(error.description) }
    do throws(PageArenaError) {
      // The others as by default.
      let arena = try PageArena(reserving: 64 << 20)
      recorder.expectEqual(arena.statistics.sealedBytes, 0, "nothing is sealed")
      recorder.expect(arena.memoryLimits.soft == nil && arena.memoryLimits.hard == nil, "no limit")
      var run = try arena.allocateRun(pages: 8)
      recorder.throwsError(.writableCode) { () throws(PageArenaError) in
        try run.protect(.readWriteExecute)
      }
      recorder.expectEqual(arena.label.utf8.count, 0, "no label")
    } catch { recorder.fail(error.description) }
    do throws(PageArenaError) {
      _ = try PageArena(reserving: 1)
      recorder.fail("made")
    } catch {
      recorder.expect(
        error
          == .badReservation(
            reservedByteCount: 1, minimum: PageArena.minimumReservedByteCount), error.description)
    }
  },
]

/// Which of the options differ, in the order of their labels.
private func differences(_ a: PageArena.Options, as b: PageArena.Options) -> [Int] {
  let same = [
    a.reservedByteCount == b.reservedByteCount, a.threadCacheByteCount == b.threadCacheByteCount,
    a.scavenging == b.scavenging, a.memoryLimit == b.memoryLimit, a.hugePages == b.hugePages,
    a.scavengesUnderPressure == b.scavengesUnderPressure,
    a.allowsWritableCode == b.allowsWritableCode, a.isPermanent == b.isPermanent,
    a.forkHandling == b.forkHandling, a.diagnosis == b.diagnosis,
    a.label.utf8.elementsEqual(b.label.utf8),
  ]
  return same.indices.filter { !same[$0] }
}
