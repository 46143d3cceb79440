// One hot operation, to be counted by callgrind (see Tests/Cross/gate.sh).
//
//     hotpath                     lists the operations
//     hotpath NAME ITERATIONS     performs one

import PageBench

@main
struct HotPathProgram {
  static func main() {
    let words = CommandLine.arguments
    if words.count == 1 {
      for path in HotPath.all { print(path.name) }
      return
    }
    guard words.count == 3, let iterations = Int(words[2]),
      let path = HotPath.all.first(where: { "\($0.name)" == words[1] })
    else { fatalError("usage: hotpath [NAME ITERATIONS]") }
    guard let sum = path.run(iterations: iterations) else { fatalError("no memory") }
    print(sum)
  }
}
