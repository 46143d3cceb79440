/// Tells a caller how far a long check is, about a hundred times in all.
struct Progress {
  private let total: Int
  private let report: ((Int, Int) -> Void)?
  private var next: Int

  /// - Parameters:
  ///   - total: how much there is to do, in the caller's own unit.
  ///   - report: is called with what is done and `total`; `nil` for nobody to tell.
  init(total: Int, _ report: ((Int, Int) -> Void)?) {
    self.total = total
    self.report = report
    next = total / 100
  }

  /// `done` of the total are done.
  mutating func note(_ done: Int) {
    guard let report, done >= next else { return }
    next = done + max(1, total / 100)
    report(done, total)
  }
}
