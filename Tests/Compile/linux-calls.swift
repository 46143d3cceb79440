// expect: cannot find 'LinuxCalls' in scope
import PageAlloc

func linuxCalls() { _ = LinuxCalls() }
