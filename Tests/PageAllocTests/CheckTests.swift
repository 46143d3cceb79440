import PageChecks
import Testing

/// Runs the checks that every target runs too, one test a check.
@Suite struct CheckTests {
  @Test("every check", arguments: allChecks.indices)
  func check(index: Int) {
    let check = allChecks[index]
    for failure in check.run() { Issue.record("\(check.name): \(failure)") }
  }

  @Test(
    "checks that need the process for themselves",
    .disabled("other tests run in this process meanwhile; `make test-embedded` runs them alone"))
  func alone() {
    for check in aloneChecks {
      for failure in check.run() { Issue.record("\(check.name): \(failure)") }
    }
  }
}
