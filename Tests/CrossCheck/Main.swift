// The runner of the checks where there is no Swift Testing: Embedded Swift on x86_64, i386 and
// armhf.
//
//     crosscheck test [TEXT]      run every check of PageChecks, or those with a name that begins so
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
    if sameBytes(command, "test") && words.count <= 2 {
      return runAllChecks(beginning: words.count == 2 ? words[1] : "", print: { print($0) })
    }
    if sameBytes(command, "check") && words.count > 1 {
      return runCheck(paths: Array(words.dropFirst()))
    }
    return usage()
  }

  private static func usage() -> Int32 {
    print("usage: crosscheck test [TEXT] | crosscheck check FILE...")
    return 2
  }
}

/// `==` on strings needs the tables of Unicode, which Embedded Swift leaves out.
private func sameBytes(_ a: String, _ b: StaticString) -> Bool {
  // A literal's bytes last as long as the program.
  unsafe a.utf8.elementsEqual(UnsafeBufferPointer(start: b.utf8Start, count: b.utf8CodeUnitCount))
}
