// With `--sanitize fuzzer -Xswiftc -DFUZZER` a fuzzer, by libFuzzer, of the target that the
// variable FUZZ_TARGET names; see Tests/Fuzz/fuzz.sh. Else a program that runs inputs:
//
//     fuzz TARGET FILE...

import Foundation
import FuzzTargets

#if FUZZER
  private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget(rawValue: name) else { fatalError("no target \"\(name)\"") }
    return target
  }()

  /// Called by libFuzzer with each input.
  @_cdecl("LLVMFuzzerTestOneInput")
  public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    // libFuzzer's input, for the length of the call.
    let flaws = target.run(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
    if !flaws.isEmpty { fatalError(flaws.joined(separator: "\n")) }
    return 0
  }
#else
  @main
  struct Fuzz {
    static func main() throws {
      let words = CommandLine.arguments.dropFirst()
      guard let name = words.first, let target = FuzzTarget(rawValue: name), words.count > 1 else {
        print("usage: fuzz TARGET FILE...")
        print("targets: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
        exit(2)
      }
      var status: Int32 = 0
      for path in words.dropFirst() {
        let flaws = target.run([UInt8](try Data(contentsOf: URL(filePath: path))))
        print("\(path): \(flaws.isEmpty ? "fine" : flaws.joined(separator: "; "))")
        if !flaws.isEmpty { status = 1 }
      }
      exit(status)
    }
  }
#endif
