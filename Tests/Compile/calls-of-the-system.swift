// expect: cannot find type 'MemoryCalls' in scope
import PageAlloc

func callsOfTheSystem(_ calls: any MemoryCalls) {}
