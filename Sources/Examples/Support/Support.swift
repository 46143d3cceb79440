import Foundation

// What the seven programs share: checks that end the program, times, and children that fault.

/// Ends the program with status 1 where something is not as it must be.
public func require(
  _ isSo: Bool, _ what: @autoclosure () -> String, line: Int = #line, file: String = #fileID
) {
  if isSo { return }
  print("FAILED at \(file):\(line): \(what())")
  exit(1)
}

/// How long a closure takes, in nanoseconds.
public func nanoseconds<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure)
  -> Double
{
  let start = DispatchTime.now().uptimeNanoseconds
  try body()
  return Double(max(DispatchTime.now().uptimeNanoseconds - start, 1))
}

/// The shortest of three times, so that what else the machine does falls out.
public func best<Failure: Error>(_ time: () throws(Failure) -> Double) throws(Failure) -> Double {
  try min(time(), time(), time())
}

/// Prints a figure beside the same thing done by hand.
public func compare(_ what: String, _ ours: Double, by hand: String, _ other: Double, unit: String)
{
  print("\(what): \(short(ours)) \(unit); by \(hand): \(short(other)) \(unit)")
}

/// A number with three digits or so.
public func short(_ value: Double) -> String {
  String(format: value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value)
}

/// Numbers that look drawn by chance, the same ones in each run (Knuth's generator).
public struct Draw {
  private var state: UInt64

  /// Others for each seed.
  public init(seed: Int) { state = UInt64(seed) &+ 1 }

  /// At least 0, below 1.
  public mutating func next() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) / Double(UInt64(1) << 53)
  }

  /// At least 0, below a bound.
  public mutating func next(below bound: Int) -> Int { Int(next() * Double(bound)) }
}

/// The word that the program was started with, as a child of itself; `nil` in the parent.
public var childTask: String? {
  let arguments = CommandLine.arguments
  return arguments.count == 3 && arguments[1] == "child" ? arguments[2] : nil
}

/// How a child ended.
public enum ChildEnd: Equatable {
  case status(Int32)
  case signal(Int32)
}

/// Runs this program once more, as a child that has something to do that may end it, and waits.
public func runChild(_ task: String) throws -> ChildEnd {
  let child = Process()
  child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
  child.arguments = ["child", task]
  // A fault is what is expected: no report of it.
  child.environment = ProcessInfo.processInfo.environment.merging(
    ["SWIFT_BACKTRACE": "enable=no"], uniquingKeysWith: { $1 })
  try child.run()
  child.waitUntilExit()
  return child.terminationReason == .uncaughtSignal
    ? .signal(child.terminationStatus) : .status(child.terminationStatus)
}

/// Memory of the process that is in RAM, in bytes.
public func residentByteCount() throws -> Int {
  let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
  let pages = Int(text.split(separator: " ")[1]) ?? 0
  return pages * sysconf(Int32(_SC_PAGESIZE))
}

/// Calls a closure in so many threads at once, with the number of each, and waits for all.
public func inThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  let group = DispatchGroup()
  for number in 0..<count {
    group.enter()
    Thread.detachNewThread {
      body(number)
      group.leave()
    }
  }
  group.wait()
}
