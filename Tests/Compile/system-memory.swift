// expect: module 'SysMem' has no member named 'FutexLock'
import PageAlloc

func systemMemory() { _ = SysMem.FutexLock() }
