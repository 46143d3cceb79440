/// Every check but those that must run alone, in the order in which they run: bottom up.
package let allChecks: [Check] = [
  sysMemChecks,
  sysMemRefusalChecks,
  futexLockChecks,
  geometryChecks,
  wordChecks,
  pageBitsChecks,
  pallocBitsChecks,
  candidateChecks,
  pallocSumChecks,
  summaryTreeChecks,
  pageCacheChecks,
  scavengeRecordChecks,
  scavengeIndexChecks,
  addressRangesChecks,
  allocatorPlacementChecks,
  allocatorSearchChecks,
  allocatorModelChecks,
  batchChecks,
  physicalPageChecks,
  arenaBasicsChecks,
  arenaMisuseChecks,
  arenaMemoryChecks,
  arenaLimitChecks,
  arenaThreadChecks,
  arenaCacheChecks,
  pacerChecks,
  scavengerStepChecks,
  returnBatchChecks,
  hugeUnitChecks,
  idleCacheChecks,
  memoryLimitChecks,
  returnStatisticsChecks,
  pageRunChecks,
  lastRunChecks,
  resizeChecks,
  protectChecks,
  refusalChecks,
  stormChecks,
  textChecks,
  sealChecks,
].flatMap { $0 }

/// Checks that judge all of the process's memory or mappings, or its times: nothing else may run meanwhile. The
/// runner of `make test-embedded`, `make test-i386` and `make test-armhf` has them, Swift Testing not.
package let aloneChecks: [Check] =
  scavengerThreadChecks + idleThreadChecks + forkChecks + largeReturnChecks + mappingChecks
  + dumpChecks
