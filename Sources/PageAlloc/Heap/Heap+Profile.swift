// What becomes of a sample when its run becomes other runs: the bytes of those count as what the
// run was sampled for, each as a run of its own.

extension Heap {
  /// The sample of a run that is about to change; `nil` where there is none.
  @inline(__always)
  func sample(at page: PageNumber) -> Sample? {
    profile == nil ? nil : profile?.sample(at: page, in: runs)
  }

  /// Has a run that the run table has by now be a sample as another one was.
  @inline(__always)
  func keep(_ sample: Sample?, _ page: PageNumber, _ pages: Int) {
    if let sample { profile?.keep(sample, page, pages, in: runs) }
  }
}
