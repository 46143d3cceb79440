/// How much free memory an arena keeps, and who gives the rest back how fast. Decided once, when it
/// is made.
package struct ScavengePlan: Equatable, Sendable {
  /// What a scavenger in the background is told.
  package struct Background: Equatable, Sendable {
    /// Free memory that stays resident, as a part of what is in use: 0 ... 16.
    package let headroom: Double
    /// The part of one processor's time that the scavenger may use: above 0, at most 1.
    package let cpuShare: Double

    /// A tenth of what is in use stays, and a hundredth of a processor's time gives the rest back,
    /// unless told otherwise.
    package init(headroom: Double = 0.1, cpuShare: Double = 0.01) {
      self.headroom = headroom
      self.cpuShare = cpuShare
    }
  }

  /// Whether there is a scavenger in the background, by the library's thread.
  package let isInBackground: Bool
  /// Whether the scavenger's steps are performed by somebody else.
  package let isBySteps: Bool
  /// What a step of the scavenger keeps.
  package let goal: ScavengeGoal
  /// The part of one processor's time that the scavenger may use.
  package let cpuShare: Double
  /// What was freed is left alone until the generation ends.
  package let generationNanoseconds: UInt64
  /// Whether the scavenger gives all back when tasks of the system wait for memory.
  package let readsPressure: Bool
  /// Free pages per 1,024 in use that stay as the arena grows; `nil` for any number.
  private let growthPer1024: Int?

  /// - Parameters:
  ///   - background: `nil` where there is no scavenger in the background. A check that then
  ///     performs its steps itself finds the goal and the share of one that was told nothing.
  ///   - hasThread: the library's thread performs the scavenger's steps; else somebody else does.
  ///   - growthPer1024: free pages per 1,024 in use that stay as the arena grows, where there is no
  ///     scavenger in the background; `nil` for any number. Where there is one, its headroom
  ///     counts.
  package init(
    background: Background?, hasThread: Bool = true, growthPer1024: Int? = nil,
    generationNanoseconds: UInt64 = 1_000_000_000, readsPressure: Bool = false
  ) {
    let told = background ?? Background()
    isInBackground = background != nil && hasThread
    isBySteps = background != nil && !hasThread
    goal = ScavengeGoal(headroom: told.headroom)
    cpuShare = told.cpuShare
    self.growthPer1024 = background != nil ? goal.headroomPer1024 : growthPer1024
    self.generationNanoseconds = generationNanoseconds
    self.readsPressure = readsPressure
  }

  /// Whether the library's thread is to hear of stalls for the arena.
  package var hearsOfStalls: Bool { isInBackground && readsPressure }

  /// What may stay resident as the arena grows.
  ///
  /// - Parameter hasHugePages: whether the arena keeps huge pages whole. What a growing arena gives
  ///   back are whole huge pages; without them any number of pages may stay.
  package func growthHeadroom(hasHugePages: Bool) -> GrowthHeadroom {
    GrowthHeadroom(per1024: hasHugePages ? growthPer1024 : nil)
  }
}
