// expect: extra argument 'calls' in call
import PageAlloc

func optionsFromCalls(_ calls: AnyObject) { _ = PageArena.Options(calls: calls) }
