import PageBench

/// One line of the report: one workload, on all rivals.
struct Row {
  let family: String
  /// Unique among all rows: `pair/16`.
  let name: String
  /// Pages of a run where all are alike.
  var pages: Int?
  var threads = 1
  let job: Job
  /// Ours may take so much of the best rival's time.
  var bound: Double?
  /// A part of the quick run.
  var isQuick = false

  /// What is run.
  enum Job {
    case workload(Workload)
    case replay(Recording)
    case engine(EngineBench)
  }

  /// Whether the rivals can be asked for the same.
  var hasRivals: Bool {
    if case .engine = job { return false }
    return true
  }

  /// Whether the memory is written to, which takes memory.
  var writes: Bool {
    isReplay || ["touch", "first", "zeroed", "memory", "steady"].contains(family)
  }

  /// So much memory at least has to be there for a row that writes; twice what lives, for a replay.
  var writtenBytes: Int {
    if case .replay(let recording) = job { return 2 * recording.peakLivePages << 13 }
    return 256 << 20
  }

  var isReplay: Bool {
    if case .replay = job { return true }
    return false
  }
}

extension Row {
  /// Runs of a page that the occupancy rows take first: 256 MiB.
  private static let held = 32_768

  /// All rows but the replays.
  static var fixed: [Row] {
    pairs + churns + occupancies + touches + threaded + memory + steady + engine
  }

  private static var pairs: [Row] {
    [1, 2, 4, 8, 16, 64, 512, 2_048, 131_072].map { pages in
      Row(
        family: "pair", name: "pair/\(pages)", pages: pages, job: .workload(.pair(pages: pages)),
        bound: pages <= 16 ? 0.45 : 0.25, isQuick: [1, 16, 64, 512, 2_048, 131_072].contains(pages))
    }
      + [
        Row(
          family: "face", name: "handle/1", pages: 1, job: .workload(.handle(pages: 1)),
          bound: 0.4, isQuick: true),
        Row(
          family: "face", name: "PageRun/1", pages: 1, job: .workload(.owner(pages: 1)),
          isQuick: true),
        Row(
          family: "face", name: "PageRun/2048", pages: 2_048,
          job: .workload(.owner(pages: 2_048))),
      ]
  }

  private static var churns: [Row] {
    func row(
      _ name: String, _ sizes: RunSizes, _ live: Int, _ bound: Double, isQuick: Bool
    ) -> Row {
      Row(
        family: "churn", name: "churn/\(name)", job: .workload(.churn(sizes, live: live)),
        bound: bound, isQuick: isQuick)
    }
    return [
      row("1", .fixed(1), 4_096, 0.5, isQuick: true),
      row("1..32", .upTo(32), 4_096, 0.6, isQuick: true),
      row("1..127", .upTo(127), 5_000, 0.45, isQuick: false),
      row("2^0..2^11", .powersOfTwo(11), 256, 0.45, isQuick: false),
    ]
  }

  private static var occupancies: [Row] {
    [5, 50, 95, 99].map { percent in
      Row(
        family: "occupancy", name: "occupancy/\(percent)%", pages: 1,
        job: .workload(.occupancy(percent: percent, held: held)), bound: 0.45,
        isQuick: percent == 5 || percent == 95)
    }
      + [1, 2].map { pages in
        Row(
          family: "occupancy", name: "checkerboard/\(pages)", pages: pages,
          job: .workload(.checkerboard(pages: pages, held: held)))
      }
  }

  private static var touches: [Row] {
    [1, 16, 512].map { pages in
      Row(
        family: "touch", name: "touch/\(pages)", pages: pages,
        job: .workload(.touch(pages: pages)), bound: pages == 1 ? 0.5 : pages == 16 ? 0.9 : 1,
        isQuick: pages == 16)
    }
      + [1, 16, 512].map { pages in
        Row(
          family: "first", name: "first/\(pages)", pages: pages,
          job: .workload(.first(pages: pages)), bound: 1)
      }
      + [1, 16, 512].map { pages in
        Row(
          family: "zeroed", name: "zeroed/\(pages)", pages: pages,
          job: .workload(.zeroed(pages: pages)), bound: 1, isQuick: pages == 16)
      }
      + [(1, 1 << 16), (16, 1 << 16), (512, 1 << 21)].map { pages, alignment in
        Row(
          family: "aligned", name: "aligned/\(pages)@\(alignment >> 10)K", pages: pages,
          job: .workload(.aligned(pages: pages, alignment: alignment)), bound: 0.5)
      }
  }

  private static var threaded: [Row] {
    [1, 2].map { count in
      Row(
        family: "threads", name: "threads/\(count)", threads: count,
        job: .workload(.threads(count, live: 64)), bound: 0.8, isQuick: true)
    } + [
      Row(
        family: "threads", name: "threads/2x4096", threads: 2,
        job: .workload(.threads(2, live: 4_096)), bound: 0.8),
      Row(
        family: "threads", name: "handover/1", pages: 1, threads: 2, job: .workload(.handover),
        bound: 0.6, isQuick: true),
    ]
  }

  private static var memory: [Row] {
    [
      Row(
        family: "memory", name: "memory/1..32", job: .workload(.memory(live: 1_024)),
        bound: 0.7, isQuick: true)
    ]
  }

  private static var steady: [Row] {
    let loads: [(String, SteadyLoad)] = [
      ("saw", .saw), ("random", .random), ("wide", .wide), ("swing", .swing),
    ]
    return loads.map { name, load in
      Row(family: "steady", name: "steady/\(name)", job: .workload(.steady(load)), bound: 1.1)
    }
  }

  private static var engine: [Row] {
    EngineBench.all.map { bench in
      let family = bench.name.prefix { $0 != "/" }
      return Row(
        family: "engine", name: "engine/\(bench.name)", job: .engine(bench), bound: 0.5,
        isQuick: family == "PairEmpty" || family == "Churn95" || family == "AllocToCache")
    }
  }

  /// A replay of a recording.
  static func replay(_ recording: Recording, isQuick: Bool) -> Row {
    Row(
      family: "replay", name: "replay/\(recording.name)", job: .replay(recording), bound: 1,
      isQuick: isQuick)
  }
}
