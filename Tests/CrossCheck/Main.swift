// The runner of the checks where there is no Swift Testing: Embedded Swift on the targets of
// Tests/Cross/targets.txt.
//
//     crosscheck test [TEXT...]   run every check, or those with a name that begins so
//     crosscheck storm N SEED     N random operations beside a model
//     crosscheck check FILE...    compare conformance files, one line a file
//
// Status: 0 good, 1 a check or a comparison failed, 2 misuse.

import CSysMem
import PageChecks
import PageTrace

@main
struct CrossCheck {
  static func main() {
    do throws(FileError) {
      exit(run(Array(try commandLineWords().dropFirst())))
    } catch {
      print("error: \(error.description)")
      exit(2)
    }
  }

  private static func run(_ words: [String]) -> Int32 {
    guard let command = words.first else { return usage() }
    if sameBytes(command, "test") {
      return runAllChecks(beginning: Array(words.dropFirst()), print: { print($0) })
    }
    if sameBytes(command, "check") && words.count > 1 {
      return runCheck(paths: Array(words.dropFirst()))
    }
    if sameBytes(command, "storm"), words.count == 3, let operations = Int(words[1]),
      let seed = UInt64(words[2])
    {
      return runStorm(operations: operations, seed: seed, print: { print($0) })
    }
    return usage()
  }

  private static func usage() -> Int32 {
    print(
      "usage: crosscheck test [TEXT...] | crosscheck storm N SEED | crosscheck check FILE...")
    return 2
  }
}

/// `==` on strings needs the tables of Unicode, which Embedded Swift leaves out.
private func sameBytes(_ a: String, _ b: StaticString) -> Bool {
  // A literal's bytes last as long as the program.
  unsafe a.utf8.elementsEqual(UnsafeBufferPointer(start: b.utf8Start, count: b.utf8CodeUnitCount))
}
