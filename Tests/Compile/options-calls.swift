// expect: 'calls' is inaccessible due to 'package' protection level
import PageAlloc

func optionsCalls() {
  let options = PageArena.Options()
  _ = options.calls
}
