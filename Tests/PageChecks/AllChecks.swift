/// Every check but those that must run alone.
package let allChecks: [Check] = roomyChecks + otherChecks

/// Checks that want half a GiB of address space in a row. They come early: an emulator of a 32-bit
/// host maps upwards, and does not have that much once threads of others have left memory of the C
/// library's everywhere.
package let roomyChecks: [Check] =
  inaccessibleChecks + arenaCacheChecks + hugeGrowthChecks

/// The others, in the order in which they run: bottom up. The folders here are those of `Sources`.
package let otherChecks: [Check] =
  is32Bit ? bottomUpChecks + copyingChecks : copyingChecks + bottomUpChecks

/// Those that copy the process by a fork. An emulator of a 64-bit host, made larger by gigabytes
/// with every arena, has them first; on a 32-bit host, whose address space their threads leave full
/// of holes, they come last.
private let copyingChecks: [Check] = signalChecks + frameChecks + slabSignalChecks

/// The rest of them.
private let bottomUpChecks: [Check] = [
  // SysMem
  sysMemChecks,
  sysMemRefusalChecks,
  futexLockChecks,
  boundedArrayChecks,
  fixedTextChecks,
  momentChecks,
  stallWatchChecks,
  cgroupMemoryChecks,
  lineCutterChecks, hugePageEventsChecks, hugePageScanChecks, patienceChecks,
  // Base
  geometryChecks,
  pageSpaceChecks,
  chunkSetChecks,
  mappedTableChecks, thisThreadChecks,
  // Bitmap
  wordChecks, wordLanesChecks,
  pageBitsChecks,
  pallocBitsChecks,
  candidateChecks,
  // Summary
  pallocSumChecks, freeStretchChecks,
  summaryTreeChecks,
  // Index
  scavengeRecordChecks,
  scavengeIndexChecks,
  // Runs
  runTableChecks,
  runSearchChecks,
  runBatchChecks,
  sizeCountsChecks, decommittedPagesChecks,
  // Engine
  allocatorTablesChecks, chunkMapChecks,
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
  scavengerParkChecks,
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
  cacheRefillChecks,
  alignedCacheChecks,
  alignedModelChecks,
  passedRunChecks,
  headroomChecks,
  steadyLoadChecks,
  memoryLimitChecks,
  hardLimitChecks, limitHandlerChecks,
  groupLimitChecks, groupRegionChecks,
  commitLimitChecks,
  refusalChecks,
  sealChecks,
  // Ownership
  pageRunChecks,
  lastRunChecks,
  resizeChecks,
  growRefusalChecks,
  growSpecialChecks,
  guardFallbackChecks,
  protectChecks,
  hugePageAdviceChecks,
  // API
  arenaMisuseChecks,
  returnStatisticsChecks,
  stormChecks,
  textChecks,
  barrierChecks,
  freeSweepChecks, pointerSweepChecks,
  takeSweepChecks, poolTakeSweepChecks,
  resizeSweepChecks, partSweepChecks,
  amountSweepChecks,
  optionsChecks,
  stackChecks,
  regionChecks,
  partChecks,
  decommitChecks, decommitRefusalChecks,
  decommitModelChecks,
  sharedRunChecks,
  pointerChecks,
  contentsChecks,
  apartChecks,
  snapshotChecks,
  poolChecks,
  poolForwardChecks,
  poolLimitChecks, poolLimitHandlerChecks,
  poolRetreatChecks,
  poolStormChecks,
  countedRegionChecks,
  snapshotFileChecks,
  counterChecks,
  peakChecks,
  labelChecks,
  recordingChecks, profileChecks, profileRaceChecks,
  slabChecks,
  slabModelChecks,
  slabThreadChecks,
  // SVG
  svgChecks,
  // Picture, of PageTrace
  pagePictureChecks,
  pictureTextChecks,
  pictureSVGChecks,
  heapFilmChecks, memoryChartChecks,
].flatMap { $0 }

/// Checks that judge all of the process's memory or mappings, or its times: nothing else may run
/// meanwhile. The Embedded runner (`make test-TARGET`) has them, Swift Testing not.
package let aloneChecks: [Check] = firstChecks + laterAloneChecks

/// Those of them that come before there is an arena.
package let firstChecks: [Check] = forkHandlerChecks

/// The rest of them.
package let laterAloneChecks: [Check] = [
  // Base
  mappedTableTrapChecks, thisThreadTrapChecks,
  // Engine
  dumpChecks,
  // Return
  scavengerThreadChecks,
  idleThreadChecks,
  untoldCapacityChecks,
  endedThreadChecks,
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
  forkChecks, readyFigureChecks, limitHandlerForkChecks,
  recordingForkChecks, profileForkChecks,
  addressSpaceChecks,
  regionAloneChecks,
  heldPagesAloneChecks,
  // API
  sweepTrapChecks,
  // Pool
  poolForkChecks, poolSetterForkChecks, poolMakerForkChecks,
  poolFileChecks, poolMakingChecks,
  poolAloneChecks,
  // Slab
  slabForkChecks,
].flatMap { $0 }
