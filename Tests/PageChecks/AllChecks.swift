/// Every check but those that must run alone, in the order in which they run: bottom up. The
/// folders here are those of `Sources`.
package let allChecks: [Check] = [
  // SysMem
  sysMemChecks,
  sysMemRefusalChecks,
  futexLockChecks,
  boundedArrayChecks,
  fixedTextChecks,
  momentChecks,
  stallWatchChecks,
  cgroupMemoryChecks,
  hugePageScanChecks,
  // Base
  geometryChecks,
  pageSpaceChecks,
  chunkSetChecks,
  // Bitmap
  wordChecks,
  pageBitsChecks,
  pallocBitsChecks,
  candidateChecks,
  // Summary
  pallocSumChecks,
  summaryTreeChecks,
  // Index
  scavengeRecordChecks,
  scavengeIndexChecks,
  // Runs
  runTableChecks,
  runSearchChecks,
  runBatchChecks,
  // Engine
  allocatorTablesChecks,
  pageBlockChecks,
  addressRangesChecks,
  allocatorPlacementChecks,
  allocatorSearchChecks,
  allocatorModelChecks,
  batchChecks,
  physicalPageChecks,
  // Cache
  runCacheChecks,
  runCacheModelChecks,
  longRunsChecks,
  cacheTallyChecks,
  cacheBudgetChecks,
  runDepotChecks,
  cacheListChecks,
  // Policy
  residencyLimitsChecks,
  giveBackBudgetChecks,
  scavengeGoalChecks,
  growthHeadroomChecks,
  hugeGrowthPauseChecks,
  scavengePacerChecks,
  scavengePlanChecks,
  // Checked
  checkedRunsChecks,
  traceChecks,
  // Heap
  cacheMemoryChecks,
  heapCountsChecks,
  heapStoreChecks,
  heapChecks,
  heapModelChecks,
  reservationChecks,
  scavengerStateChecks,
  dirtMapChecks,
  arenaRegistryChecks,
  cacheDrainChecks,
  // Return
  scavengerStepChecks,
  returnBatchChecks,
  lockedMemoryChecks,
  hugeUnitChecks,
  idleCacheChecks,
  // Diagnosis
  recordChecks,
  quarantineChecks,
  // Arena
  heldPagesChecks,
  measuredChecks,
  arenaBasicsChecks,
  arenaMemoryChecks,
  arenaLimitChecks,
  arenaThreadChecks,
  threadSlotsChecks,
  arenaCacheChecks,
  cacheRefillChecks,
  alignedCacheChecks,
  alignedModelChecks,
  passedRunChecks,
  hugeGrowthChecks,
  headroomChecks,
  steadyLoadChecks,
  memoryLimitChecks,
  hardLimitChecks,
  groupLimitChecks,
  commitLimitChecks,
  refusalChecks,
  sealChecks,
  // Ownership
  pageRunChecks,
  lastRunChecks,
  resizeChecks,
  growRefusalChecks,
  guardFallbackChecks,
  protectChecks,
  // API
  arenaMisuseChecks,
  returnStatisticsChecks,
  stormChecks,
  textChecks,
  barrierChecks,
  freeSweepChecks,
  takeSweepChecks,
  resizeSweepChecks,
  amountSweepChecks,
  optionsChecks,
].flatMap { $0 }

/// Checks that judge all of the process's memory or mappings, or its times: nothing else may run
/// meanwhile. The Embedded runner (`make test-TARGET`) has them, Swift Testing not.
package let aloneChecks: [Check] = [
  // First of all, before there is an arena.
  forkHandlerChecks,
  // Engine
  dumpChecks,
  // Return
  scavengerThreadChecks,
  idleThreadChecks,
  untoldCapacityChecks,
  stallChecks,
  descriptorChecks,
  largeReturnChecks,
  // Guards
  mappingChecks,
  mappingBudgetChecks,
  // Diagnosis
  reportChecks,
  // Arena
  realCommitLimitChecks,
  forkChecks,
  addressSpaceChecks,
  heldPagesAloneChecks,
  // API
  sweepTrapChecks,
].flatMap { $0 }
